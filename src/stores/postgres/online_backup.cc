#include "stores/postgres/online_backup.h"

#include "foundation/base/text.h"

namespace lb::pg {
namespace {

constexpr int version_of_new_names = 150000;  // pg_start_backup until 14

class SqlBackup final : public OnlineBackup {
 public:
  SqlBackup(std::unique_ptr<Connection> connection, Lsn start)
      : connection_(std::move(connection)), start_(start) {}

  Lsn start_lsn() const override { return start_; }

  Result<End> stop() override {
    const bool fresh = connection_->server_version() >= version_of_new_names;
    // Whether the log was archived is seen in the repository, not waited for here.
    const QueryResult ended = LB_TRY(connection_->query(
        fresh ? "SELECT lsn::text, labelfile, spcmapfile FROM pg_catalog.pg_backup_stop(false)"
              : "SELECT lsn::text, labelfile, spcmapfile "
                "FROM pg_catalog.pg_stop_backup(false, false)"));
    if (ended.rows.size() != 1) return Error(ErrorKind::internal, "the backup had no end");
    End end;
    end.stop = LB_TRY(parse_lsn(ended.rows[0][0].value_or("")));
    end.label = ended.rows[0][1].value_or("");
    end.tablespace_map = ended.rows[0][2].value_or("");
    end.timeline = LB_TRY(timeline_of_label(end.label));
    return end;
  }

 private:
  std::unique_ptr<Connection> connection_;
  Lsn start_;
};

}  // namespace

Result<std::unique_ptr<OnlineBackup>> OnlineBackup::start(const Secret& conninfo,
                                                          bool fast_checkpoint) {
  std::unique_ptr<Connection> connection = LB_TRY(Connection::open(conninfo));
  const bool fresh = connection->server_version() >= version_of_new_names;
  const char* fast = fast_checkpoint ? "true" : "false";
  LB_TRY(connection->query("SET statement_timeout = 0"));
  const QueryResult begun = LB_TRY(connection->query(
      fresh ? cat("SELECT pg_catalog.pg_backup_start('lifeboat', ", fast, ")::text")
            : cat("SELECT pg_catalog.pg_start_backup('lifeboat', ", fast, ", false)::text")));
  if (begun.rows.size() != 1) return Error(ErrorKind::internal, "the backup had no start");
  const Lsn start = LB_TRY(parse_lsn(begun.rows[0][0].value_or("")));
  return std::unique_ptr<OnlineBackup>(std::make_unique<SqlBackup>(std::move(connection), start));
}

Result<std::uint32_t> timeline_of_label(std::string_view label) {
  constexpr std::string_view mark = "START TIMELINE: ";
  const std::size_t at = label.find(mark);
  if (at == std::string_view::npos)
    return Error(ErrorKind::corrupt, "a backup label without a timeline");
  const std::string_view rest = label.substr(at + mark.size());
  const std::uint64_t value = LB_TRY(parse_uint(rest.substr(0, rest.find('\n'))));
  return static_cast<std::uint32_t>(value);
}

}  // namespace lb::pg
