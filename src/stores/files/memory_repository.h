// MemoryRepository: a Repository of plain maps, for tests of this folder only. It keeps content in
// pieces as they were written, gives them back in a scrambled order from several threads, and can
// be told to fail.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "foundation/base/text.h"
#include "storage/repo/repository.h"

namespace lb::files {

struct MemorySnapshot {
  struct Entry {
    repo::Row row;
    std::vector<Buffer> pieces;  // one for each extent; empty for a hole
  };
  repo::SnapshotInfo info;
  std::map<std::string, Entry> entries;
  std::map<std::string, Buffer> attachments;
};
using SharedSnapshot = std::shared_ptr<MemorySnapshot>;

// Told by tests.
struct MemoryFaults {
  std::atomic<std::int64_t> fetches_left = INT64_MAX;  // pieces given before fetch fails
  std::function<void(const std::string& key)> before_finish;
  std::optional<Error> finish_error;
};

class MemoryStream final : public repo::ContentStream {
 public:
  using Finish = std::function<Status(MemorySnapshot::Entry)>;
  MemoryStream(std::string key, Finish finish) : finish_(std::move(finish)) {
    entry_.row.key = std::move(key);
  }
  Status write(ByteView bytes) override {
    for (; !bytes.empty(); bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), 50'000))) {
      auto part = bytes.first(std::min<std::size_t>(bytes.size(), 50'000));
      add(part.size(), false, Buffer(part.begin(), part.end()));
    }
    return {};
  }
  Status hole(std::uint64_t length) override {
    add(length, true, {});
    return {};
  }
  Status finish(Buffer attributes) override {
    entry_.row.attributes = std::move(attributes);
    return finish_(std::move(entry_));
  }

 private:
  void add(std::uint64_t length, bool hole, Buffer bytes) {
    repo::Extent extent;
    extent.length = length;
    extent.hole = hole;
    entry_.row.extents.push_back(extent);
    entry_.row.size += length;
    entry_.pieces.push_back(std::move(bytes));
  }
  MemorySnapshot::Entry entry_;
  Finish finish_;
};

class MemoryCursor final : public repo::RowCursor {
 public:
  MemoryCursor(SharedSnapshot snapshot, const std::string& prefix)
      : snapshot_(std::move(snapshot)),
        prefix_(prefix),
        at_(snapshot_->entries.lower_bound(prefix)) {}
  Result<std::optional<repo::Row>> next() override {
    if (at_ == snapshot_->entries.end() || !at_->first.starts_with(prefix_)) {
      return std::optional<repo::Row>();
    }
    return std::optional<repo::Row>((at_++)->second.row);
  }

 private:
  SharedSnapshot snapshot_;
  std::string prefix_;
  std::map<std::string, MemorySnapshot::Entry>::const_iterator at_;
};

class MemoryReader final : public repo::SnapshotReader {
 public:
  MemoryReader(SharedSnapshot snapshot, MemoryFaults& faults)
      : snapshot_(std::move(snapshot)), faults_(faults) {}
  const repo::SnapshotInfo& info() const override { return snapshot_->info; }
  Result<std::unique_ptr<repo::RowCursor>> rows(const std::string& prefix) override {
    return std::unique_ptr<repo::RowCursor>(std::make_unique<MemoryCursor>(snapshot_, prefix));
  }
  Result<std::optional<repo::Row>> find(const std::string& key) override {
    auto found = snapshot_->entries.find(key);
    if (found == snapshot_->entries.end()) return std::optional<repo::Row>();
    return std::optional<repo::Row>(found->second.row);
  }
  Result<std::optional<Buffer>> attachment(const std::string& name) override {
    auto found = snapshot_->attachments.find(name);
    if (found == snapshot_->attachments.end()) return std::optional<Buffer>();
    return std::optional<Buffer>(found->second);
  }
  Result<Buffer> read(const repo::Row&, std::uint64_t, std::uint64_t) override {
    return Error(ErrorKind::unsupported, "read");
  }
  Status fetch(std::span<const repo::Row> rows, repo::FetchSink& sink, unsigned workers,
               std::stop_token stop) override {
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    Status outcome;
    {
      std::vector<std::jthread> threads;
      for (unsigned n = 0; n < std::max(1u, workers); ++n) {
        threads.emplace_back([&] {
          for (std::size_t row = next++; row < rows.size(); row = next++) {
            auto status = give(rows[row], row, sink, stop);
            std::lock_guard lock(mutex);
            if (!status.ok() && outcome.ok()) outcome = status;
            if (!outcome.ok()) return;
          }
        });
      }
    }
    return outcome;
  }
  Result<bool> same_content(
      const repo::Row& row,
      const std::function<Result<std::size_t>(MutableBytes, std::uint64_t)>& read_at) override {
    std::uint64_t offset = 0;
    const auto& pieces = snapshot_->entries.at(row.key).pieces;
    for (std::size_t n = 0; n < pieces.size(); ++n) {
      Buffer expected = pieces[n], got(row.extents[n].length);
      expected.resize(row.extents[n].length);
      auto size = LB_TRY(read_at(got, offset));
      if (size != got.size() || got != expected) return false;
      offset += size;
    }
    Buffer more(1);
    auto beyond = LB_TRY(read_at(more, offset));
    return beyond == 0;
  }

