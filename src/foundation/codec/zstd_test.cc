#include <gtest/gtest.h>

#include <random>

#include "foundation/codec/zstd.h"

namespace lb {
namespace {

Buffer noise(std::size_t size) {
  std::mt19937_64 engine(7);
  Buffer out(size);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(engine());
  return out;
}

// Empty when it does not shrink.
Buffer shrink(Compressor& compressor, ByteView plain) {
  Buffer out(shrink_room(plain.size()));
  out.resize(compressor.shrink(plain, out));
  return out;
}

TEST(Zstd, RoundTripOfManySizes) {
  Compressor compressor;
  for (std::size_t size : {32u, 33u, 1000u, 65536u, 70000u, 262144u, 1u << 20}) {
    Buffer plain(size);
    for (std::size_t i = 0; i < size; ++i) plain[i] = static_cast<std::uint8_t>((i / 7) % 50);
    auto packed = shrink(compressor, plain);
    if (packed.empty()) {
      EXPECT_LT(size, 1000u);
      continue;
    }
    EXPECT_LT(packed.size(), size);
    auto back = decompress(packed, size);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, plain);
  }
}

TEST(Zstd, RandomDataDoesNotShrink) {
  Compressor compressor;
  EXPECT_TRUE(shrink(compressor, noise(1 << 20)).empty());
  EXPECT_TRUE(shrink(compressor, noise(5000)).empty());
  EXPECT_TRUE(shrink(compressor, {}).empty());
}

// All bytes equally often, and yet a pattern: the larger sample finds it.
TEST(Zstd, WhatOnlyLooksRandomIsCompressed) {
  Compressor compressor;
  Buffer plain(1 << 18);
  for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<std::uint8_t>(i * 97);
  auto packed = shrink(compressor, plain);
  EXPECT_GT(packed.size(), 0u);
  EXPECT_LT(packed.size(), plain.size() / 8);
}

// A little order is enough to be compressed: the first look must not judge too early.
TEST(Zstd, SixBitsInEightAreCompressed) {
  Compressor compressor;
  auto plain = noise(1 << 18);
  for (auto& byte : plain) byte &= 0x3f;
  auto packed = shrink(compressor, plain);
  EXPECT_GT(packed.size(), 0u);
  EXPECT_LT(packed.size(), plain.size() * 4 / 5);
}

TEST(Zstd, WrongSizesAndDamageAreErrors) {
  Compressor compressor;
  Buffer plain(10000, 5);
  auto packed = shrink(compressor, plain);
  ASSERT_FALSE(packed.empty());
  EXPECT_EQ(decompress(packed, plain.size() - 1).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(decompress(packed, plain.size() + 1).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(decompress(ByteView(packed).first(packed.size() - 1), plain.size()).error().kind(),
            ErrorKind::corrupt);
  EXPECT_EQ(decompress({}, 5).error().kind(), ErrorKind::corrupt);
}

}  // namespace
}  // namespace lb
