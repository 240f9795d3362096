#include "storage/repo/known_chunks.h"

#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

class KnownChunksTest : public MemoryRepository {
 protected:
  // Of the snapshot's chunks: how many the map places.
  std::size_t placed(const ChunkMap& chunks, const std::string& snapshot) {
    std::size_t out = 0;
    auto reader = repository->snapshot(snapshot).take();
    for (const auto& row : all_rows(*reader).take()) {
      for (const auto& extent : row.extents) out += chunks.find(extent.id).has_value() ? 1u : 0u;
    }
    return out;
  }
};

TEST_F(KnownChunksTest, ExcludedPacksAreNotThere) {
  auto info = back_up({{"a", noise(1, 5'000'000)}});
  auto packs = keys("p/");
  ASSERT_GT(packs.size(), 1u);
  ChunkMap all, some, none;
  ASSERT_TRUE(load_known(*repository->core(), nullptr, {}, {}, all).ok());
  ASSERT_TRUE(load_known(*repository->core(), nullptr, {packs[0]}, {}, some).ok());
  ASSERT_TRUE(
      load_known(*repository->core(), nullptr, {packs.begin(), packs.end()}, {}, none).ok());
  EXPECT_GT(placed(all, info.id), placed(some, info.id));
  EXPECT_GT(placed(some, info.id), 0u);
  EXPECT_EQ(placed(none, info.id), 0u);
}

TEST_F(KnownChunksTest, PacksOfTheParentAreLostWhenGoneOrExcluded) {
  back_up({{"a", noise(1, 5'000'000)}});
  auto packs = keys("p/");
  Verdict parent;
  for (const auto& name : packs) {
    parent.packs.push_back({name, blobs.info(name).take().size, {}, true});
  }
  parent.packs[0].bytes += 1;
  ChunkMap chunks;
  auto known = load_known(*repository->core(), &parent, {packs[1]}, {}, chunks);
  ASSERT_TRUE(known.ok());
  ASSERT_EQ(known->parent_packs.size(), packs.size());
  for (std::size_t i = 0; i < packs.size(); ++i) {
    EXPECT_EQ(known->parent_packs[i] == pack_lost, i < 2) << i;
  }
}

TEST_F(KnownChunksTest, AStopEndsTheReading) {
  back_up({{"a", noise(1, 300'000)}});
  std::stop_source stop;
  stop.request_stop();
  ChunkMap chunks;
  auto known = load_known(*repository->core(), nullptr, {}, stop.get_token(), chunks);
  EXPECT_EQ(known.error().kind(), ErrorKind::cancelled);
}

}  // namespace
}  // namespace lb::repo
