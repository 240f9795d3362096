#include "recovery/mount/content_reader.h"

#include <gtest/gtest.h>

#include "recovery/mount/fuse_answers.h"
#include "storage/repo/test_repository.h"

namespace lb::mount {
namespace {

using repo::noise;

// Counts what is asked of a snapshot, and fails on demand.
class WatchedSnapshot final : public repo::SnapshotReader {
 public:
  explicit WatchedSnapshot(std::unique_ptr<repo::SnapshotReader> real) : real_(std::move(real)) {}
  const repo::SnapshotInfo& info() const override { return real_->info(); }
  Result<std::unique_ptr<repo::RowCursor>> rows(const std::string& prefix) override {
    return real_->rows(prefix);
  }
  Result<std::optional<repo::Row>> find(const std::string& key) override {
    return real_->find(key);
  }
  std::vector<repo::TableBlock> outline() const override { return real_->outline(); }
  Result<std::vector<repo::Row>> block_rows(std::size_t block) override {
    return real_->block_rows(block);
  }
  Result<std::optional<Buffer>> attachment(const std::string& name) override {
    return real_->attachment(name);
  }
  Result<std::unique_ptr<repo::AttachmentCursor>> open_attachment(
      const std::string& name) override {
    return real_->open_attachment(name);
  }
  Result<Buffer> read(const repo::Row& row, std::uint64_t offset, std::uint64_t size) override {
    ++reads;
    if (reads_fail) return Error(ErrorKind::corrupt, "it is broken");
    return real_->read(row, offset, size);
  }
  Status fetch(std::span<const repo::Row> rows, repo::FetchSink& sink, unsigned workers,
               std::stop_token stop) override {
    ++fetches;
    if (fetches_fail) return Error(ErrorKind::corrupt, "it is broken");
    return real_->fetch(rows, sink, workers, std::move(stop));
  }
  Result<bool> same_content(
      const repo::Row& row,
      const std::function<Result<std::size_t>(MutableBytes, std::uint64_t)>& read_at) override {
    return real_->same_content(row, read_at);
  }
  std::atomic<int> reads = 0, fetches = 0;
  std::atomic<bool> reads_fail = false, fetches_fail = false;

 private:
  const std::unique_ptr<repo::SnapshotReader> real_;
};

class ReaderTest : public repo::MemoryRepository {
 protected:
  // Data, a hole, data, and a stretch that repeats.
  ReaderTest() {
    content = noise(3, 3'000'000) + std::string(2'000'000, '\0') + noise(4, 8'000'000);
    content += content.substr(0, 1'000'000);
    auto writer = repository->begin("data", nullptr, {}).take();
    auto stream = writer->open("file", repo::Cut::content).take();
    EXPECT_TRUE(stream->write(view_of(content.substr(0, 3'000'000))).ok());
    EXPECT_TRUE(stream->hole(2'000'000).ok());
    EXPECT_TRUE(stream->write(view_of(content.substr(5'000'000))).ok());
    EXPECT_TRUE(stream->finish(files::encode({})).ok());
    repo::SnapshotMeta meta;
    meta.store = "data";
    meta.kind = "files";
    auto id = writer->commit(meta).take().id;
    auto snapshot = std::make_unique<WatchedSnapshot>(repository->snapshot(id).take());
    watched = snapshot.get();
    tree = PointTree::open(std::move(snapshot), blocks, 0, {}).take();
  }
  std::shared_ptr<OpenFile> open(ContentReader& reader) {
    return reader.open(tree, 0, tree->row(1).take());
  }
  Result<std::string> read(ContentReader& reader, const std::shared_ptr<OpenFile>& file,
                           std::uint64_t offset, std::uint64_t size) {
    auto parts = LB_TRY(reader.read(file, offset, size));
    return std::string(text_of(joined(parts)));
  }
  void expect_same(ContentReader& reader, const std::shared_ptr<OpenFile>& file,
                   std::uint64_t offset, std::uint64_t size) {
    auto got = read(reader, file, offset, size);
    ASSERT_TRUE(got.ok()) << got.error().text();
    // Not printed: megabytes of noise.
    EXPECT_TRUE(*got == content.substr(offset, size)) << offset << " " << size;
  }

