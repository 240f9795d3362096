// Rows made of parts of the parent's row and of new pages: what a page-exact backup writes.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "storage/repo/session.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

constexpr std::size_t page = 8192;

class SpliceTest : public testing::Test {
 protected:
  SpliceTest() : clock(parse_time("2026-01-13T02:00:00Z").take()), random(seeded_random(1)) {
    EXPECT_TRUE(init_repository(blobs, clock, *random, key, cheap_keys).ok());
    repository = open_repository(blobs, clock, *random, key, small_budget).take();
  }

  SnapshotInfo commit(SnapshotWriter& writer) {
    clock.advance(Seconds(1));
    SnapshotMeta meta;
    meta.store = "db";
    meta.kind = "postgres";
    meta.details = "{}";
    auto info = writer.commit(meta);
    EXPECT_TRUE(info.ok()) << info.error().text();
    return *info;
  }

  SnapshotInfo store_whole(const std::string& content) {
    auto writer = repository->begin("db", nullptr, {}).take();
    auto stream = writer->open("base/5/1", Cut::pages).take();
    EXPECT_TRUE(stream->write(view_of(content)).ok());
    EXPECT_TRUE(stream->finish({}).ok());
    return commit(*writer);
  }

  // The parent's row with these pages in place of its own.
  SnapshotInfo store_changes(const std::string& parent_id,
                             const std::map<std::size_t, std::string>& changed) {
    auto parent = repository->snapshot(parent_id).take();
    auto row = *parent->find("base/5/1").take();
    auto writer = repository->begin("db", parent.get(), {}).take();
    auto stream = writer->open("base/5/1", Cut::pages).take();
    std::uint64_t at = 0;
    for (const auto& [number, bytes] : changed) {
      auto offset = number * page;
      if (offset > at) {
        EXPECT_TRUE(stream->reuse(row, at, offset - at).ok());
      }
      EXPECT_TRUE(stream->write_apart(view_of(bytes)).ok());
      at = offset + bytes.size();
    }
    if (at < row.size) {
      EXPECT_TRUE(stream->reuse(row, at, row.size - at).ok());
    }
    EXPECT_TRUE(stream->finish({}).ok());
    return commit(*writer);
  }

  Row row_in(const std::string& id) {
    auto snapshot = repository->snapshot(id).take();
    auto found = snapshot->find("base/5/1");
    EXPECT_TRUE(found.ok()) << found.error().text();
    return **found;
  }

  std::string fetched(const std::string& id) {
    auto snapshot = repository->snapshot(id).take();
    std::vector<Row> rows = {row_in(id)};
    ContentSink sink(rows);
    auto done = snapshot->fetch(rows, sink, 2, {});
    EXPECT_TRUE(done.ok()) << done.error().text();
    EXPECT_EQ(sink.done_rows[0], 1);
    return sink.content[0];
  }

  void expect_clean() {
    VerifyOptions deep;
    deep.deep = true;
    auto report = repository->verify(deep, {}, [](std::uint64_t, std::uint64_t) {});
    ASSERT_TRUE(report.ok()) << report.error().text();
    EXPECT_TRUE(report->clean()) << report->findings[0].problem;
  }

  MemoryBlobStore blobs;
  SimClock clock;
  std::unique_ptr<Random> random;
  Secret key{"correct horse battery staple"};
  std::unique_ptr<Repository> repository;
};

TEST_F(SpliceTest, OneChangedPageCostsOnePage) {
  auto content = noise(1, 100 * page);
  auto first = store_whole(content);
  auto second = store_changes(first.id, {{17, noise(2, page)}});
  content.replace(17 * page, page, noise(2, page));
  EXPECT_EQ(second.new_bytes, page);
  EXPECT_EQ(fetched(second.id), content);
  expect_clean();
  auto extents = row_in(second.id).extents;
  // 7 chunks of 16 pages; the second of them became a part, the page, a part.
  ASSERT_EQ(extents.size(), 9u);
  EXPECT_TRUE(extents[1].is_part());
  EXPECT_FALSE(extents[2].is_part());
  EXPECT_TRUE(extents[3].is_part());
  EXPECT_EQ(extents[1].id, extents[3].id);
}

