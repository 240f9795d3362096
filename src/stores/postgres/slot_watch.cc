#include "stores/postgres/slot_watch.h"

#include "foundation/base/text.h"

namespace lb::pg {
namespace {

constexpr Micros look_every = Seconds(10);

std::string meaning_of(const std::string& state) {
  if (state == "extended") return "the server keeps more log for us than max_wal_size";
  if (state == "unreserved") {
    return "the server will remove log we have not received at its next checkpoint";
  }
  if (state == "lost") return "the server removed log we have not received: a hole";
  return "its log is safe again";
}

}  // namespace

SlotWatch::SlotWatch(Clock& clock, const Secret& conninfo, std::string slot, Trouble on_trouble)
    : clock_(clock),
      conninfo_(conninfo),
      slot_(std::move(slot)),
      on_trouble_(std::move(on_trouble)) {}

void SlotWatch::look_if_due() {
  if (looked_ >= Micros(0) && clock_.steady() - looked_ < look_every) return;
  look();
}

void SlotWatch::look() {
  looked_ = clock_.steady();
  const auto found = ask();
  if (!found.ok()) {
    connection_.reset();
    if (!told_blind_)
      on_trouble_(cat("slot ", slot_, " cannot be watched: ", found.error().text()));
    told_blind_ = true;
    return;
  }
  told_blind_ = false;
  if (found->rows.empty()) return;  // whoever streams meets its absence and says so
  synchronous_ = found->rows[0][1] == "t";
  const std::string state = found->rows[0][0].value_or("");
  const bool worse = !state.empty() && state != "reserved";
  const bool better = state == "reserved" && !state_.empty() && state_ != "reserved";
  if (state != state_ && (worse || better)) {
    on_trouble_(cat("slot ", slot_, " is ", state, ": ", meaning_of(state)));
  }
  state_ = state;
}

Result<QueryResult> SlotWatch::ask() {
  if (!connection_) connection_ = LB_TRY(Connection::open(conninfo_));
  return connection_->query(
      "SELECT s.wal_status, EXISTS (SELECT FROM pg_catalog.pg_stat_replication r "
      "WHERE r.pid = s.active_pid AND r.sync_state IN ('sync', 'quorum')) "
      "FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1",
      {slot_});
}

}  // namespace lb::pg
