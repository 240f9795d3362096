// RecoveryServer: the private server on a laid-out folder, from its configuration to its shutdown.
#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/recovery_config.h"
#include "stores/postgres/recovery_feeder.h"
#include "stores/postgres/recovery_log.h"
#include "stores/postgres/restore.h"
#include "stores/postgres/server_lack.h"
#include "stores/postgres/superuser.h"

namespace lb::pg {

namespace {

constexpr Micros poll_pause{10000};
constexpr std::size_t socket_path_max = 107;  // sun_path
constexpr std::string_view socket_name = "/.s.PGSQL.5432";
constexpr std::size_t pid_file_max = 4096;
constexpr std::size_t status_line = 7;  // of postmaster.pid

Error not_reached(std::string message) {
  return Error(ErrorKind::not_found, std::move(message)).with_exit(ExitCode::point_unreachable);
}

class Server final : public RecoveryServer {
 public:
  Server(World& world, repo::Repository& repository, const SnapshotDetails& details,
         RecoveryTarget target, const RecoveryOptions& options, Starter starter)
      : world_(world),
        details_(details),
        target_(std::move(target)),
        options_(options),
        starter_(std::move(starter)),
        feeder_(world, repository,
                {options.spool_folder, details.log_id, details.segment_bytes, target_}) {}

  ~Server() override {
    child_.reset();  // killed: whoever wants a clean end calls shut_down
    feeder_.stop();
  }

  Status recover(std::stop_token stop) {
    if (options_.socket_folder.size() + socket_name.size() > socket_path_max) {
      return Error(ErrorKind::invalid,
                   cat("the path of the socket folder is too long: ", options_.socket_folder))
          .with_hint("name a sandbox folder with a shorter path");
    }
    auto started = world_.clock.steady();
    auto superuser = LB_TRY(bootstrap_superuser(world_.files, options_.folder));
    superuser_ = superuser;
    LB_TRY(feeder_.start());
    LB_TRY(
        configure(world_, options_, target_, details_.server_version, feeder_.restore_command()));
    auto child = LB_TRY(
        starter_(command({path_join(options_.binaries, "postgres"), "-D", options_.folder})));
    child_ = std::move(child);
    LB_TRY(wait_until_promoted(stop));
    feeder_.stop();
    LB_TRY(learn());
    reached_.replay_took = world_.clock.steady() - started;
    reached_.log_bytes = feeder_.bytes_fed();
    return {};
  }

  const RecoveryReached& reached() const override { return reached_; }
  std::string conninfo() const override { return conninfo_to(database_); }

  Result<std::map<RelationId, std::int64_t>> row_deltas(const std::string& snapshot) override {
    return feeder_.row_deltas(snapshot, reached_.lsn);
  }

  Status shut_down() override {
    if (!child_) return {};
    // pg_ctl runs where the server runs: in a sandbox its process id means nothing outside.
    auto pg_ctl =
        LB_TRY(starter_(command({path_join(options_.binaries, "pg_ctl"), "-D", options_.folder,
                                 "-m", "fast", "-w", "-t", "86400", "stop"})));
    LB_TRY(pg_ctl->wait({}));
    auto ended = LB_TRY(child_->wait({}));
    child_.reset();
    if (!ended.ok()) return failed("the restored server did not shut down cleanly");
    return options_.throwaway ? Status() : bring_back_configuration(world_.files, options_.folder);
  }

 private:
  std::string conninfo_to(const std::string& database) const {
    return cat("host=", quote_conninfo(options_.socket_folder),
               " port=5432 user=", quote_conninfo(superuser_),
               " dbname=", quote_conninfo(database));
  }

  Command command(std::vector<std::string> argv) const {
    Command out;
    out.argv = std::move(argv);
    out.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                       {"PGDATA", options_.folder},
                       {"HOME", options_.folder},
                       {"LC_ALL", "C"}};
    out.directory = options_.folder;
    out.log_path = options_.log_path;
    return out;
  }

  // With standby queries off the server says "ready" only when it is promoted.
  Result<bool> is_ready() {
    auto path = path_join(options_.folder, "postmaster.pid");
    auto there = LB_TRY(path_exists(world_.files, path));
    if (!there) return false;
    auto bytes = read_file(world_.files, path, pid_file_max);
    if (!bytes.ok()) return false;  // it went away in between
    auto lines = split(text_of(*bytes), '\n');
    return lines.size() > status_line && trim(lines[status_line]) == "ready";
  }

  Status wait_until_promoted(std::stop_token stop) {
    for (;;) {
      if (auto failure = feeder_.failure()) return *failure;
      auto ended = LB_TRY(child_->poll());
      if (ended) {
        if (auto failure = feeder_.failure()) return *failure;
        return explain_end(*ended);
      }
      auto ready = LB_TRY(is_ready());
      if (ready) return {};
      if (!world_.clock.sleep(poll_pause, stop))
        return Error(ErrorKind::cancelled, "stopped during replay");
    }
  }

  Status failed(std::string message) const {
    auto tail = log_tail(world_.files, options_.log_path);
    if (!tail.empty()) message += cat("; its last words: ", tail);
    return Error(ErrorKind::corrupt, std::move(message))
        .with_exit(ExitCode::failed)
        .with_hint(cat("the whole log is in ", options_.log_path));
  }

