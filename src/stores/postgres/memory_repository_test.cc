#include "stores/postgres/memory_repository.h"

#include <algorithm>

namespace lb::pg {

namespace {

using Snapshot = MemoryRepository::Snapshot;

Error not_here() { return Error(ErrorKind::unsupported, "not part of the memory repository"); }

class Stream final : public repo::ContentStream {
 public:
  Stream(std::shared_ptr<Snapshot> snapshot, std::mutex& mutex, std::string key)
      : snapshot_(std::move(snapshot)), mutex_(mutex), key_(std::move(key)) {}
  Status write(ByteView bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return {};
  }
  Status hole(std::uint64_t length) override {
    bytes_.resize(bytes_.size() + length);
    return {};
  }
  Status reuse(const repo::Row&, std::uint64_t, std::uint64_t) override { return not_here(); }
  Status write_apart(ByteView bytes) override { return write(bytes); }
  Status finish(Buffer attributes) override {
    std::lock_guard lock(mutex_);
    snapshot_->rows[key_] = {std::move(attributes), std::move(bytes_)};
    return {};
  }

 private:
  std::shared_ptr<Snapshot> snapshot_;
  std::mutex& mutex_;
  std::string key_;
  Buffer bytes_;
};

class Attached final : public repo::AttachmentStream {
 public:
  Attached(repo::SnapshotWriter& writer, std::string name)
      : writer_(writer), name_(std::move(name)) {}
  Status write(ByteView bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return {};
  }
  Status finish() override { return writer_.attach(name_, bytes_); }

 private:
  repo::SnapshotWriter& writer_;
  const std::string name_;
  Buffer bytes_;
};

// In pieces of a few bytes: who reads them must not rely on where they end.
class AttachedCursor final : public repo::AttachmentCursor {
 public:
  explicit AttachedCursor(Buffer bytes) : bytes_(std::move(bytes)) {}
  Result<ByteView> next() override {
    auto piece = ByteView(bytes_).subspan(at_, std::min<std::size_t>(7, bytes_.size() - at_));
    at_ += piece.size();
    return piece;
  }

 private:
  const Buffer bytes_;
  std::size_t at_ = 0;
};

class Writer final : public repo::SnapshotWriter {
 public:
  Writer(std::shared_ptr<Snapshot> snapshot, std::map<std::string, std::shared_ptr<Snapshot>>& all,
         std::mutex& mutex)
      : snapshot_(std::move(snapshot)), all_(all), mutex_(mutex) {}
  const std::string& id() const override { return snapshot_->info.id; }
  Status add(std::string key, Buffer attributes) override {
    std::lock_guard lock(mutex_);
    snapshot_->rows[key] = {std::move(attributes), {}};
    return {};
  }
  Result<std::unique_ptr<repo::ContentStream>> open(std::string key, repo::Cut) override {
    return std::unique_ptr<repo::ContentStream>(new Stream(snapshot_, mutex_, std::move(key)));
  }
  Status add_whole(std::span<repo::WholeRow>) override { return not_here(); }
  Status reuse(const repo::Row&, Buffer) override { return not_here(); }
  Status attach(const std::string& name, ByteView bytes) override {
    std::lock_guard lock(mutex_);
    snapshot_->attachments[name] = Buffer(bytes.begin(), bytes.end());
    return {};
  }
  Result<std::unique_ptr<repo::AttachmentStream>> open_attachment(
      const std::string& name) override {
    return std::unique_ptr<repo::AttachmentStream>(new Attached(*this, name));
  }
  repo::WriterStats stats() const override { return {}; }
  Result<repo::SnapshotInfo> commit(const repo::SnapshotMeta& meta) override {
    std::lock_guard lock(mutex_);
    auto& info = snapshot_->info;
    info.meta = meta;
    info.rows = snapshot_->rows.size();
    for (const auto& [key, content] : snapshot_->rows) info.logical_bytes += content.bytes.size();
    all_[info.id] = snapshot_;
    return info;
  }

