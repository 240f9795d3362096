#include "foundation/crypto/aead.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/crypto/gcm_wide.h"
#include "foundation/crypto/test_noise.h"

namespace lb {
namespace {

TEST(Aead, KnownAnswerOfTheGcmSpecification) {
  Aead aead{Secret(ByteView(Buffer(32, 0)))};
  Buffer sealed;
  aead.seal({}, {}, Buffer(8, 0), Buffer(8, 0), sealed);
  EXPECT_EQ(to_hex(sealed), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

// Every length up to some groups of vectors, each split between head and body, and some long ones.
TEST(Aead, GivesTheSameByEitherWay) {
  if (!gcm_wide::supported()) GTEST_SKIP() << "this processor has no vectors for AES-GCM";
  std::mt19937_64 random(1);
  for (std::size_t size = 0; size < 1100; ++size) {
    auto key = noise(random, 32), plain = noise(random, size), bound = noise(random, size % 600);
    AeadNonce nonce{static_cast<std::uint8_t>(random()), 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0xFF};
    Aead best{Secret(ByteView(key))}, portable{Secret(ByteView(key)), Aead::Way::portable};
    for (auto head : std::initializer_list<std::size_t>{0, 5, 16, 255, 256, 257, 700}) {
      if (head > size) break;
      Buffer by_best, by_portable;
      auto first = ByteView(plain).first(head), rest = ByteView(plain).subspan(head);
      best.seal(nonce, bound, first, rest, by_best);
      portable.seal(nonce, bound, first, rest, by_portable);
      ASSERT_EQ(by_best, by_portable) << size << " " << head;
      ASSERT_EQ(best.open(nonce, bound, by_portable).value(), plain) << size;
      ASSERT_EQ(portable.open(nonce, bound, by_best).value(), plain) << size;
    }
  }
  for (auto size : std::initializer_list<std::size_t>{70'000, 1 << 20, (5 << 20) + 77}) {
    auto key = noise(random, 32), plain = noise(random, size);
    Aead best{Secret(ByteView(key))}, portable{Secret(ByteView(key)), Aead::Way::portable};
    Buffer sealed;
    portable.seal({3}, view_of("name"), view_of("h"), plain, sealed);
    auto opened = best.open_in_place({3}, view_of("name"), sealed);
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE(std::equal(opened->begin() + 1, opened->end(), plain.begin(), plain.end()));
  }
}

TEST(Aead, EveryFlippedBitIsSeen) {
  Aead aead{Secret(ByteView(Buffer(32, 9)))};
  AeadNonce nonce{1};
  Buffer sealed;
  aead.seal(nonce, view_of("name"), view_of("h"), view_of("body"), sealed);
  EXPECT_EQ(text_of(aead.open(nonce, view_of("name"), sealed).value()), "hbody");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto changed = sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    EXPECT_FALSE(aead.open(nonce, view_of("name"), changed).ok());
  }
  EXPECT_FALSE(aead.open(nonce, view_of("nama"), sealed).ok());
  EXPECT_FALSE(aead.open({2}, view_of("name"), sealed).ok());
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(aead.open(nonce, view_of("name"), ByteView(sealed).first(size)).ok());
  }
}

TEST(Aead, OpensInPlaceAsItOpensApart) {
  Aead aead{Secret(ByteView(Buffer(32, 9)))};
  AeadNonce nonce{1};
  for (auto size : std::initializer_list<std::size_t>{0, 1, 15, 16, 17, 1000, 70'000}) {
    Buffer plain(size, 7), sealed;
    aead.seal(nonce, view_of("name"), {}, plain, sealed);
    auto again = sealed;
    auto opened = aead.open_in_place(nonce, view_of("name"), again);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened->data(), again.data());
    EXPECT_EQ(Buffer(opened->begin(), opened->end()), plain);
    again = sealed;
    again[size / 2] ^= 1;
    EXPECT_FALSE(aead.open_in_place(nonce, view_of("name"), again).ok());
    again.assign(sealed.begin(), sealed.begin() + aead_tag_bytes - 1);
    EXPECT_FALSE(aead.open_in_place(nonce, view_of("name"), again).ok());
  }
}

TEST(Aead, SealsNothing) {
  Aead aead{Secret(ByteView(Buffer(32, 9)))};
  Buffer sealed;
  aead.seal({}, {}, {}, {}, sealed);
  EXPECT_EQ(sealed.size(), aead_tag_bytes);
  auto opened = aead.open({}, {}, sealed);
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(opened->empty());
}

}  // namespace
}  // namespace lb
