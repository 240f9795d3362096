#include "recovery/swap/old_watch.h"

#include <functional>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"

namespace lb::swap {

namespace {

constexpr Micros answer_pause = std::chrono::milliseconds(200);
constexpr Micros request_limit = Seconds(10);
constexpr std::size_t sessions_shown = 5;

Status ask_again(World& world, Micros limit, const std::stop_token& stop,
                 const std::function<Status()>& ask) {
  auto end = world.clock.steady() + limit;
  for (;;) {
    auto asked = ask();
    if (asked.ok() || world.clock.steady() >= end) return asked;
    if (!world.clock.sleep(answer_pause, stop)) return Error(ErrorKind::cancelled, "stopped");
  }
}

struct Numbers {
  std::uint64_t next = 0, open = 0;
};
Result<Numbers> read_numbers(pg::Connection& connection) {
  // The snapshot counts what has ended; what has not holds the lock of its own number, which all
  // may see.
  auto asked = LB_TRY(connection.query(
      "SELECT pg_snapshot_xmax(pg_current_snapshot())::text, (SELECT count(DISTINCT"
      " virtualtransaction) FROM pg_locks WHERE locktype = 'transactionid' AND granted"
      " AND mode = 'ExclusiveLock')"));
  Numbers out;
  out.next = LB_TRY(parse_uint(asked.rows.at(0).at(0).value_or("")));
  out.open = LB_TRY(parse_uint(asked.rows.at(0).at(1).value_or("")));
  return out;
}

Status read_sessions(pg::Connection& connection, OldWrites& writes) {
  auto asked = LB_TRY(connection.query(
      "SELECT usename || '@' || coalesce(host(client_addr), 'local') || ' ' || datname"
      " || CASE application_name WHEN '' THEN '' ELSE ' (' || application_name || ')' END"
      " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
      " ORDER BY backend_start"));
  writes.sessions_count = asked.rows.size();
  for (const auto& row : asked.rows) {
    if (writes.sessions.size() == sessions_shown) break;
    writes.sessions.push_back(printable(row[0].value_or("somebody")));
  }
  return {};
}

std::string told(const OldWrites& writes) {
  auto out = cat("the old server is still written to: ", writes.transactions,
                 " transactions in the time, ", writes.open, " not ended; ", writes.sessions_count,
                 " sessions");
  return writes.sessions.empty() ? out : cat(out, ": ", join(writes.sessions, ", "));
}

}  // namespace

Status prove_database_answers(World& world, const Secret& conninfo, Micros limit,
                              std::stop_token stop) {
  return ask_again(
             world, limit, stop,
             [&]() -> Status {
               auto connection = LB_TRY(pg::Connection::open(conninfo));
               auto asked =
                   LB_TRY(connection->query("SELECT current_setting('transaction_read_only')"));
               if (asked.rows.at(0).at(0) == "off") return {};
               return Error(ErrorKind::unavailable, "the server answers, and takes no writes");
             })
      .context("the new place");
}

Status prove_url_answers(World& world, const std::string& url, Micros limit, std::stop_token stop) {
  return ask_again(world, limit, stop,
                   [&]() -> Status {
                     HttpRequest request;
                     request.url = url;
                     request.limit = request_limit;
                     auto answer = LB_TRY(world.http.send(request));
                     if (answer.status / 100 == 2) return {};
                     return Error(ErrorKind::unavailable,
                                  cat(printable(url), " answers ", answer.status));
                   })
      .context("the new place");
}

Result<OldWrites> watch_old_writes(World& world, const Secret& conninfo, Micros window,
                                   std::stop_token stop) {
  auto connection = LB_TRY(pg::Connection::open(conninfo));
  auto before = LB_TRY(read_numbers(*connection));
  if (!world.clock.sleep(window, stop)) return Error(ErrorKind::cancelled, "stopped");
  auto after = LB_TRY(read_numbers(*connection));
  OldWrites writes;
  writes.transactions = after.next - before.next;
  writes.open = after.open;
  LB_TRY(read_sessions(*connection, writes));
  return writes;
}

Result<OldWrites> prove_old_is_still(World& world, const Secret& conninfo, Micros window,
                                     Micros limit, std::stop_token stop) {
  auto end = world.clock.steady() + limit;
  for (;;) {
    auto writes = LB_TRY(watch_old_writes(world, conninfo, window, stop));
    if (writes.none()) return writes;
    if (world.clock.steady() >= end)
      return Error(ErrorKind::conflict, told(writes))
          .with_hint("point these to the new place, or end them, then try again");
  }
}

}  // namespace lb::swap