 private:
  Status give(const repo::Row& row, std::size_t index, repo::FetchSink& sink,
              std::stop_token stop) {
    std::uint64_t offset = row.size;
    const auto& pieces = snapshot_->entries.at(row.key).pieces;
    for (std::size_t n = row.extents.size(); n-- > 0;) {  // last first
      offset -= row.extents[n].length;
      if (row.extents[n].hole) continue;
      if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      if (faults_.fetches_left-- <= 0) return Error(ErrorKind::unavailable, "fetch failed");
      LB_TRY(sink.data(index, offset, pieces[n]));
    }
    return sink.done(index);
  }
  SharedSnapshot snapshot_;
  MemoryFaults& faults_;
};

class MemoryRepository final : public repo::Repository {
 public:
  MemoryFaults faults;

  const std::string& id() const override { return id_; }
  std::string describe() const override { return "memory"; }
  Result<std::vector<repo::SnapshotInfo>> snapshots() override {
    std::vector<repo::SnapshotInfo> out;
    for (const auto& [id, snapshot] : snapshots_) out.push_back(snapshot->info);
    return out;
  }
  Result<std::unique_ptr<repo::SnapshotReader>> snapshot(const std::string& id) override {
    return std::unique_ptr<repo::SnapshotReader>(
        std::make_unique<MemoryReader>(snapshots_.at(id), faults));
  }
  Result<std::unique_ptr<repo::SnapshotWriter>> begin(const std::string&, repo::SnapshotReader*,
                                                      std::stop_token) override;
  Status put_log(const repo::LogName&, ByteView, ByteView) override { return no(); }
  Status put_log_tail(const repo::LogName&, std::uint64_t, ByteView, ByteView) override {
    return no();
  }
  Result<std::vector<repo::LogInfo>> logs(const std::string&) override { return no(); }
  Result<std::vector<std::string>> log_ids() override { return no(); }
  Result<Buffer> get_log(const repo::LogName&) override { return no(); }
  Result<Buffer> get_log_summary(const repo::LogName&) override { return no(); }
  Status put_history(const std::string&, std::uint32_t, ByteView) override { return no(); }
  Result<std::optional<Buffer>> get_history(const std::string&, std::uint32_t) override {
    return no();
  }
  Status put_record(const std::string&, const std::string&, ByteView) override { return no(); }
  Result<std::vector<std::string>> records(const std::string&) override { return no(); }
  Result<Buffer> get_record(const std::string&, const std::string&) override { return no(); }
  std::string fresh_id() override { return cat("s", snapshots_.size() + 100); }
  Result<repo::VerifyReport> verify(
      const repo::VerifyOptions&, std::stop_token,
      const std::function<void(std::uint64_t, std::uint64_t)>&) override {
    return no();
  }
  Result<std::uint64_t> stored_bytes() override { return std::uint64_t{0}; }

 private:
  static Error no() { return Error(ErrorKind::unsupported, "not in memory"); }
  std::string id_ = "memory";
  std::map<std::string, SharedSnapshot> snapshots_;
};

class MemoryWriter final : public repo::SnapshotWriter {
 public:
  MemoryWriter(std::string id, repo::SnapshotReader* parent, MemoryFaults& faults,
               std::map<std::string, SharedSnapshot>& all)
      : id_(std::move(id)), parent_(parent), faults_(faults), all_(all) {}
  const std::string& id() const override { return id_; }
  Status add(std::string key, Buffer attributes) override {
    MemorySnapshot::Entry entry;
    entry.row.key = std::move(key);
    entry.row.attributes = std::move(attributes);
    return put(std::move(entry));
  }
  Result<std::unique_ptr<repo::ContentStream>> open(std::string key, repo::Cut) override {
    auto finish = [this](MemorySnapshot::Entry entry) {
      if (faults_.before_finish) faults_.before_finish(entry.row.key);
      if (faults_.finish_error) return Status(*faults_.finish_error);
      return put(std::move(entry));
    };
    return std::unique_ptr<repo::ContentStream>(
        std::make_unique<MemoryStream>(std::move(key), finish));
  }
  Status reuse(const repo::Row& row, Buffer attributes) override {
    auto entry = all_.at(parent_->info().id)->entries.at(row.key);
    entry.row.attributes = std::move(attributes);
    return put(std::move(entry));
  }
  Status attach(const std::string& name, ByteView bytes) override {
    snapshot_->attachments[name] = Buffer(bytes.begin(), bytes.end());
    return {};
  }
  repo::WriterStats stats() const override { return {}; }
  Result<repo::SnapshotInfo> commit(const repo::SnapshotMeta& meta) override {
    auto& info = snapshot_->info;
    info.id = id_;
    info.meta = meta;
    info.rows = snapshot_->entries.size();
    for (const auto& [key, entry] : snapshot_->entries) {
      for (const auto& piece : entry.pieces) info.logical_bytes += piece.size();
    }
    all_[id_] = snapshot_;
    return info;
  }

 private:
  Status put(MemorySnapshot::Entry entry) {
    std::lock_guard lock(mutex_);
    auto key = entry.row.key;
    bool fresh = snapshot_->entries.emplace(key, std::move(entry)).second;
    if (!fresh) return Error(ErrorKind::internal, cat("key twice: ", printable(key)));
    return {};
  }
  std::string id_;
  repo::SnapshotReader* parent_;
  MemoryFaults& faults_;
  std::map<std::string, SharedSnapshot>& all_;
  std::mutex mutex_;
  SharedSnapshot snapshot_ = std::make_shared<MemorySnapshot>();
};

inline Result<std::unique_ptr<repo::SnapshotWriter>> MemoryRepository::begin(
    const std::string&, repo::SnapshotReader* parent, std::stop_token) {
  return std::unique_ptr<repo::SnapshotWriter>(
      std::make_unique<MemoryWriter>(fresh_id(), parent, faults, snapshots_));
}

}  // namespace lb::files
