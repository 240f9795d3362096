#include "storage/repo/chunk_map.h"

#include <gtest/gtest.h>

#include <thread>

#include "foundation/base/text.h"
#include "foundation/sys/random.h"
#include "foundation/sys/sim_files.h"
#include "storage/repo/chunk_runs.h"

namespace lb::repo {
namespace {

std::vector<ChunkId> random_ids(std::uint64_t seed, std::size_t count) {
  auto random = seeded_random(seed);
  std::vector<ChunkId> out(count);
  for (auto& id : out) random->fill(id);
  return out;
}

class ChunkMaps : public testing::Test {
 protected:
  ChunkMaps() { EXPECT_TRUE(files.make_directory("/cache", 0700).ok()); }
  index::CachePlace place() { return {files, "/cache", seal, *random}; }
  std::size_t names() { return files.list("/cache")->size(); }

  SimFiles files;
  std::unique_ptr<Random> random = seeded_random(5);
  index::SharedSeal seal =
      std::make_shared<const index::Seal>(index::Seal{Hmac(Buffer(32, 1)), "id"});
};

TEST_F(ChunkMaps, KeepTheFirstPlaceOfEachOfManyChunks) {
  ChunkMap map;
  auto pack = map.add_pack({"p/a/00000000", 100, {}});
  EXPECT_EQ(map.add_pack({"p/a/00000000", 0, {}}), pack);
  FramePlace frame{pack, 4, 8, 100};
  auto ids = random_ids(3, 50'000);
  for (const auto& id : ids) {
    EXPECT_TRUE(map.claim(id, 10));
    EXPECT_FALSE(map.claim(id, 10));
    EXPECT_FALSE(map.find(id).has_value()) << "claimed is not placed";
  }
  for (std::uint32_t i = 0; i < ids.size(); ++i) EXPECT_TRUE(map.place(ids[i], frame, i, 10));
  for (std::uint32_t i = 0; i < ids.size(); ++i) EXPECT_TRUE(map.place(ids[i], frame, 0, 10));
  for (std::uint32_t i = 0; i < ids.size(); ++i) {
    auto found = map.find(ids[i]);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->offset, i);
    EXPECT_EQ(found->frame.number, 4u);
  }
  EXPECT_FALSE(map.find({}).has_value());
}

TEST_F(ChunkMaps, DoNotHoldPlacesBeyondTheirNumbers) {
  ChunkMap map;
  ChunkId id{1};
  EXPECT_FALSE(map.place(id, {0, 1 << 16, 8, 100}, 0, 10));
  EXPECT_FALSE(map.place(id, {0, 1, 1u << 27, 100}, 0, 10));
  EXPECT_FALSE(map.find(id).has_value());
  EXPECT_TRUE(map.claim(id, 10));
}

TEST_F(ChunkMaps, FindWhatTheySpilled) {
  ChunkMap map;
  map.spill_to(place(), 5000);
  auto pack = map.add_pack({"p/a/00000000", 100, {}});
  auto ids = random_ids(4, 60'000);
  for (std::uint32_t i = 0; i < ids.size(); ++i) {
    ASSERT_TRUE(map.claim(ids[i], 10));
    ASSERT_TRUE(map.place(ids[i], {pack, i % 60'000, 8 + i, 100}, i, 10));
  }
  EXPECT_EQ(names(), 0u) << "what is spilled has no name";
  auto claimed = random_ids(5, 1000);
  for (const auto& id : claimed) EXPECT_TRUE(map.claim(id, 10));
  for (std::uint32_t i = 0; i < ids.size(); ++i) {
    EXPECT_FALSE(map.claim(ids[i], 10));
    auto found = map.find(ids[i]);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->offset, i);
    EXPECT_EQ(found->frame.offset, 8 + i);
    EXPECT_EQ(map.pack(found->frame.pack).name, "p/a/00000000");
  }
  for (const auto& id : claimed) EXPECT_FALSE(map.find(id).has_value());
}

TEST_F(ChunkMaps, SpillWhileOthersClaimAndPlace) {
  ChunkMap map;
  map.spill_to(place(), 2000);
  auto pack = map.add_pack({"p/a/00000000", 100, {}});
  auto ids = random_ids(6, 40'000);
  std::atomic<std::size_t> claims{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        // Each chunk is brought by two threads.
        for (std::size_t i = thread / 2; i < ids.size(); i += 2) {
          if (!map.claim(ids[i], 10)) continue;
          ++claims;
          map.place(ids[i], {pack, 1, 8, 100}, static_cast<std::uint32_t>(i), 10);
        }
      });
    }
  }
  EXPECT_EQ(claims, ids.size()) << "each is claimed once";
  for (std::uint32_t i = 0; i < ids.size(); ++i) EXPECT_EQ(map.find(ids[i])->offset, i);
}

TEST_F(ChunkMaps, GoOnInMemoryWhenTheyCannotSpill) {
  files.set_space(100'000);
  ChunkMap map;
  map.spill_to(place(), 5000);
  auto pack = map.add_pack({"p/a/00000000", 100, {}});
  auto ids = random_ids(7, 20'000);
  for (std::uint32_t i = 0; i < ids.size(); ++i) {
    ASSERT_TRUE(map.claim(ids[i], 10));
    ASSERT_TRUE(map.place(ids[i], {pack, 1, 8, 100}, i, 10));
    if (i == 4000) {
      EXPECT_FALSE(map.spill_trouble()) << "nothing was tried yet";
    }
  }
  for (std::uint32_t i = 0; i < ids.size(); ++i) EXPECT_EQ(map.find(ids[i])->offset, i);
  EXPECT_EQ(names(), 0u);
  ASSERT_TRUE(map.spill_trouble());
  EXPECT_EQ(map.spill_trouble()->kind(), ErrorKind::exhausted);
}

TEST_F(ChunkMaps, KnowTheUsablePacksOfTables) {
  index::NewTable news;
  std::uint32_t packs[] = {news.add_pack({"p/b/00000000", 20, {}}),
                           news.add_pack({"p/a/00000000", 10, {}})};
  auto ids = random_ids(8, 1000);
  for (std::uint32_t i = 0; i < ids.size(); ++i) news.add(ids[i], {packs[i % 2], 1, 8, 100, i, 10});
  ASSERT_TRUE(std::move(news).write(place(), "/cache/table-1").ok());
  auto table = index::Table::open(files, "/cache/table-1", seal).take();
  ChunkMap map;
  map.add_pack({"p/own/00000000", 0, {}});
  map.know(table, {true, false});  // by name: a, b
  for (std::uint32_t i = 0; i < ids.size(); ++i) {
    auto found = map.find(ids[i]);
    ASSERT_EQ(found.has_value(), i % 2 == 1);
    EXPECT_EQ(map.claim(ids[i], 10), i % 2 == 0);
    if (!found) continue;
    EXPECT_EQ(map.pack(found->frame.pack).name, "p/a/00000000");
    EXPECT_EQ(map.pack(found->frame.pack).bytes, 10u);
  }
}

TEST_F(ChunkMaps, DoNotBelieveADamagedTable) {
  index::NewTable news;
  auto pack = news.add_pack({"p/a/00000000", 10, {}});
  auto ids = random_ids(9, 1000);
  for (const auto& id : ids) news.add(id, {pack, 1, 8, 100, 0, 10});
  ASSERT_TRUE(std::move(news).write(place(), "/cache/table-1").ok());
  auto bytes = read_file(files, "/cache/table-1", 1 << 20).take();
  bytes[3 * index::page_bytes + 100] ^= 1;
  ASSERT_TRUE(write_durably(files, "/cache/table-1", bytes).ok());
  ChunkMap map;
  map.know(index::Table::open(files, "/cache/table-1", seal).take(), {true});
  std::size_t found = 0;
  for (const auto& id : ids) found += map.find(id).has_value() ? 1u : 0u;
  EXPECT_GT(found, 0u);
  EXPECT_LT(found, ids.size());
  EXPECT_EQ(names(), 0u) << "the next session makes it anew";
}

// Somebody who may write to the folder exchanges a run for a table that was once written with the
// repository's key: its numbers would lead to other packs.
TEST_F(ChunkMaps, TakeNoTableOfTheCacheForARun) {
  index::NewTable news;
  auto pack = news.add_pack({"p/a/00000000", 10, {}});
  auto others = random_ids(10, 1000);
  for (const auto& id : others) news.add(id, {pack, 1, 8, 100, 0, 10});
  ASSERT_TRUE(std::move(news).write(place(), "/cache/table-1").ok());
  ASSERT_TRUE(index::Table::open(files, "/cache/table-1", seal).ok());
  std::vector<index::Entry> own;
  for (const auto& id : random_ids(11, 1000))
    own.push_back({id, index::pack({3, 1, 8, 100, 0, 10})});
  std::sort(own.begin(), own.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  ChunkRuns runs(place(), 1000);
  EXPECT_TRUE(runs.add(own.size(), [&](const auto& write) { return write(own); }));
  EXPECT_FALSE(runs.add(own.size(), [&](const auto& write) -> Status {
    LB_TRY(write(own));
    for (const auto& entry : LB_TRY(files.list("/cache"))) {
      if (!entry.name.starts_with("new-")) continue;
      LB_TRY(files.rename("/cache/table-1", path_join("/cache", entry.name)));
    }
    return {};
  }));
  ASSERT_TRUE(runs.trouble());
  EXPECT_EQ(runs.trouble()->kind(), ErrorKind::corrupt);
  for (const auto& id : others) EXPECT_FALSE(runs.find(id).has_value());
  for (const auto& entry : own) EXPECT_EQ(runs.find(entry.id)->pack, 3u);
}

}  // namespace
}  // namespace lb::repo
