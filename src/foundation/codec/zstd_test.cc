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

TEST(Zstd, RoundTripOfManySizes) {
  Compressor compressor;
  for (std::size_t size : {32u, 33u, 1000u, 65536u, 70000u, 262144u, 1u << 20}) {
    Buffer plain(size);
    for (std::size_t i = 0; i < size; ++i) plain[i] = static_cast<std::uint8_t>((i / 7) % 50);
    Buffer packed;
    if (!compressor.shrink(plain, packed)) {
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
  Buffer out;
  EXPECT_FALSE(compressor.shrink(noise(1 << 20), out));
  EXPECT_FALSE(compressor.shrink(noise(5000), out));
  EXPECT_FALSE(compressor.shrink({}, out));
}

TEST(Zstd, WrongSizesAndDamageAreErrors) {
  Compressor compressor;
  Buffer plain(10000, 5), packed;
  ASSERT_TRUE(compressor.shrink(plain, packed));
  EXPECT_EQ(decompress(packed, plain.size() - 1).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(decompress(packed, plain.size() + 1).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(decompress(ByteView(packed).first(packed.size() - 1), plain.size()).error().kind(),
            ErrorKind::corrupt);
  EXPECT_EQ(decompress({}, 5).error().kind(), ErrorKind::corrupt);
}

}  // namespace
}  // namespace lb
