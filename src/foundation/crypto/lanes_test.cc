#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "foundation/crypto/hash.h"
#include "foundation/crypto/hmac_lanes.h"
#include "foundation/crypto/sha256_lanes.h"
#include "foundation/crypto/test_noise.h"

namespace lb {
namespace {

Digest reference(ByteView key, ByteView message) {
  Digest out;
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(),
       out.data(), &size);
  return out;
}

void expect_like_openssl(ByteView key, const std::vector<Buffer>& messages) {
  std::vector<ByteView> views(messages.begin(), messages.end());
  std::vector<Digest> digests(messages.size());
  Hmac(key).of_many(views, digests);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(to_hex(digests[i]), to_hex(reference(key, messages[i])))
        << "message " << i << " of " << messages.size() << ", " << messages[i].size() << " bytes";
  }
}

TEST(HmacOfMany, EveryLengthAlone) {
  std::mt19937_64 random(1);
  auto key = noise(random, 32);
  for (std::size_t size = 0; size <= 300; ++size) expect_like_openssl(key, {noise(random, size)});
}

TEST(HmacOfMany, EveryLengthInCompany) {
  std::mt19937_64 random(2);
  auto key = noise(random, 32);
  std::vector<Buffer> messages;
  for (std::size_t size = 0; size <= 300; ++size) messages.push_back(noise(random, size));
  std::shuffle(messages.begin(), messages.end(), random);
  expect_like_openssl(key, messages);
}

TEST(HmacOfMany, AnyCountOfAnyLengthUnderAnyKey) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    auto key = noise(random, 1 + random() % 150);
    std::vector<Buffer> messages;
    for (auto count = random() % 11; count > 0; --count) {
      messages.push_back(noise(random, random() % (random() % 4 == 0 ? 70000 : 2000)));
    }
    expect_like_openssl(key, messages);
  }
}

TEST(HmacOfMany, MessagesAtOddAddresses) {
  std::mt19937_64 random(4);
  auto key = noise(random, 32);
  auto bytes = noise(random, 40000);
  std::vector<ByteView> views;
  for (std::size_t i = 0; i < 9; ++i) views.push_back(ByteView(bytes).subspan(i * 4001 + i, 3999));
  std::vector<Digest> digests(views.size());
  Hmac(key).of_many(views, digests);
  for (std::size_t i = 0; i < views.size(); ++i) EXPECT_EQ(digests[i], reference(key, views[i]));
}

TEST(HmacOfMany, AnyNumberOfSeats) {
  if (sha256_kernels().empty()) GTEST_SKIP() << "the processor has no way to hash side by side";
  std::mt19937_64 random(6);
  auto key = noise(random, 32);
  std::vector<Buffer> messages;
  for (int i = 0; i < 60; ++i) messages.push_back(noise(random, random() % 5000));
  std::vector<ByteView> views(messages.begin(), messages.end());
  for (std::size_t seats = 1; seats <= sha256_lanes_max; ++seats) {
    std::vector<Digest> digests(messages.size());
    HmacLanes(key, seats).of(views, digests);
    for (std::size_t i = 0; i < messages.size(); ++i) {
      EXPECT_EQ(to_hex(digests[i]), to_hex(reference(key, messages[i]))) << seats << " seats";
    }
  }
}

void feed_one(const Sha256Kernel& kernel, Sha256Words& words, const std::uint8_t* bytes,
              std::size_t blocks) {
  Sha256States states;
  states.set(0, words);
  kernel.feed(states, {bytes}, 1, blocks);
  words = states.get(0);
}

class Sha256Kernels : public ::testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (GetParam() >= sha256_kernels().size()) GTEST_SKIP() << "the processor has no such way";
  }
  const Sha256Kernel& kernel() const { return sha256_kernels()[GetParam()]; }
};
INSTANTIATE_TEST_SUITE_P(All, Sha256Kernels, ::testing::Values(0u, 1u));

// A whole message of one block, padded by hand.
TEST_P(Sha256Kernels, GiveTheKnownDigestInEveryLane) {
  std::array<std::uint8_t, sha256_block_bytes> block{'a', 'b', 'c', 0x80};
  block[63] = 24;
  Sha256States states;
  Sha256LaneBytes bytes;
  bytes.fill(block.data());
  for (std::size_t lane = 0; lane < sha256_lanes_max; ++lane) states.set(lane, sha256_start);
  kernel().feed(states, bytes, sha256_lanes_max, 1);
  Sha256Words expected = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                          0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
  for (std::size_t lane = 0; lane < sha256_lanes_max; ++lane) {
    EXPECT_EQ(states.get(lane), expected) << kernel().name << ", lane " << lane;
  }
}

// Continues messages in pieces of any number of blocks, on any number of lanes; the others keep
// their state.
TEST_P(Sha256Kernels, GoOnWhereTheyStopped) {
  std::mt19937_64 random(5);
  constexpr std::size_t blocks = 50;
  std::array<Buffer, sha256_lanes_max> messages;
  std::array<Sha256Words, sha256_lanes_max> alone;
  alone.fill(sha256_start);
  for (std::size_t n = 0; n < messages.size(); ++n) {
    messages[n] = noise(random, blocks * sha256_block_bytes);
    feed_one(kernel(), alone[n], messages[n].data(), blocks);
  }
  for (std::size_t count = 1; count <= sha256_lanes_max; ++count) {
    Sha256States states;
    for (std::size_t n = 0; n < sha256_lanes_max; ++n) states.set(n, sha256_start);
    for (std::size_t done = 0; done < blocks;) {
      auto step = std::min<std::size_t>(1 + random() % 7, blocks - done);
      Sha256LaneBytes bytes{};
      for (std::size_t n = 0; n < count; ++n) {
        bytes[n] = messages[n].data() + done * sha256_block_bytes;
      }
      kernel().feed(states, bytes, count, step);
      done += step;
    }
    for (std::size_t n = 0; n < sha256_lanes_max; ++n) {
      EXPECT_EQ(states.get(n), n < count ? alone[n] : sha256_start)
          << kernel().name << ", " << count << " lanes, lane " << n;
    }
  }
}

}  // namespace
}  // namespace lb