TEST_F(SpliceTest, ScatteredPagesShareChunks) {
  auto content = noise(1, 160 * page);
  auto first = store_whole(content);
  std::map<std::size_t, std::string> changed;
  for (std::size_t n = 3; n < 160; n += 5) {
    changed[n] = noise(100 + n, page);
    content.replace(n * page, page, changed[n]);
  }
  auto second = store_changes(first.id, changed);
  EXPECT_EQ(second.new_bytes, changed.size() * page);
  EXPECT_EQ(fetched(second.id), content);
  std::set<ChunkId> fresh, old;
  for (const auto& extent : row_in(first.id).extents) old.insert(extent.id);
  for (const auto& extent : row_in(second.id).extents) {
    if (!old.contains(extent.id)) fresh.insert(extent.id);
  }
  EXPECT_EQ(fresh.size(), 2u);  // 32 pages in two chunks
  EXPECT_LE(second.stored_bytes, changed.size() * page + (64 << 10));
  expect_clean();
}

TEST_F(SpliceTest, NeighboursJoinAgain) {
  auto content = noise(1, 64 * page);
  auto first = store_whole(content);
  auto parent = repository->snapshot(first.id).take();
  auto row = *parent->find("base/5/1").take();
  auto writer = repository->begin("db", parent.get(), {}).take();
  auto stream = writer->open("base/5/1", Cut::pages).take();
  for (std::uint64_t at = 0; at < row.size; at += page)
    ASSERT_TRUE(stream->reuse(row, at, page).ok());
  ASSERT_TRUE(stream->finish({}).ok());
  auto second = commit(*writer);
  EXPECT_EQ(second.new_bytes, 0u);
  auto extents = row_in(second.id).extents;
  EXPECT_EQ(extents.size(), row.extents.size());
  for (const auto& extent : extents) EXPECT_FALSE(extent.is_part());
  EXPECT_EQ(fetched(second.id), content);
}

TEST_F(SpliceTest, RangesBeyondTheRowAreRefused) {
  auto first = store_whole(noise(1, 4 * page));
  auto parent = repository->snapshot(first.id).take();
  auto row = *parent->find("base/5/1").take();
  auto writer = repository->begin("db", parent.get(), {}).take();
  auto stream = writer->open("base/5/1", Cut::pages).take();
  EXPECT_FALSE(stream->reuse(row, 3 * page, 2 * page).ok());
  EXPECT_FALSE(stream->reuse(row, ~std::uint64_t{0}, 2).ok());
}

// Generations of random changes, each on the one before: every point reads back, whole, by ranges
// and by comparison, and none depends on the ones before it.
TEST_F(SpliceTest, GenerationsReadBack) {
  std::mt19937_64 chance(7);
  auto content = noise(1, 200 * page);
  std::vector<std::pair<std::string, std::string>> points;
  points.emplace_back(store_whole(content).id, content);
  for (int generation = 0; generation < 12; ++generation) {
    std::map<std::size_t, std::string> changed;
    for (int n = 0; n < 20; ++n) {
      auto number = chance() % 210;
      if (number * page > content.size()) continue;
      changed[number] = noise(chance(), page);
    }
    for (const auto& [number, bytes] : changed) {
      if (number * page + page > content.size()) content.resize(number * page + page);
      content.replace(number * page, page, bytes);
    }
    auto info = store_changes(points.back().first, changed);
    points.emplace_back(info.id, content);
  }
  expect_clean();
  for (const auto& [id, expected] : points) {
    ASSERT_EQ(fetched(id), expected);
    auto snapshot = repository->snapshot(id).take();
    auto row = row_in(id);
    for (int n = 0; n < 20; ++n) {
      auto offset = chance() % expected.size();
      auto size = std::min<std::uint64_t>(chance() % 300000, expected.size() - offset);
      auto bytes = snapshot->read(row, offset, size);
      ASSERT_TRUE(bytes.ok()) << bytes.error().text();
      ASSERT_EQ(text_of(*bytes), expected.substr(offset, size));
    }
    auto compare = [&](const std::string& with) {
      auto same = snapshot->same_content(row, [&](MutableBytes out, std::uint64_t at) {
        auto count = at < with.size() ? std::min(out.size(), with.size() - at) : 0;
        std::copy_n(with.begin() + static_cast<std::ptrdiff_t>(at), count, out.begin());
        return Result<std::size_t>(count);
      });
      EXPECT_TRUE(same.ok()) << same.error().text();
      return same.ok() && *same;
    };
    EXPECT_TRUE(compare(expected));
    auto other = expected;
    other[chance() % other.size()] ^= 1;
    EXPECT_FALSE(compare(other));
  }
}

}  // namespace
}  // namespace lb::repo
