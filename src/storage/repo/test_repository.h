// A repository in memory for tests, with cheap keys and small packs, and the shortest ways to write
// and read whole snapshots. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <string>

#include "foundation/base/text.h"
#include "foundation/sys/clock.h"
#include "foundation/sys/random.h"
#include "storage/blob/memory_blob_store.h"
#include "storage/repo/repository.h"

namespace lb::repo {

using Content = std::map<std::string, std::string>;

inline constexpr InitOptions cheap_keys{1, 8192};
inline constexpr OpenOptions small_budget{.workers = 2, .memory_bytes = 8 << 20};

inline std::string noise(std::uint64_t seed, std::size_t size) {
  auto bytes = seeded_random(seed)->bytes(size);
  return std::string(text_of(bytes));
}

// Places what a fetch brings, and counts what was done.
class ContentSink final : public FetchSink {
 public:
  explicit ContentSink(const std::vector<Row>& rows)
      : content(rows.size()), done_rows(rows.size()) {
    for (std::size_t i = 0; i < rows.size(); ++i) content[i].resize(rows[i].size);
  }
  Status data(std::size_t row, std::uint64_t offset, ByteView bytes) override {
    std::lock_guard lock(mutex_);
    std::copy(bytes.begin(), bytes.end(),
              content[row].begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
  }
  Status done(std::size_t row) override {
    std::lock_guard lock(mutex_);
    ++done_rows[row];
    return {};
  }
  std::vector<std::string> content;
  std::vector<int> done_rows;

 private:
  std::mutex mutex_;
};

inline Result<std::vector<Row>> all_rows(SnapshotReader& snapshot, const std::string& prefix = {}) {
  std::vector<Row> rows;
  auto cursor = LB_TRY(snapshot.rows(prefix));
  for (;;) {
    auto row = LB_TRY(cursor->next());
    if (!row) return rows;
    rows.push_back(std::move(*row));
  }
}

inline Result<Content> read_snapshot(SnapshotReader& snapshot) {
  auto rows = LB_TRY(all_rows(snapshot));
  ContentSink sink(rows);
  LB_TRY(snapshot.fetch(rows, sink, 3, {}));
  Content out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(sink.done_rows[i], 1) << rows[i].key;
    out[rows[i].key] = sink.content[i];
  }
  return out;
}

inline Result<Content> read_snapshot(Repository& repository, const std::string& id) {
  auto snapshot = LB_TRY(repository.snapshot(id));
  return read_snapshot(*snapshot);
}

inline Status write_row(SnapshotWriter& writer, const std::string& key, const std::string& bytes) {
  auto stream = LB_TRY(writer.open(key, Cut::content));
  LB_TRY(stream->write(view_of(bytes)));
  return stream->finish(Buffer{7});
}

// One whole session. Rows whose content the parent has alike are reused.
inline Result<SnapshotInfo> write_snapshot(Repository& repository, const std::string& store,
                                           const Content& content, Timestamp taken,
                                           SnapshotReader* parent = nullptr) {
  auto writer = LB_TRY(repository.begin(store, parent, {}));
  std::map<std::string, Row> parent_rows;
  if (parent != nullptr) {
    auto rows = LB_TRY(all_rows(*parent));
    for (auto& row : rows) parent_rows.emplace(row.key, row);
  }
  for (const auto& [key, bytes] : content) {
    auto known = parent_rows.find(key);
    if (known != parent_rows.end() && known->second.size == bytes.size()) {
      auto reused = writer->reuse(known->second, known->second.attributes);
      if (reused.ok()) continue;
      if (reused.error().kind() != ErrorKind::not_found) return std::move(reused).take_error();
    }
    LB_TRY(write_row(*writer, key, bytes));
  }
  LB_TRY(writer->attach("note", view_of("attached")));
  SnapshotMeta meta;
  meta.store = store;
  meta.kind = "files";
  meta.taken = taken;
  return writer->commit(meta);
}

class MemoryRepository : public testing::Test {
 protected:
  MemoryRepository() {
    auto made = init_repository(blobs, clock, *random, key, cheap_keys);
    EXPECT_TRUE(made.ok()) << made.error().text();
    repository = open(blobs);
  }
  std::unique_ptr<Repository> open(BlobStore& store) {
    auto opened = open_repository(store, clock, *random, key, small_budget);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return opened.ok() ? std::move(opened).take() : nullptr;
  }
  SnapshotInfo back_up(const Content& content, SnapshotReader* parent = nullptr,
                       const std::string& store = "data") {
    clock.advance(Seconds(1));
    auto info = write_snapshot(*repository, store, content, clock.now(), parent);
    EXPECT_TRUE(info.ok()) << info.error().text();
    return info.ok() ? *info : SnapshotInfo{};
  }
  Content read(const std::string& id) {
    auto content = read_snapshot(*repository, id);
    EXPECT_TRUE(content.ok()) << content.error().text();
    return content.ok() ? *content : Content{};
  }
  VerifyReport verify(const VerifyOptions& options = {}) {
    auto report = open(blobs)->verify(options, {}, {});
    EXPECT_TRUE(report.ok()) << report.error().text();
    return report.ok() ? *report : VerifyReport{};
  }
  std::vector<std::string> keys(const std::string& prefix = {}) {
    std::vector<std::string> out;
    for (const auto& object : blobs.list(prefix, {}).take()) out.push_back(object.key);
    return out;
  }

  Secret key{std::string_view("correct horse battery staple")};
  MemoryBlobStore blobs;
  SimClock clock{parse_time("2026-01-13T02:00:00Z").take()};
  std::unique_ptr<Random> random = seeded_random(1);
  std::unique_ptr<Repository> repository;
};

inline std::string describe(const VerifyReport& report) {
  std::string out;
  for (const auto& finding : report.findings) {
    out += cat(finding.object, ": ", finding.problem, " [", join(finding.affected, "; "), "]\n");
  }
  return out;
}

}  // namespace lb::repo
