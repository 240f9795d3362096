#include "stores/postgres/base_backup.h"

#include <memory>

#include "foundation/base/text.h"

namespace lb::pg {
namespace {

Error malformed(std::string_view what) {
  return Error(ErrorKind::corrupt, cat("base backup: ", what))
      .with_exit(ExitCode::store_unreachable);
}

// Gives names below the data directory to the entries of one archive.
class PlacedSink final : public TarSink {
 public:
  PlacedSink(BaseBackupSink& sink, std::string prefix) : sink_(sink), prefix_(std::move(prefix)) {}
  Status begin(const TarEntry& entry) override {
    TarEntry placed = entry;
    placed.name = prefix_ + entry.name;
    return sink_.begin(placed);
  }
  Status data(ByteView bytes) override { return sink_.data(bytes); }
  Status end() override { return sink_.end(); }

 private:
  BaseBackupSink& sink_;
  std::string prefix_;
};

class BaseBackupRun {
 public:
  BaseBackupRun(ReplicationLink& link, BaseBackupSink& sink, std::stop_token stop)
      : link_(link), sink_(sink), stop_(std::move(stop)) {}

  Result<BaseBackupEnd> run(bool fast_checkpoint) {
    LB_TRY(link_.send(command(fast_checkpoint)));
    LB_TRY(read_start());
    LB_TRY(named_archives() ? read_copy() : read_copies());
    // First what the server says: a failure there is the reason for a cut archive.
    LB_TRY(read_end());
    LB_TRY(close_archive());
    return std::move(end_);
  }

 private:
  bool named_archives() const { return link_.server_version() >= 150000; }

  std::string command(bool fast_checkpoint) const {
    if (named_archives()) {
      return cat("BASE_BACKUP (LABEL 'lifeboat', PROGRESS true, CHECKPOINT '",
                 fast_checkpoint ? "fast" : "spread",
                 "', WAIT false, MANIFEST 'yes', TABLESPACE_MAP true, VERIFY_CHECKSUMS false)");
    }
    return cat("BASE_BACKUP LABEL 'lifeboat' PROGRESS", fast_checkpoint ? " FAST" : "",
               " NOWAIT TABLESPACE_MAP NOVERIFY_CHECKSUMS MANIFEST 'yes'");
  }

  Result<QueryResult> rows(std::string_view what) {
    std::optional<QueryResult> result = LB_TRY(link_.next_result(stop_));
    if (!result) return malformed(cat("no ", what));
    return std::move(*result);
  }

  Status read_start() {
    const QueryResult begun = LB_TRY(rows("start position"));
    if (begun.rows.size() != 1 || begun.rows[0].size() != 2) return malformed("start position");
    BaseBackupStart start;
    start.start = LB_TRY(parse_lsn(begun.rows[0][0].value_or("")));
    const std::uint64_t timeline = LB_TRY(parse_uint(begun.rows[0][1].value_or("")));
    start.timeline = static_cast<std::uint32_t>(timeline);
    const QueryResult spaces = LB_TRY(rows("list of tablespaces"));
    for (const auto& row : spaces.rows) LB_TRY(read_tablespace(row, start));
    const std::optional<QueryResult> more = LB_TRY(link_.next_result(stop_));
    if (more) return malformed("no archives follow");
    return sink_.started(start);
  }

  // oid, location, size in KiB; the data directory itself has neither oid nor location.
  Status read_tablespace(const std::vector<std::optional<std::string>>& row,
                         BaseBackupStart& start) {
    if (row.size() != 3) return malformed("list of tablespaces");
    const std::uint64_t kib = LB_TRY(parse_uint(row[2].value_or("0")));
    start.estimated_bytes += kib * 1024;
    prefixes_.push_back(row[0] ? cat("pg_tblspc/", *row[0], "/") : std::string());
    if (!row[0]) return {};
    Tablespace tablespace;
    const std::uint64_t oid = LB_TRY(parse_uint(*row[0]));
    tablespace.oid = static_cast<std::uint32_t>(oid);
    tablespace.location = row[1].value_or("");
    start.tablespaces.push_back(std::move(tablespace));
    return {};
  }

  // To the end of one COPY.
  template <typename Take>
  Status read_messages(Take take_message) {
    for (;;) {
      if (stop_.stop_requested()) {
        return Error(ErrorKind::cancelled, "base backup stopped").with_exit(ExitCode::interrupted);
      }
      ByteView message;
      const CopyEvent event = LB_TRY(link_.next_copy(message, Seconds(5), stop_));
      if (event == CopyEvent::ended) return {};
      if (event == CopyEvent::data) LB_TRY(take_message(message));
    }
  }