  std::string content;
  BlockCache blocks{1 << 20};
  WatchedSnapshot* watched = nullptr;
  std::shared_ptr<PointTree> tree;
};

TEST_F(ReaderTest, GivesTheContentWhateverTheOrder) {
  ContentReader reader({.cache_bytes = 4 << 20, .ahead_threads = 3});
  auto file = open(reader);
  for (std::uint64_t at = 0; at < content.size(); at += 131072) {
    // As the kernel sends them: pairs the wrong way round.
    auto swapped = at / 131072 % 2 == 0 ? at + 131072 : at - 131072;
    if (swapped < content.size()) expect_same(reader, file, swapped, 131072);
  }
  auto chance = seeded_random(9);
  for (int i = 0; i < 300; ++i) {
    auto bytes = chance->bytes(8);
    std::uint64_t number = 0;
    for (auto byte : bytes) number = number << 8 | byte;
    expect_same(reader, file, number % content.size(), number % 300'000);
  }
  expect_same(reader, file, content.size() - 1, 5);
  EXPECT_EQ(read(reader, file, content.size(), 5).take(), "");
  reader.close(file);
}

TEST_F(ReaderTest, ForwardReadsAreFetchedAhead) {
  ContentReader reader({.cache_bytes = 32 << 20, .ahead_threads = 2});
  auto file = open(reader);
  for (std::uint64_t at = 0; at < content.size(); at += 131072) {
    expect_same(reader, file, at, 131072);
  }
  EXPECT_GT(watched->fetches, 3);
  EXPECT_LT(watched->fetches, 40) << "many pieces come with one request";
}

TEST_F(ReaderTest, ARandomReadTakesWhatItNeedsAndNoMore) {
  ContentReader reader({.cache_bytes = 32 << 20, .ahead_threads = 2});
  auto file = open(reader);
  for (std::uint64_t at : {9'000'000u, 100'000u, 6'000'000u, 12'500'000u, 2'900'000u}) {
    auto before = watched->reads.load();
    expect_same(reader, file, at, 10);
    EXPECT_EQ(watched->reads, before + 1);
    expect_same(reader, file, at, 10);
    EXPECT_EQ(watched->reads, before + 1) << "it is kept";
  }
  expect_same(reader, file, 4'000'000, 1000);
  EXPECT_EQ(watched->reads, 5) << "holes are not read";
  EXPECT_EQ(watched->fetches, 0);
}

TEST_F(ReaderTest, AFailureIsTheReadersAndIsNotKept) {
  ContentReader reader({.cache_bytes = 32 << 20, .ahead_threads = 2});
  auto file = open(reader);
  watched->reads_fail = watched->fetches_fail = true;
  for (std::uint64_t at = 0; at < 3'000'000; at += 131072) {
    auto failed = read(reader, file, at, 131072);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind(), ErrorKind::corrupt);
  }
  watched->reads_fail = false;
  // What cannot be read ahead is read when it is wanted.
  for (std::uint64_t at = 0; at < content.size(); at += 131072) {
    expect_same(reader, file, at, 131072);
  }
  EXPECT_GT(watched->fetches, 0);
}

TEST_F(ReaderTest, SeveralReadersOfOneFile) {
  ContentReader reader({.cache_bytes = 3 << 20, .ahead_threads = 2});
  std::vector<std::jthread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      auto file = open(reader);
      for (std::uint64_t at = t * 50'000; at < content.size(); at += 131072) {
        expect_same(reader, file, at, 131072);
      }
      reader.close(file);
    });
  }
}

