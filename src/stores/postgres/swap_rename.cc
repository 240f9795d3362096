#include "stores/postgres/swap_rename.h"

#include <thread>

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

constexpr Micros usher_pause = std::chrono::milliseconds(20);
constexpr int attempts_max = 3;

// Ends the sessions of databases, again and again, as long as it lives.
class Usher {
 public:
  Usher(const SwapServer& server, const std::vector<SwapRename>& renames)
      : connection_(server.second), clock_(server.clock) {
    std::vector<std::string> names;
    for (const auto& rename : renames) names.push_back(quote_literal(rename.from));
    sql_ =
        cat("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datid IN"
            " (SELECT oid FROM pg_database WHERE datname IN (",
            join(names, ", "), "))");
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  }

  // Waits for its end. What kept it from ending sessions, if anything did.
  Status finish() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return std::move(outcome_);
  }

 private:
  // The names are those before the renames: nobody sees others until they are committed.
  void work(const std::stop_token& stop) {
    do {
      auto ended = connection_.query(sql_);
      if (!ended.ok()) {
        outcome_ = std::move(ended).take_error();
        return;
      }
    } while (clock_.sleep(usher_pause, stop));
  }

  Connection& connection_;
  Clock& clock_;
  std::string sql_;
  Status outcome_;
  std::jthread thread_;
};

Status rename_all(Connection& connection, const std::vector<SwapRename>& renames) {
  for (const auto& rename : renames) {
    LB_TRY(connection.query(
        cat("ALTER DATABASE ", quote_name(rename.from), " RENAME TO ", quote_name(rename.to))));
  }
  return {};
}

Status transact(const SwapServer& server, const std::vector<SwapRename>& renames,
                const std::function<Status()>& dress) {
  auto& connection = server.connection;
  LB_TRY(connection.query("BEGIN"));
  // Sessions that begin queue up behind a lock that is waited for. A standby that does not answer
  // must not hold up what the primary has done.
  LB_TRY(connection.query("SET LOCAL lock_timeout = '5s'; SET LOCAL synchronous_commit = local"));
  Usher usher(server, renames);
  auto renamed = rename_all(connection, renames);
  auto ushered = usher.finish();
  if (!renamed.ok()) return ushered.ok() ? std::move(renamed) : std::move(ushered);
  LB_TRY(dress());
  return connection.query("COMMIT").status();
}

bool in_use(const Error& error) {
  return error.native() == "SQLSTATE 55006" || error.native() == "SQLSTATE 55P03";
}

}  // namespace

Status rename_databases(const SwapServer& server, const std::vector<SwapRename>& renames,
                        const std::function<Status()>& dress, const std::stop_token& stop) {
  for (int attempt = 1;; ++attempt) {
    auto done = transact(server, renames, dress);
    if (done.ok()) return done;
    // Without a connection the server does it by itself.
    (void)server.connection.query("ROLLBACK").ok();
    auto error = std::move(done).take_error();
    bool again = in_use(error) && attempt < attempts_max && !stop.stop_requested();
    if (again) continue;
    if (!in_use(error)) return error;
    return std::move(error)
        .context(cat("sessions of ", printable(renames.front().from), " did not end"))
        .with_hint("see pg_stat_activity for what they do, then try again");
  }
}

}  // namespace lb::pg
