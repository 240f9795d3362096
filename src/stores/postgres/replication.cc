#include "stores/postgres/replication.h"

#include <libpq-fe.h>

#include "foundation/base/text.h"
#include "stores/postgres/connect.h"
#include "stores/postgres/pq_error.h"
#include "stores/postgres/socket_wait.h"

namespace lb::pg {
namespace {

// The protocol's clock starts in 2000.
constexpr std::int64_t micros_to_2000 = 946684800000000;

constexpr int version_of_slot_command = 150000;  // READ_REPLICATION_SLOT

// How long a quiet command may take: a base backup waits here for the server's checkpoint.
constexpr Micros slice = Seconds(3600);

Error malformed(std::string_view what) {
  return Error(ErrorKind::corrupt, cat("the server's answer to ", what, " is not understood"))
      .with_exit(ExitCode::store_unreachable);
}

Error stopped() { return Error(ErrorKind::cancelled, "stopped").with_exit(ExitCode::interrupted); }

void put_be64(Buffer& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

class PqReplicationLink final : public ReplicationLink {
 public:
  PqReplicationLink(std::unique_ptr<Connection> connection, std::unique_ptr<Connection> catalog)
      : connection_(std::move(connection)),
        catalog_(std::move(catalog)),
        raw_(static_cast<PGconn*>(connection_->native())) {}
  ~PqReplicationLink() override { forget_copy(); }

  int server_version() const override { return connection_->server_version(); }
  Result<QueryResult> command(const std::string& text) override { return connection_->query(text); }
  Result<SystemIdentity> identify() override;
  Result<SlotInfo> slot(const std::string& name) override;
  Status create_slot(const std::string& name, bool temporary) override;
  Result<Buffer> history(std::uint32_t timeline) override;
  Status send(const std::string& text) override;
  Result<std::optional<QueryResult>> next_result(std::stop_token stop) override;
  Result<CopyEvent> next_copy(ByteView& bytes, Micros limit, std::stop_token stop) override;
  Status start_log(const std::string& slot, std::uint32_t timeline, Lsn from) override;
  Status send_status(Lsn written, Lsn flushed, Timestamp now) override;
  Result<std::optional<NextTimeline>> end_log(std::stop_token stop) override;
  void finish_log() override;

 private:
  Status wait_result(const std::stop_token& stop);
  Status flush();
  void forget_copy() {
    if (copy_ != nullptr) PQfreemem(copy_);
    copy_ = nullptr;
  }

  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Connection>
      catalog_;  // of servers whose replication grammar cannot tell of slots
  PGconn* raw_;
  char* copy_ = nullptr;
};

Result<SystemIdentity> PqReplicationLink::identify() {
  const QueryResult result = LB_TRY(command("IDENTIFY_SYSTEM"));
  if (result.rows.size() != 1 || result.rows[0].size() < 3) return malformed("IDENTIFY_SYSTEM");
  const auto& row = result.rows[0];
  SystemIdentity identity;
  identity.system_identifier = row[0].value_or("");
  const std::uint64_t timeline = LB_TRY(parse_uint(row[1].value_or("")));
  identity.timeline = static_cast<std::uint32_t>(timeline);
  identity.position = LB_TRY(parse_lsn(row[2].value_or("")));
  if (identity.system_identifier.empty() || timeline == 0) return malformed("IDENTIFY_SYSTEM");
  return identity;
}

Result<SlotInfo> PqReplicationLink::slot(const std::string& name) {
  if (catalog_) {
    const QueryResult found =
        LB_TRY(catalog_->query("SELECT restart_lsn::text FROM pg_catalog.pg_replication_slots"
                               " WHERE slot_name = $1 AND slot_type = 'physical'",
                               {name}));
    SlotInfo info;
    info.exists = !found.rows.empty();
    if (info.exists && found.rows[0][0]) info.restart = LB_TRY(parse_lsn(*found.rows[0][0]));
    return info;
  }
  const QueryResult result = LB_TRY(command(cat("READ_REPLICATION_SLOT ", quote_name(name))));
  if (result.rows.size() != 1 || result.rows[0].size() < 2) {
    return malformed("READ_REPLICATION_SLOT");
  }
  SlotInfo info;
  info.exists = result.rows[0][0].has_value();
  if (info.exists && result.rows[0][1]) info.restart = LB_TRY(parse_lsn(*result.rows[0][1]));
  return info;
}

Status PqReplicationLink::create_slot(const std::string& name, bool temporary) {
  const auto made = command(cat("CREATE_REPLICATION_SLOT ", quote_name(name),
                                temporary ? " TEMPORARY" : "", " PHYSICAL RESERVE_WAL"));
  return made.status();
}

Result<Buffer> PqReplicationLink::history(std::uint32_t timeline) {
  const QueryResult result = LB_TRY(command(cat("TIMELINE_HISTORY ", timeline)));
  if (result.rows.size() != 1 || result.rows[0].size() < 2 || !result.rows[0][1]) {
    return malformed("TIMELINE_HISTORY");
  }
  const ByteView bytes = view_of(*result.rows[0][1]);
  return Buffer(bytes.begin(), bytes.end());
}

Status PqReplicationLink::send(const std::string& text) {
  forget_copy();
  if (PQsendQuery(raw_, text.c_str()) == 1) return {};
  return query_error(raw_, nullptr, "replication command");
}

Status PqReplicationLink::wait_result(const std::stop_token& stop) {
  while (PQisBusy(raw_) != 0) {
    const WaitOutcome outcome = wait_for_socket(raw_, SocketEvent::readable, slice, stop);
    if (outcome == WaitOutcome::stopped) return stopped();
    if (PQconsumeInput(raw_) == 0) return query_error(raw_, nullptr, "replication connection");
  }
  return {};
}

Result<std::optional<QueryResult>> PqReplicationLink::next_result(std::stop_token stop) {
  LB_TRY(wait_result(stop));
  const PgResult result(PQgetResult(raw_));
  if (!result) return std::optional<QueryResult>();
  QueryResult table;
  switch (PQresultStatus(result.get())) {
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      return std::optional<QueryResult>();
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      break;
    default:
      return query_error(raw_, result.get(), "replication command");
  }
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    auto& cells = table.rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      const bool null = PQgetisnull(result.get(), row, column) != 0;
      cells.push_back(null ? std::nullopt
                           : std::optional<std::string>(PQgetvalue(result.get(), row, column)));
    }
  }
  table.command = PQcmdStatus(result.get());
  return std::optional<QueryResult>(std::move(table));
}

Result<CopyEvent> PqReplicationLink::next_copy(ByteView& bytes, Micros limit,
                                               std::stop_token stop) {
  forget_copy();
  bool waited = false;
  for (;;) {
    const int size = PQgetCopyData(raw_, &copy_, 1);
    if (size > 0) {
      bytes =
          ByteView(reinterpret_cast<const std::uint8_t*>(copy_), static_cast<std::size_t>(size));
      return CopyEvent::data;
    }
    if (size == -1) return CopyEvent::ended;
    if (size == -2) return query_error(raw_, nullptr, "replication stream");
    if (waited) return CopyEvent::idle;
    const WaitOutcome outcome = wait_for_socket(raw_, SocketEvent::readable, limit, stop);
    if (outcome == WaitOutcome::failed) return query_error(raw_, nullptr, "replication stream");
    waited = outcome != WaitOutcome::ready;
    if (PQconsumeInput(raw_) == 0) return query_error(raw_, nullptr, "replication stream");
  }
}

Status PqReplicationLink::start_log(const std::string& slot, std::uint32_t timeline, Lsn from) {
  const std::string by = slot.empty() ? "" : cat(" SLOT ", quote_name(slot));
  LB_TRY(
      send(cat("START_REPLICATION", by, " PHYSICAL ", format_lsn(from), " TIMELINE ", timeline)));
  LB_TRY(wait_result({}));
  const PgResult result(PQgetResult(raw_));
  if (PQresultStatus(result.get()) == PGRES_COPY_BOTH) return {};
  if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) {
    // A timeline that ended exactly here has nothing to send.
    return Error(ErrorKind::not_found, cat("timeline ", timeline, " ends at ", format_lsn(from)));
  }
  return query_error(raw_, result.get(), "START_REPLICATION");
}

