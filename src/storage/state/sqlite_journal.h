// SqliteJournal: the journal on its SQLite file. One mutex guards the file's connection and is
// never held while the repository is asked. Private to this folder.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "storage/state/database.h"
#include "storage/state/entry_id.h"
#include "storage/state/journal.h"
#include "storage/state/whereabouts.h"

namespace lb::state {

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(World& world, std::unique_ptr<Database> database);
  Status add(record::JournalEntry entry) override;
  Result<std::vector<record::JournalEntry>> entries(std::size_t newest_max) override;
  Result<std::vector<record::JournalEntry>> entries_of_run(const std::string& run) override;
  Result<std::vector<record::JournalEntry>> outcomes(const std::string& act,
                                                     std::size_t newest_max) override;
  Result<std::vector<record::JournalEntry>> begun(const std::string& act_prefix,
                                                  std::size_t newest_max) override;
  Result<std::vector<record::JournalEntry>> interrupted() override;
  Status mirror(repo::Repository& repository) override;
  std::string fresh_id() override;

 private:
  struct Batch {
    std::vector<std::string> ids;
    std::string lines;  // bodies, each with its line end
  };

  Status insert(const record::JournalEntry& entry, const std::string& body, bool known_is_ok);
  Result<std::vector<record::JournalEntry>> select(const char* sql, const Values& values);
  Status import(repo::Repository& repository);
  Status import_batch(repo::Repository& repository, const std::string& id);
  Status take_lines(const std::string& repository, const std::string& batch, const Buffer& bytes);
  Status pass_over(repo::Repository& repository, const std::string& id, const Error& error);
  Result<std::set<std::string>> known_batches(const std::string& repository);
  Result<Batch> next_batch(const std::string& repository);
  Status mark(const std::string& repository, const std::string& batch, const Batch& entries);

  World& world_;
  std::unique_ptr<Database> database_;
  std::mutex mutex_;
  EntryIds ids_;
  const Whereabouts here_;
};

}  // namespace lb::state
