#include "foundation/crypto/block_mac.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "foundation/crypto/aes_blocks.h"
#include "foundation/crypto/hash.h"

namespace lb {
namespace {

Buffer some_bytes(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);
  Buffer out(size);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
  return out;
}

Secret some_key(std::uint64_t seed) { return Secret(ByteView(some_bytes(seed, 32))); }

// Written down once more from the header's words, a block at a time.
BlockTag by_hand(const Secret& key, std::uint64_t number, ByteView message) {
  auto encrypted = [&](std::uint8_t label_number, const AesBlock& block) {
    Buffer label = {'m', 'a', 'c', label_number};
    auto digest = hmac_sha256(key.bytes(), label);
    AesKey short_key;
    std::copy_n(digest.begin(), short_key.size(), short_key.begin());
    AesBlock out;
    AesBlocks(short_key).encrypt(block, out);
    return out;
  };
  BlockTag sum{};
  auto take = [&](AesBlock block, std::uint8_t place) {
    auto mask = encrypted(2, {place});
    for (std::size_t i = 0; i < block.size(); ++i) block[i] ^= mask[i];
    auto hidden = encrypted(0, block);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] ^= hidden[i];
  };
  for (std::size_t at = 0; at < message.size(); at += 16) {
    AesBlock block;
    std::copy_n(message.begin() + static_cast<std::ptrdiff_t>(at), 16, block.begin());
    take(block, static_cast<std::uint8_t>(at / 16));
  }
  AesBlock last{};
  for (std::size_t i = 0; i < 8; ++i) {
    last[i] = static_cast<std::uint8_t>(number >> (8 * i));
    last[8 + i] = static_cast<std::uint8_t>(message.size() >> (8 * i));
  }
  take(last, 64);
  return encrypted(1, sum);
}

// FIPS 197, appendix B.
TEST(AesBlocks, KnownAnswerOfTheStandard) {
  auto bytes = [](std::string_view text) {
    auto buffer = from_hex(text).take();
    AesBlock out;
    std::copy(buffer.begin(), buffer.end(), out.begin());
    return out;
  };
  AesBlocks aes(bytes("2b7e151628aed2a6abf7158809cf4f3c"));
  Buffer out(32);
  auto block = from_hex("3243f6a8885a308d313198a2e0370734").take(), twice = block;
  twice.insert(twice.end(), block.begin(), block.end());
  aes.encrypt(twice, out);
  EXPECT_EQ(to_hex(out), "3925841d02dc09fbdc118597196a0b323925841d02dc09fbdc118597196a0b32");
}

TEST(BlockMac, IsTheSameByInstructionsByOpensslAndByHand) {
  for (std::size_t blocks : {0u, 1u, 7u, 8u, 9u, 15u, 16u, 63u, 64u}) {
    auto key = some_key(blocks);
    auto memory = some_bytes(blocks + 100, 16 * blocks + 1);
    auto message = ByteView(memory).subspan(1);  // not aligned
    for (std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
      auto expected = to_hex(by_hand(key, number, message));
      EXPECT_EQ(to_hex(BlockMac(key).of(number, message)), expected) << blocks;
      BlockMac portable(key, BlockMac::Way::portable);
      EXPECT_EQ(to_hex(portable.of(number, message)), expected) << blocks;
    }
  }
}

// Every bit of the message, its number, its size, the order of its blocks, and the key.
TEST(BlockMac, EverythingCounts) {
  BlockMac mac(some_key(1));
  auto message = some_bytes(2, 1008);
  std::set<BlockTag> tags = {mac.of(7, message)};
  std::size_t expected = 1;
  auto add = [&](const BlockTag& tag) {
    tags.insert(tag);
    ++expected;
  };
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    auto changed = message;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    add(mac.of(7, changed));
  }
  for (std::size_t bit = 0; bit < 64; ++bit) add(mac.of(7 ^ std::uint64_t{1} << bit, message));
  for (std::size_t blocks = 0; blocks < 63; ++blocks) {
    add(mac.of(7, ByteView(message).first(16 * blocks)));
  }
  auto longer = message;
  longer.resize(1024);
  add(mac.of(7, longer));
  auto swapped = message;
  std::swap_ranges(swapped.begin(), swapped.begin() + 16, swapped.begin() + 512);
  add(mac.of(7, swapped));
  add(BlockMac(some_key(3)).of(7, message));
  EXPECT_EQ(tags.size(), expected);
}

// Blocks that are alike do not cancel each other out.
TEST(BlockMac, EqualBlocksCountEach) {
  BlockMac mac(some_key(1));
  std::set<BlockTag> tags;
  for (std::uint8_t value = 0; value < 4; ++value) {
    for (std::size_t blocks : {2u, 4u, 64u}) tags.insert(mac.of(0, Buffer(16 * blocks, value)));
  }
  EXPECT_EQ(tags.size(), 12u);
}

}  // namespace
}  // namespace lb
