// Outbox: messages that must reach people, durable before the act they tell of goes on, beside the
// journal in its file. One row is one message to one person. What a letter says and how its
// delivery goes on is the caller's; here is what must hold whoever asks: a key is stored once for
// each person, one process at a time works on a row, nothing is lost by a kill or a wrong clock.
// No secret is ever in a row. Thread-safe; several processes may share the file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "foundation/sys/world.h"
#include "storage/state/journal.h"

namespace lb::state {

struct OutboxItem {
  enum class State { waiting, delivered, undelivered };
  std::string id;       // sorts by time; put() fills it
  std::string key, to;  // together stored once
  State state = State::waiting;
  Timestamp made{}, next{}, expires{};
  Json letter, progress;
  std::string note;   // how it ended, or what failed last
  std::string lease;  // of claim()
  // The row was last written after what the clock says now: the clock has gone back, and the times
  // in `next` and `progress` mean nothing.
  bool clock_went_back = false;
};
std::string_view name_of(OutboxItem::State state);

// A message that a person approves before it is sent, bound to the hash of what was shown.
struct Draft {
  enum class State { draft, approved, sent, dropped };
  std::string id, key;
  State state = State::draft;
  Timestamp made{}, approved_at{};
  Json body;
  std::string approved_by, approved_hash;
  Json approval() const { return body["approval"]; }
};
std::string_view name_of(Draft::State state);

class Outbox {
 public:
  // `path`: of the journal. A damaged file is set aside, which the journal says.
  static Result<std::unique_ptr<Outbox>> open(World& world, Journal& journal,
                                              const std::string& path);
  virtual ~Outbox() = default;

  // Of this file, for ever: another machine, or this one after its file was lost, has another.
  virtual Result<std::string> identity() = 0;

  // All or none; durable when it returns. Gives those that were new: a key that is known for the
  // person is passed over. `made` is filled when empty.
  virtual Result<std::vector<OutboxItem>> put(std::vector<OutboxItem> items) = 0;
  // A waiting row that is due and that no living process works on, for at most `lease`; after a
  // jump of the clock back every waiting row is due once. Nothing: none is due.
  virtual Result<std::optional<OutboxItem>> claim(Micros lease) = 0;
  // Writes state, next, expires, letter, progress and note of a claimed row, ends the lease, and
  // puts `more` with it. conflict: another process has taken the row since. "delivered" is written
  // all the same unless the row has ended already.
  virtual Status settle(const OutboxItem& item, std::vector<OutboxItem> more = {}) = 0;
  // When claim() is worth asking again; nothing when no row waits.
  virtual Result<std::optional<Timestamp>> next_due() = 0;
  virtual Result<std::vector<OutboxItem>> items(std::size_t newest_max) = 0;  // oldest first
  virtual Result<std::size_t> waiting() = 0;

  // The draft of that key: the stored one when there is one already.
  virtual Result<Draft> put_draft(Draft draft) = 0;
  virtual Result<std::vector<Draft>> drafts(std::size_t newest_max) = 0;  // oldest first
  virtual Result<Draft> draft(const std::string& id) = 0;                 // not_found
  // Another body; an approval given before is void. conflict: sent or dropped already.
  virtual Status rewrite_draft(const std::string& id, const Json& body) = 0;
  virtual Status drop_draft(const std::string& id) = 0;
  // `proof`: how it is known who approved, kept in the draft's `approval`; may be null. conflict:
  // not in state draft.
  virtual Status approve_draft(const std::string& id, const std::string& hash,
                               const std::string& by, const Json& proof = {}) = 0;
  // Marks it sent and puts the items, or neither. conflict: not approved with this hash.
  virtual Result<std::vector<OutboxItem>> send_draft(const std::string& id, const std::string& hash,
                                                     std::vector<OutboxItem> items) = 0;
};

}  // namespace lb::state