  Status read_copy() {
    return read_messages([this](ByteView message) { return take(message); });
  }

  // A COPY for each tablespace, in the order of their list, then one for the manifest. The first
  // has begun.
  Status read_copies() {
    for (const std::string& prefix : prefixes_) {
      LB_TRY(begin_archive(prefix));
      LB_TRY(read_messages([this](ByteView bytes) { return take_counted(bytes); }));
      LB_TRY(close_archive());
      const std::optional<QueryResult> more = LB_TRY(link_.next_result(stop_));
      if (more) return malformed("an archive is missing");
    }
    in_manifest_ = true;
    return read_messages([this](ByteView bytes) { return take_data(bytes); });
  }

  Status take_counted(ByteView bytes) {
    LB_TRY(take_data(bytes));
    end_.sent_bytes += bytes.size();
    sink_.progress(end_.sent_bytes);
    return {};
  }

  Status take(ByteView message) {
    const ByteView body = message.subspan(1);
    switch (message[0]) {
      case 'n':
        return open_archive(body);
      case 'm':
        LB_TRY(close_archive());
        in_manifest_ = true;
        return {};
      case 'd':
        return take_data(body);
      case 'p':
        return take_progress(body);
      default:
        return malformed(cat("unknown message ", int{message[0]}));
    }
  }

  Status open_archive(ByteView body) {
    const std::string_view text = text_of(body);
    const std::string name(text.substr(0, text.find('\0')));
    std::string prefix;
    if (name != "base.tar") {
      if (!name.ends_with(".tar")) return malformed(cat("unknown archive ", printable(name)));
      const auto oid = parse_uint(std::string_view(name).substr(0, name.size() - 4));
      if (!oid.ok()) return malformed(cat("unknown archive ", printable(name)));
      prefix = cat("pg_tblspc/", *oid, "/");
    }
    return begin_archive(prefix);
  }

  Status begin_archive(const std::string& prefix) {
    LB_TRY(close_archive());
    placed_ = std::make_unique<PlacedSink>(sink_, prefix);
    reader_ = std::make_unique<TarReader>(*placed_);
    in_manifest_ = false;
    return {};
  }

  Status take_data(ByteView body) {
    if (reader_) return reader_->feed(body);
    if (!in_manifest_) return malformed("data outside an archive");
    return sink_.manifest(body);
  }

  Status take_progress(ByteView body) {
    if (body.size() != 8) return malformed("progress");
    end_.sent_bytes = 0;
    for (const std::uint8_t byte : body) end_.sent_bytes = end_.sent_bytes << 8 | byte;
    sink_.progress(end_.sent_bytes);
    return {};
  }

  Status close_archive() {
    if (!reader_) return {};
    Status finished = reader_->finish();
    reader_.reset();
    placed_.reset();
    return finished;
  }

  Status read_end() {
    // The copy's own result comes first; the position after it.
    for (;;) {
      std::optional<QueryResult> result = LB_TRY(link_.next_result(stop_));
      if (!result) break;
      if (result->rows.empty()) continue;
      if (result->rows.size() != 1 || result->rows[0].size() != 2)
        return malformed("stop position");
      end_.stop = LB_TRY(parse_lsn(result->rows[0][0].value_or("")));
      const std::uint64_t timeline = LB_TRY(parse_uint(result->rows[0][1].value_or("")));
      end_.timeline = static_cast<std::uint32_t>(timeline);
    }
    if (end_.stop == 0) return malformed("no stop position");
    return {};
  }

  ReplicationLink& link_;
  BaseBackupSink& sink_;
  std::stop_token stop_;
  std::unique_ptr<PlacedSink> placed_;
  std::unique_ptr<TarReader> reader_;
  std::vector<std::string> prefixes_;  // of the archives, in the list's order
  bool in_manifest_ = false;
  BaseBackupEnd end_;
};

}  // namespace

Result<BaseBackupEnd> run_base_backup(ReplicationLink& link, bool fast_checkpoint,
                                      BaseBackupSink& sink, std::stop_token stop) {
  return BaseBackupRun(link, sink, std::move(stop)).run(fast_checkpoint).context("base backup");
}

}  // namespace lb::pg