 private:
  std::shared_ptr<Snapshot> snapshot_;
  std::map<std::string, std::shared_ptr<Snapshot>>& all_;
  std::mutex& mutex_;
};

class Cursor final : public repo::RowCursor {
 public:
  explicit Cursor(std::vector<repo::Row> rows) : rows_(std::move(rows)) {}
  Result<std::optional<repo::Row>> next() override {
    if (at_ == rows_.size()) return std::optional<repo::Row>();
    return std::optional(rows_[at_++]);
  }

 private:
  std::vector<repo::Row> rows_;
  std::size_t at_ = 0;
};

class Reader final : public repo::SnapshotReader {
 public:
  Reader(std::shared_ptr<Snapshot> snapshot, std::function<Status(const std::string&)> on_fetch)
      : snapshot_(std::move(snapshot)), on_fetch_(std::move(on_fetch)) {}
  const repo::SnapshotInfo& info() const override { return snapshot_->info; }
  Result<std::unique_ptr<repo::RowCursor>> rows(const std::string& prefix) override {
    std::vector<repo::Row> rows;
    for (const auto& [key, content] : snapshot_->rows) {
      if (key.starts_with(prefix))
        rows.push_back({key, content.attributes, content.bytes.size(), {}});
    }
    return std::unique_ptr<repo::RowCursor>(new Cursor(std::move(rows)));
  }
  Result<std::optional<repo::Row>> find(const std::string& key) override {
    auto found = snapshot_->rows.find(key);
    if (found == snapshot_->rows.end()) return std::optional<repo::Row>();
    return std::optional(repo::Row{key, found->second.attributes, found->second.bytes.size(), {}});
  }
  std::vector<repo::TableBlock> outline() const override {
    if (snapshot_->rows.empty()) return {};
    return {{snapshot_->rows.begin()->first, snapshot_->rows.size()}};
  }
  Result<std::vector<repo::Row>> block_rows(std::size_t) override {
    std::vector<repo::Row> rows;
    for (const auto& [key, content] : snapshot_->rows) {
      rows.push_back({key, content.attributes, content.bytes.size(), {}});
    }
    return rows;
  }
  Result<std::optional<Buffer>> attachment(const std::string& name) override {
    auto found = snapshot_->attachments.find(name);
    if (found == snapshot_->attachments.end()) return std::optional<Buffer>();
    return std::optional(found->second);
  }
  Result<std::unique_ptr<repo::AttachmentCursor>> open_attachment(
      const std::string& name) override {
    auto found = snapshot_->attachments.find(name);
    if (found == snapshot_->attachments.end()) return std::unique_ptr<repo::AttachmentCursor>();
    return std::unique_ptr<repo::AttachmentCursor>(new AttachedCursor(found->second));
  }
  Result<Buffer> read(const repo::Row& row, std::uint64_t offset, std::uint64_t size) override {
    const auto& bytes = snapshot_->rows.at(row.key).bytes;
    auto part = ByteView(bytes).subspan(offset, size);
    return Buffer(part.begin(), part.end());
  }
  Status fetch(std::span<const repo::Row> rows, repo::FetchSink& sink, unsigned,
               std::stop_token stop) override {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      if (on_fetch_) LB_TRY(on_fetch_(rows[i].key));
      LB_TRY(give(rows[i], i, sink));
      LB_TRY(sink.done(i));
    }
    return {};
  }
  Result<bool> same_content(
      const repo::Row&,
      const std::function<Result<std::size_t>(MutableBytes, std::uint64_t)>&) override {
    return not_here();
  }

 private:
  // Zero stretches are left out, as the real one leaves out holes.
  Status give(const repo::Row& row, std::size_t index, repo::FetchSink& sink) {
    constexpr std::size_t piece = 128 << 10;
    ByteView bytes(snapshot_->rows.at(row.key).bytes);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      auto part = bytes.subspan(at, std::min(piece, bytes.size() - at));
      if (std::all_of(part.begin(), part.end(), [](auto byte) { return byte == 0; })) continue;
      LB_TRY(sink.data(index, at, part));
    }
    return {};
  }
  std::shared_ptr<Snapshot> snapshot_;
  std::function<Status(const std::string&)> on_fetch_;
};

}  // namespace

