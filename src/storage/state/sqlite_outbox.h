// SqliteOutbox: the outbox in the journal's SQLite file. One mutex guards the connection. Private
// to this folder.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/state/database.h"
#include "storage/state/entry_id.h"
#include "storage/state/outbox.h"
#include "storage/state/whereabouts.h"

namespace lb::state {

class SqliteOutbox final : public Outbox {
 public:
  SqliteOutbox(World& world, std::unique_ptr<Database> database);
  Status lay_out();

  Result<std::string> identity() override;
  Result<std::vector<OutboxItem>> put(std::vector<OutboxItem> items) override;
  Result<std::optional<OutboxItem>> claim(Micros lease) override;
  Status settle(const OutboxItem& item, std::vector<OutboxItem> more) override;
  Result<std::optional<Timestamp>> next_due() override;
  Result<std::vector<OutboxItem>> items(std::size_t newest_max) override;
  Result<std::size_t> waiting() override;
  Result<Draft> put_draft(Draft draft) override;
  Result<std::vector<Draft>> drafts(std::size_t newest_max) override;
  Result<Draft> draft(const std::string& id) override;
  Status rewrite_draft(const std::string& id, const Json& body) override;
  Status drop_draft(const std::string& id) override;
  Status approve_draft(const std::string& id, const std::string& hash, const std::string& by,
                       const Json& proof) override;
  Result<std::vector<OutboxItem>> send_draft(const std::string& id, const std::string& hash,
                                             std::vector<OutboxItem> items) override;

 private:
  // All of these with the mutex held.
  Result<std::vector<OutboxItem>> insert(std::vector<OutboxItem> items);
  Result<bool> known(const OutboxItem& item);
  Result<std::string> free_row(Timestamp now);
  Result<OutboxItem> row(const std::string& id, Timestamp now);
  Result<Draft> find_draft(const std::string& column, const std::string& value);
  Status change_draft(const std::string& id, const char* sql, const Values& values,
                      const std::string& refused);
  std::int64_t now() const { return to_micros(world_.clock.now()); }

  World& world_;
  std::unique_ptr<Database> database_;
  std::mutex mutex_;
  EntryIds ids_;
  const Whereabouts here_;
};

}  // namespace lb::state
