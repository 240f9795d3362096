// Journal: every act, recorded before and after it happens, in a local SQLite file and mirrored
// into the repository (records of kind "journal", one object a flush). The local file holds what is
// not mirrored yet; all else can be rebuilt from the repository. Thread-safe; several processes may
// share the file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "foundation/sys/world.h"
#include "model/record/drill_record.h"
#include "model/record/journal_entry.h"
#include "storage/repo/repository.h"

namespace lb::state {

class Journal {
 public:
  // `path`: the SQLite file (0600, folder 0700, made when missing). A damaged file is set aside
  // with its name in a warning entry, never silently dropped.
  static Result<std::unique_ptr<Journal>> open(World& world, const std::string& path);
  virtual ~Journal() = default;
  // Durable when it returns. Fills id, at, host and actor when empty.
  virtual Status add(record::JournalEntry entry) = 0;
  virtual Result<std::vector<record::JournalEntry>> entries(
      std::size_t newest_max) = 0;  // oldest first
  virtual Result<std::vector<record::JournalEntry>> entries_of_run(const std::string& run) = 0;
  // How the newest runs of an act ended, on whatever host; oldest first.
  virtual Result<std::vector<record::JournalEntry>> outcomes(const std::string& act,
                                                             std::size_t newest_max) = 0;
  // Intents of acts that begin so ("run "), from whatever host; oldest first.
  virtual Result<std::vector<record::JournalEntry>> begun(const std::string& act_prefix,
                                                          std::size_t newest_max) = 0;
  // Runs of this host with an intent and no outcome whose process is gone: what a crash
  // interrupted. Not those whose act a later run has done.
  virtual Result<std::vector<record::JournalEntry>> interrupted() = 0;
  // Copies what the repository does not have yet into it, and takes what other hosts wrote.
  virtual Status mirror(repo::Repository& repository) = 0;
  // An id that sorts by time, for a new run.
  virtual std::string fresh_id() = 0;
};

// Begins an act: writes the intent, hands out the run id; finish() writes the outcome. Destroyed
// without finish(): the outcome "abandoned" is written. One thread.
class Act {
 public:
  static Result<std::unique_ptr<Act>> begin(World& world, Journal& journal, const std::string& act,
                                            const std::string& store, const std::string& text,
                                            Json details);
  virtual ~Act() = default;
  virtual const std::string& run() const = 0;
  virtual Status note(const std::string& text) = 0;
  virtual Status finish(bool ok, const std::string& text, Json details) = 0;
};

// The drill log: records of kind "drill" in the repository.
Status put_drill(repo::Repository& repository, const record::DrillRecord& record);
// Oldest first. A damaged record keeps its line: INCONCLUSIVE, with the damage as the reason.
Result<std::vector<record::DrillRecord>> drills(repo::Repository& repository);

}  // namespace lb::state