SnapshotDetails MemoryRepository::snapshot_details(Lsn start, Lsn stop, std::uint32_t timeline) {
  SnapshotDetails details;
  details.system_identifier = std::to_string(SyntheticWal::system_identifier);
  details.server_version = 150018;
  details.timeline = timeline;
  details.start_lsn = start;
  details.stop_lsn = stop;
  details.segment_bytes = SyntheticWal::segment_bytes;
  details.log_id = log_id;
  return details;
}

void MemoryRepository::store(const SyntheticWal& wal, const std::set<std::uint64_t>& missing,
                             std::uint32_t timeline) {
  constexpr auto size = SyntheticWal::segment_bytes;
  auto scanner = WalScanner::create(wal.start(), 0, {});
  for (Lsn from = wal.start(); from < wal.end(); from += size) {
    auto part = ByteView(wal.bytes()).subspan(from - wal.start());
    part = part.first(std::min<std::size_t>(part.size(), size));
    scanner->feed(part).take();
    auto summary = encode(scanner->take_summary());
    if (missing.contains(from / size)) continue;
    parts_[{log_id, timeline, from / size}] = {Buffer(part.begin(), part.end()), summary,
                                               part.size() == size};
  }
}

void MemoryRepository::store_segment(const std::string& id, std::uint32_t timeline,
                                     std::uint64_t number, ByteView bytes,
                                     std::uint64_t segment_bytes) {
  auto scanner = WalScanner::create(number * segment_bytes, 0, {});
  scanner->feed(bytes).take();
  parts_[{id, timeline, number}] = {Buffer(bytes.begin(), bytes.end()), encode(scanner->summary()),
                                    bytes.size() == segment_bytes};
}

void MemoryRepository::cut(std::uint64_t segment, std::size_t bytes, std::uint32_t timeline) {
  auto& part = parts_.at({log_id, timeline, segment});
  part.bytes.resize(bytes);
  part.complete = false;
  auto scanner = WalScanner::create(segment * SyntheticWal::segment_bytes, 0, {});
  scanner->feed(part.bytes).take();
  part.summary = encode(scanner->summary());
}

void MemoryRepository::drop(std::uint64_t segment, std::uint32_t timeline) {
  std::erase_if(parts_, [&](const auto& entry) {
    return entry.first.segment == segment && entry.first.timeline == timeline;
  });
}

void MemoryRepository::drop_segment(const repo::LogName& name) { parts_.erase(name); }

void MemoryRepository::spoil_summary(std::uint64_t segment, std::uint32_t timeline) {
  parts_.at({log_id, timeline, segment}).summary.pop_back();
}

Result<std::vector<repo::SnapshotInfo>> MemoryRepository::snapshots() {
  std::lock_guard lock(mutex_);
  std::vector<repo::SnapshotInfo> out;
  for (const auto& [name, snapshot] : snapshots_) out.push_back(snapshot->info);
  return out;
}

Result<std::unique_ptr<repo::SnapshotReader>> MemoryRepository::snapshot(const std::string& id) {
  std::lock_guard lock(mutex_);
  auto found = snapshots_.find(id);
  if (found == snapshots_.end()) return Error(ErrorKind::not_found, "no snapshot " + id);
  return std::unique_ptr<repo::SnapshotReader>(new Reader(found->second, on_fetch));
}

Result<std::unique_ptr<repo::SnapshotWriter>> MemoryRepository::begin(const std::string&,
                                                                      repo::SnapshotReader*,
                                                                      std::stop_token) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->info.id = "snapshot-" + std::to_string(snapshots_.size());
  return std::unique_ptr<repo::SnapshotWriter>(new Writer(snapshot, snapshots_, mutex_));
}

