#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <random>

#include "foundation/crypto/hash.h"
#include "foundation/crypto/sha256_lanes.h"

namespace lb {
namespace {

Buffer noise(std::mt19937_64& random, std::size_t size) {
  Buffer out(size);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
  return out;
}

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

// Continues a message in pieces of any number of blocks, on any number of lanes.
TEST(Sha256Lanes, GoOnWhereTheyStopped) {
  if (!sha256_lanes_supported()) GTEST_SKIP() << "the processor has no SHA instructions";
  std::mt19937_64 random(5);
  constexpr std::size_t blocks = 50;
  std::array<Buffer, sha256_lanes_max> bytes;
  for (auto& each : bytes) each = noise(random, blocks * sha256_block_bytes);
  for (std::size_t count = 1; count <= sha256_lanes_max; ++count) {
    std::array<Sha256Words, sha256_lanes_max> at_once, in_pieces;
    std::array<Sha256Lane, sha256_lanes_max> lanes;
    at_once.fill(sha256_start);
    in_pieces.fill(sha256_start);
    for (std::size_t n = 0; n < count; ++n) lanes[n] = {&at_once[n], bytes[n].data()};
    sha256_lanes(lanes, count, blocks);
    for (std::size_t done = 0; done < blocks;) {
      auto step = std::min<std::size_t>(1 + random() % 7, blocks - done);
      for (std::size_t n = 0; n < count; ++n) {
        lanes[n] = {&in_pieces[n], bytes[n].data() + done * sha256_block_bytes};
      }
      sha256_lanes(lanes, count, step);
      done += step;
    }
    EXPECT_EQ(at_once, in_pieces) << count << " lanes";
  }
}

}  // namespace
}  // namespace lb