Status PqReplicationLink::flush() {
  for (;;) {
    const int left = PQflush(raw_);
    if (left == 0) return {};
    if (left < 0) return query_error(raw_, nullptr, "replication stream");
    wait_for_socket(raw_, SocketEvent::writable, Seconds(1));
  }
}

Status PqReplicationLink::send_status(Lsn written, Lsn flushed, Timestamp now) {
  Buffer message = {'r'};
  put_be64(message, written);
  put_be64(message, flushed);
  put_be64(message, 0);  // applied: we replay nothing
  put_be64(message, static_cast<std::uint64_t>(to_micros(now) - micros_to_2000));
  message.push_back(0);
  const auto* bytes = reinterpret_cast<const char*>(message.data());
  if (PQputCopyData(raw_, bytes, static_cast<int>(message.size())) != 1) {
    return query_error(raw_, nullptr, "replication stream");
  }
  return flush();
}

Result<std::optional<NextTimeline>> PqReplicationLink::end_log(std::stop_token stop) {
  // Refused when the server ended the copy by an error, which is then the next result.
  if (PQputCopyEnd(raw_, nullptr) == 1) LB_TRY(flush());
  std::optional<NextTimeline> next;
  for (;;) {
    LB_TRY(wait_result(stop));
    const PgResult result(PQgetResult(raw_));
    if (!result) return next;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COPY_BOTH || status == PGRES_COPY_IN || status == PGRES_COMMAND_OK)
      continue;
    if (status != PGRES_TUPLES_OK) return query_error(raw_, result.get(), "replication stream");
    if (PQntuples(result.get()) != 1 || PQnfields(result.get()) != 2) continue;
    NextTimeline found;
    const std::uint64_t timeline = LB_TRY(parse_uint(PQgetvalue(result.get(), 0, 0)));
    found.timeline = static_cast<std::uint32_t>(timeline);
    found.begins = LB_TRY(parse_lsn(PQgetvalue(result.get(), 0, 1)));
    next = found;
  }
}

// What the server still sends is read and dropped for a moment, so that our last report arrives.
void PqReplicationLink::finish_log() {
  if (PQputCopyEnd(raw_, nullptr) != 1 || PQflush(raw_) < 0) return;
  ByteView dropped;
  for (int n = 0; n < 1000; ++n) {
    const auto event = next_copy(dropped, Seconds(1), {});
    if (!event.ok() || *event != CopyEvent::data) return;
  }
}

}  // namespace

Result<std::unique_ptr<ReplicationLink>> ReplicationLink::open(
    const Secret& conninfo, const std::string& application_name) {
  ConnectOptions options;
  options.replication = true;
  options.application_name = application_name;
  std::unique_ptr<Connection> connection = LB_TRY(Connection::open(conninfo, options));
  std::unique_ptr<Connection> catalog;
  if (connection->server_version() < version_of_slot_command) {
    options.replication = false;
    catalog = LB_TRY(Connection::open(conninfo, options));
  }
  return std::unique_ptr<ReplicationLink>(
      std::make_unique<PqReplicationLink>(std::move(connection), std::move(catalog)));
}

}  // namespace lb::pg