  Status explain_end(const Finished& ended) const {
    auto log = log_tail(world_.files, options_.log_path);
    if (auto lack = lack_told_by(log))
      return std::move(*lack).context("the restored server ended during recovery");
    auto says = [&](std::string_view words) { return log.find(words) != std::string::npos; };
    if (says("recovery ended before configured recovery target was reached") ||
        says("requested recovery stop point is before consistent recovery point")) {
      return not_reached(cat("the server could not reach the point with the log there is: ", log));
    }
    auto how =
        ended.signal != 0 ? cat("signal ", ended.signal) : cat("exit code ", ended.exit_code);
    return failed(cat("the restored server ended during recovery (", how, ")"));
  }

  Result<std::unique_ptr<Connection>> connect() {
    ConnectOptions wishes;
    wishes.application_name = "lifeboat restore";
    wishes.require_run_marker = options_.run_marker;
    auto first = Connection::open(Secret(conninfo_to("postgres")), wishes);
    if (first.ok()) {
      database_ = "postgres";
      return first;
    }
    // The database may have been dropped; template1 cannot.
    auto second = Connection::open(Secret(conninfo_to("template1")), wishes);
    if (!second.ok()) {
      auto lack = lack_told_by(first.error().text());
      return lack ? Result<std::unique_ptr<Connection>>(std::move(*lack)) : std::move(first);
    }
    database_ = "template1";
    return second;
  }

  // What the server says it reached must be what the scanned log says is there.
  Status learn() {
    auto connection = LB_TRY(connect().context("the restored server"));
    auto result = LB_TRY(connection->query(
        "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()::text,"
        " extract(epoch FROM date_trunc('minute', t))::bigint * 1000000"
        " + extract(microseconds FROM t)::bigint FROM pg_last_xact_replay_timestamp() AS t"));
    if (result.rows.size() != 1 || result.rows[0].size() != 3 || !result.rows[0][1]) {
      return Error(ErrorKind::internal, "the restored server does not say what it replayed");
    }
    const auto& row = result.rows[0];
    if (row[0] != "f")
      return Error(ErrorKind::internal, "the restored server is still in recovery");
    reached_.lsn = LB_TRY(parse_lsn(*row[1]));
    std::optional<Timestamp> said;
    if (row[2]) {
      auto micros = LB_TRY(parse_int(*row[2]));
      said = from_micros(micros);
    }
    reached_.timeline = timeline_at(reached_.lsn);
    return compare(said);
  }

  std::uint32_t timeline_at(Lsn lsn) const {
    auto timeline = target_.needed.front().name.timeline;
    for (const auto& info : target_.needed) {
      if (info.name.segment * details_.segment_bytes < lsn) timeline = info.name.timeline;
    }
    return timeline;
  }

  Status compare(std::optional<Timestamp> said) {
    auto text = cat("LSN ", format_lsn(reached_.lsn));
    auto least =
        target_.at_consistency ? details_.stop_lsn : target_.stop_lsn.value_or(target_.log_end);
    bool stops_before = target_.stop_lsn && !target_.inclusive;
    // A position right behind a page header and the page's beginning are the same place.
    constexpr Lsn header = 40;
    if (reached_.lsn + header < least) {
      return not_reached(cat("replay ended at ", text, ", before LSN ", format_lsn(least)));
    }
    if (stops_before && reached_.lsn > least) {
      return Error(ErrorKind::internal,
                   cat("replay went on to ", text, ", past LSN ", format_lsn(least)));
    }
    // Stopping after a record, the server does not count that record's own time.
    bool stops_after = target_.stop_lsn && target_.inclusive;
    auto end = feeder_.newest_end(stops_after ? *target_.stop_lsn : reached_.lsn);
    bool same = end.has_value() == said.has_value() && (!end || end->time == *said);
    if (!same) {
      return Error(ErrorKind::corrupt,
                   cat("the server says its last transaction ended at ",
                       said ? format_time(*said) : "no time", ", the log up to ", text, " says ",
                       end ? format_time(end->time) : "none"));
    }
    auto commit = feeder_.newest_commit(reached_.lsn);
    if (commit) reached_.last_commit = commit->time;
    return {};
  }

  World& world_;
  SnapshotDetails details_;
  RecoveryTarget target_;
  RecoveryOptions options_;
  Starter starter_;
  RecoveryFeeder feeder_;
  std::unique_ptr<Child> child_;
  std::string superuser_, database_ = "postgres";
  RecoveryReached reached_;
};

}  // namespace

Result<std::unique_ptr<RecoveryServer>> RecoveryServer::start(
    World& world, repo::Repository& repository, const SnapshotDetails& details,
    const RecoveryTarget& target, const RecoveryOptions& options, Starter starter,
    std::stop_token stop) {
  auto server =
      std::make_unique<Server>(world, repository, details, target, options, std::move(starter));
  LB_TRY(server->recover(stop));
  return std::unique_ptr<RecoveryServer>(std::move(server));
}

}  // namespace lb::pg