Status MemoryRepository::put_log(const repo::LogName& name, ByteView bytes, ByteView summary,
                                 ByteView detail) {
  std::lock_guard lock(mutex_);
  auto found = parts_.find(name);
  if (found != parts_.end() && found->second.complete) {
    bool same = std::equal(bytes.begin(), bytes.end(), found->second.bytes.begin(),
                           found->second.bytes.end());
    if (!same) return Error(ErrorKind::conflict, "the log segment is there with other bytes");
    return {};
  }
  parts_[name] = {Buffer(bytes.begin(), bytes.end()), Buffer(summary.begin(), summary.end()), true,
                  Buffer(detail.begin(), detail.end())};
  return {};
}

Status MemoryRepository::put_log_tail(const repo::LogName& name, std::uint64_t offset,
                                      ByteView bytes, ByteView summary) {
  std::lock_guard lock(mutex_);
  auto& part = parts_[name];
  if (part.complete || part.bytes.size() != offset)
    return Error(ErrorKind::conflict, "tails do not meet");
  part.bytes.insert(part.bytes.end(), bytes.begin(), bytes.end());
  part.summary.assign(summary.begin(), summary.end());
  return {};
}

Result<std::vector<repo::LogInfo>> MemoryRepository::logs(const std::string& id) {
  std::lock_guard lock(mutex_);
  std::vector<repo::LogInfo> out;
  for (const auto& [name, part] : parts_) {
    if (name.store == id) out.push_back({name, part.complete, part.bytes.size()});
  }
  return out;
}

Result<std::vector<std::string>> MemoryRepository::log_ids() {
  std::lock_guard lock(mutex_);
  std::set<std::string> ids;
  for (const auto& [name, part] : parts_) ids.insert(name.store);
  return std::vector<std::string>(ids.begin(), ids.end());
}

Result<Buffer> MemoryRepository::get_log(const repo::LogName& name) {
  std::lock_guard lock(mutex_);
  ++log_reads_;
  auto found = parts_.find(name);
  if (found == parts_.end()) return Error(ErrorKind::not_found, "no such log segment");
  return found->second.bytes;
}

Result<Buffer> MemoryRepository::get_log_summary(const repo::LogName& name) {
  std::lock_guard lock(mutex_);
  auto found = parts_.find(name);
  if (found == parts_.end()) return Error(ErrorKind::not_found, "no such log segment");
  return found->second.summary;
}

Result<std::optional<Buffer>> MemoryRepository::get_log_detail(const repo::LogName& name) {
  std::lock_guard lock(mutex_);
  auto found = parts_.find(name);
  if (found == parts_.end() || found->second.detail.empty()) return std::optional<Buffer>();
  return std::optional(found->second.detail);
}

Status MemoryRepository::put_history(const std::string& id, std::uint32_t timeline,
                                     ByteView bytes) {
  std::lock_guard lock(mutex_);
  histories_[{id, timeline}] = Buffer(bytes.begin(), bytes.end());
  return {};
}

Result<std::optional<Buffer>> MemoryRepository::get_history(const std::string& id,
                                                            std::uint32_t timeline) {
  std::lock_guard lock(mutex_);
  auto found = histories_.find({id, timeline});
  if (found == histories_.end()) return std::optional<Buffer>();
  return std::optional(found->second);
}

Status MemoryRepository::put_record(const std::string&, const std::string&, ByteView) {
  return not_here();
}
Result<std::vector<std::string>> MemoryRepository::records(const std::string&) {
  return not_here();
}
Result<Buffer> MemoryRepository::get_record(const std::string&, const std::string&) {
  return not_here();
}
Result<repo::VerifyReport> MemoryRepository::verify(
    const repo::VerifyOptions&, std::stop_token,
    const std::function<void(std::uint64_t, std::uint64_t)>&) {
  return not_here();
}

}  // namespace lb::pg
