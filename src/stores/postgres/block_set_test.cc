#include "stores/postgres/block_set.h"

#include <gtest/gtest.h>

#include <set>

#include "foundation/sys/random.h"

namespace lb::pg {
namespace {

std::vector<std::uint32_t> all(const BlockSet& set) {
  std::vector<std::uint32_t> out;
  set.list(0, std::uint64_t{1} << 32, out);
  return out;
}

std::vector<std::uint32_t> sorted(const std::set<std::uint32_t>& set) {
  return {set.begin(), set.end()};
}

Buffer encoded(const BlockSet& set) {
  Buffer out;
  ByteWriter writer(out);
  set.encode_to(writer);
  return out;
}

BlockSet again(const BlockSet& set) {
  auto bytes = encoded(set);
  ByteReader reader(bytes);
  auto out = BlockSet::decode_from(reader);
  EXPECT_TRUE(out.ok() && reader.done());
  return out.ok() ? std::move(out).take() : BlockSet();
}

// Against std::set, for sets from thin to full and over the borders of chunks.
TEST(BlockSet, SaysWhatWasAdded) {
  auto random = seeded_random(11);
  for (std::uint32_t range : {10u, 5000u, 70'000u, 3'000'000u}) {
    for (std::size_t wanted : {1u, 100u, 4095u, 4096u, 4097u, 40'000u}) {
      BlockSet set, other;
      std::set<std::uint32_t> model, other_model;
      const auto base = static_cast<std::uint32_t>(random->below(1u << 30));
      for (std::size_t i = 0; i < wanted; ++i) {
        auto block = base + static_cast<std::uint32_t>(random->below(range));
        EXPECT_EQ(set.add(block), model.insert(block).second);
        block = base + static_cast<std::uint32_t>(random->below(range));
        if (i % 3 == 0) other.add(block), other_model.insert(block);
      }
      ASSERT_EQ(all(set), sorted(model));
      EXPECT_EQ(set.count(), model.size());
      EXPECT_EQ(again(set), set);
      std::vector<std::uint32_t> part, expected;
      auto from = base + range / 3, to = base + range / 2;
      set.list(from, to, part);
      expected.assign(model.lower_bound(from), model.lower_bound(to));
      EXPECT_EQ(part, expected);
      for (std::uint32_t block = base; block < base + 10; ++block) {
        EXPECT_EQ(set.contains(block), model.contains(block));
      }
      set.merge(other);
      model.insert(other_model.begin(), other_model.end());
      ASSERT_EQ(all(set), sorted(model));
      EXPECT_EQ(again(set), set);
      EXPECT_LE(set.memory_bytes(), 8 * model.size() + 200 + 200 * (range / 65536 + 2));
    }
  }
}

TEST(BlockSet, HoldsTheFirstAndTheLastBlockThereCanBe) {
  BlockSet set;
  EXPECT_TRUE(set.empty());
  set.add(0xFFFFFFFE);
  set.add(0);
  EXPECT_EQ(all(set), (std::vector<std::uint32_t>{0, 0xFFFFFFFE}));
  EXPECT_EQ(again(set), set);
  std::vector<std::uint32_t> out;
  set.list(0xFFFFFFFE, std::uint64_t{1} << 33, out);
  EXPECT_EQ(out, std::vector<std::uint32_t>{0xFFFFFFFE});
}

// Ten million pages in what a server of 800 GB changed, a tenth of its pages.
TEST(BlockSet, TenMillionPagesTakeLessThanSixteenMebibytes) {
  auto random = seeded_random(12);
  BlockSet set;
  for (std::uint64_t group = 0; group < 100'000'000; group += 100'000) {
    BlockSet segment;
    for (std::uint64_t i = 0; i < 100'000; i += 10) {
      segment.add(static_cast<std::uint32_t>(group + i + random->below(10)));
    }
    set.merge(segment);
  }
  EXPECT_EQ(set.count(), 10'000'000u);
  EXPECT_LT(set.memory_bytes(), 16u << 20);
  EXPECT_EQ(again(set), set);
}

TEST(BlockSet, TakesTheSmallerForm) {
  BlockSet thin, thick;
  for (std::uint32_t i = 0; i < 1000; ++i) thin.add(i * 60);
  for (std::uint32_t i = 0; i < 60'000; ++i) thick.add(i);
  EXPECT_LT(encoded(thin).size(), 1010u);
  EXPECT_LT(encoded(thick).size(), 8200u);
}

TEST(BlockSet, RefusesWhatItWouldNotWrite) {
  const std::vector<Buffer> wrong = {
      {1},                                         // cut short
      {1, 0, 2},                                   // unknown form
      {1, 0, 0, 0},                                // no block
      {1, 0, 0, 2, 1, 0xFF, 0xFF, 0x03},           // beyond the chunk
      {2, 0xFF, 0xFF, 0x03, 0, 1, 5, 0, 0, 1, 5},  // a chunk behind the last
      {1, 0, 1, 1, 0, 0},                          // a bitmap cut short
  };
  for (const auto& bytes : wrong) {
    ByteReader reader(bytes);
    EXPECT_FALSE(BlockSet::decode_from(reader).ok()) << to_hex(bytes);
  }
  Buffer lavish = {1, 0, 1};
  lavish.resize(3 + 8192, 0);
  lavish[3] = 1;
  ByteReader reader(lavish);
  EXPECT_FALSE(BlockSet::decode_from(reader).ok()) << "one block as a bitmap";
}

}  // namespace
}  // namespace lb::pg