TEST_F(ReaderTest, AClosedFileLeavesNothingBehind) {
  ContentReader reader({.cache_bytes = 32 << 20, .ahead_threads = 1});
  for (int i = 0; i < 20; ++i) {
    auto file = open(reader);
    for (std::uint64_t at = 0; at < 1'000'000; at += 131072) expect_same(reader, file, at, 131072);
    reader.close(file);
  }
  auto file = open(reader);
  for (std::uint64_t at = 0; at < content.size(); at += 131072) {
    expect_same(reader, file, at, 131072);
  }
}

TEST_F(ReaderTest, SeekFindsHolesAndData) {
  ContentReader reader({});
  auto file = open(reader);
  auto seek = [&](std::uint64_t offset, bool data) {
    return seek_in(file->pieces, content.size(), offset, data);
  };
  EXPECT_EQ(seek(0, true), 0u);
  EXPECT_EQ(seek(17, true), 17u);
  EXPECT_EQ(seek(17, false), 3'000'000u);
  EXPECT_EQ(seek(3'000'100, false), 3'000'100u);
  EXPECT_EQ(seek(3'000'100, true), 5'000'000u);
  EXPECT_EQ(seek(5'000'000, false), content.size());
  EXPECT_EQ(seek(content.size(), true), std::nullopt);
}

TEST(ReadWindow, OpensForForwardReadsAndClosesForJumps) {
  ReadWindow window;
  constexpr std::uint64_t step = 128 << 10;
  EXPECT_TRUE(window.next(0, step, window_bytes_max).empty()) << "one read tells nothing";
  auto first = window.next(step, step, window_bytes_max);
  EXPECT_EQ(first.from, 2 * step);
  EXPECT_EQ(first.to, 2 * step + window_bytes_min);
  std::uint64_t asked = first.to;
  for (std::uint64_t at = 2 * step; at < (64 << 20); at += step) {
    auto range = window.next(at, step, window_bytes_max);
    if (range.empty()) continue;
    EXPECT_EQ(range.from, asked) << "nothing twice, nothing left out";
    asked = range.to;
    EXPECT_LE(asked, at + step + window_bytes_max);
  }
  EXPECT_GT(asked, 64u << 20);
  EXPECT_TRUE(window.next(0, step, window_bytes_max).empty());
  EXPECT_TRUE(window.next(500 << 20, step, window_bytes_max).empty());
  EXPECT_TRUE(window.next(100 << 20, step, window_bytes_max).empty());
}

TEST(PieceCache, OneLoadsTheOthersWait) {
  PieceCache cache(1 << 20);
  std::atomic<int> loads = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        auto got = cache.get({0, 0, 0}, [&]() -> Result<Buffer> {
          ++loads;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          return Buffer(100, 7);
        });
        EXPECT_TRUE(got.ok() && (*got)->size() == 100);
      });
    }
  }
  EXPECT_EQ(loads, 1);
}

TEST(PieceCache, IsBoundedAndTakesOverWhatWasOnlyPromised) {
  PieceCache cache(1000);
  auto load = [] { return Result<Buffer>(Buffer(300, 1)); };
  for (std::uint64_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(cache.get({0, 0, i}, load).ok());
    EXPECT_LE(cache.bytes(), 1000u);
  }
  EXPECT_TRUE(cache.reserve({0, 1, 0}));
  EXPECT_FALSE(cache.reserve({0, 1, 0}));
  ASSERT_TRUE(cache.get({0, 1, 0}, load).ok()) << "a reader waits for no promise";
  EXPECT_FALSE(cache.start({0, 1, 0}));
  EXPECT_TRUE(cache.reserve({0, 2, 0}));
  EXPECT_TRUE(cache.start({0, 2, 0}));
  cache.give_up({0, 2, 0});
  EXPECT_TRUE(cache.reserve({0, 2, 0}));
}

}  // namespace
}  // namespace lb::mount
