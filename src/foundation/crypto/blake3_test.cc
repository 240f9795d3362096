#include "foundation/crypto/blake3.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <random>

#include "foundation/base/text.h"
#include "foundation/crypto/test_noise.h"

namespace lb {
namespace {

using Words16 = std::array<std::uint32_t, 16>;

// The paper once more, word by word and by recursion: no lanes, no levels.
Words16 compressed(const Blake3Words& value, Words16 m, std::uint64_t counter, std::uint32_t bytes,
                   std::uint32_t flags) {
  Words16 v{};
  std::copy(value.begin(), value.end(), v.begin());
  std::copy_n(blake3_start.begin(), 4, v.begin() + 8);
  v[12] = static_cast<std::uint32_t>(counter);
  v[13] = static_cast<std::uint32_t>(counter >> 32);
  v[14] = bytes;
  v[15] = flags;
  auto mix = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint32_t x,
                 std::uint32_t y) {
    v[a] += v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 7);
  };
  for (int round = 0; round < 7; ++round) {
    for (std::size_t i = 0; i < 4; ++i) mix(i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1]);
    for (std::size_t i = 0; i < 4; ++i) {
      mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i]);
    }
    auto before = m;
    std::size_t order[] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
    for (std::size_t i = 0; i < 16; ++i) m[i] = before[order[i]];
  }
  for (std::size_t i = 0; i < 8; ++i) v[i] ^= v[8 + i];
  return v;
}

Blake3Words value_of(const Blake3Words& key, ByteView bytes, std::uint64_t leaf, bool is_root) {
  auto root = is_root ? blake3_flag::root : 0;
  Blake3Words value = key;
  Words16 block{};
  if (bytes.size() > blake3_leaf_bytes) {
    auto left = std::bit_floor((bytes.size() - 1) / blake3_leaf_bytes);
    auto cut = left * blake3_leaf_bytes;
    auto a = value_of(key, bytes.first(cut), leaf, false);
    auto b = value_of(key, bytes.subspan(cut), leaf + left, false);
    std::copy(a.begin(), a.end(), block.begin());
    std::copy(b.begin(), b.end(), block.begin() + 8);
    auto out = compressed(key, block, 0, 64, blake3_flag::keyed | blake3_flag::parent | root);
    std::copy_n(out.begin(), 8, value.begin());
    return value;
  }
  auto flags = blake3_flag::keyed | blake3_flag::leaf_start;
  for (;;) {
    auto part = bytes.first(std::min<std::size_t>(64, bytes.size()));
    bool last = part.size() == bytes.size();
    block = {};
    if (!part.empty()) std::memcpy(block.data(), part.data(), part.size());
    auto out = compressed(value, block, leaf, static_cast<std::uint32_t>(part.size()),
                          flags | (last ? blake3_flag::leaf_end | root : 0));
    std::copy_n(out.begin(), 8, value.begin());
    if (last) return value;
    bytes = bytes.subspan(64);
    flags = blake3_flag::keyed;
  }
}

Digest by_hand(const Buffer& key, ByteView message) {
  Blake3Words words;
  std::memcpy(words.data(), key.data(), sizeof words);
  auto value = value_of(words, message, 0, true);
  Digest out;
  std::memcpy(out.data(), value.data(), out.size());
  return out;
}

Buffer some_noise(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);
  return noise(random, size);
}

class Blake3 : public testing::TestWithParam<Blake3Kernel> {
 protected:
  const Buffer key_ = some_noise(1, 32);
  const KeyedBlake3 mac_{key_, GetParam()};
};

// The keyed hashes of the authors' test vectors (test_vectors.json, CC0): the bytes 0 to 250, again
// and again.
TEST_P(Blake3, GivesWhatItsAuthorsWroteDown) {
  const std::vector<std::pair<std::size_t, const char*>> expected = {
      {0, "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"},
      {1, "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b"},
      {1023, "c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e"},
      {1024, "75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4"},
      {1025, "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69"},
      {2048, "879cf1fa2ea0e79126cb1063617a05b6ad9d0b696d0d757cf053439f60a99dd1"},
      {2049, "9f29700902f7c86e514ddc4df1e3049f258b2472b6dd5267f61bf13983b78dd5"},
      {3072, "044a0e7b172a312dc02a4c9a818c036ffa2776368d7f528268d2e6b5df191770"},
      {4097, "00df940cd36bb9fa7cbbc3556744e0dbc8191401afe70520ba292ee3ca80abbc"},
      {5121, "6ccf1c34753e7a044db80798ecd0782a8f76f33563accaddbfbb2e0ea4b2d024"},
      {7168, "b42835e40e9d4a7f42ad8cc04f85a963a76e18198377ed84adddeaecacc6f3fc"},
  };
  KeyedBlake3 mac(view_of("whats the Elvish word for friend"), GetParam());
  for (const auto& [size, digest] : expected) {
    Buffer message(size);
    for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<std::uint8_t>(i % 251);
    EXPECT_EQ(to_hex(mac.of(message)), digest) << size;
  }
}

TEST_P(Blake3, IsThePaperForEveryLength) {
  auto noise = some_noise(2, 70'000);
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size < 2'200; ++size) sizes.push_back(size);
  for (auto leaves : {3u, 4u, 5u, 7u, 8u, 9u, 15u, 16u, 17u, 31u, 33u, 64u, 65u}) {
    for (auto more : {0u, 1u, 63u, 64u, 65u, 960u, 1023u}) {
      sizes.push_back(leaves * blake3_leaf_bytes + more);
    }
  }
  for (auto size : sizes) {
    auto message = ByteView(noise).first(size);
    ASSERT_EQ(mac_.of(message), by_hand(key_, message)) << size;
  }
}

TEST_P(Blake3, ManyMessagesGiveTheDigestsOfEach) {
  std::mt19937 random(3);
  auto noise = some_noise(4, 300'000);
  for (auto count : {1u, 2u, 3u, 15u, 16u, 17u, 40u, 100u}) {
    std::vector<Buffer> copies;  // at the very end of memory of their own, for ASan
    for (std::size_t i = 0; i < count; ++i) {
      auto size = random() % (random() % 2 == 0 ? 1'500 : 30'000);
      auto from = random() % (noise.size() - size);
      auto bytes = ByteView(noise).subspan(from, size);
      copies.emplace_back(bytes.begin(), bytes.end());
    }
    std::vector<ByteView> messages(copies.begin(), copies.end());
    std::vector<Digest> digests(count);
    mac_.of_many(messages, digests);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(digests[i], by_hand(key_, messages[i])) << i << " of " << count;
    }
  }
  mac_.of_many({}, {});
}

TEST_P(Blake3, EveryBitOfKeyAndMessageCounts) {
  auto message = some_noise(5, 5'000);
  auto before = mac_.of(message);
  for (std::size_t bit = 0; bit < 8 * message.size(); bit += 97) {
    message[bit / 8] ^= 1 << bit % 8;
    EXPECT_NE(mac_.of(message), before) << bit;
    message[bit / 8] ^= 1 << bit % 8;
  }
  auto key = key_;
  for (std::size_t bit = 0; bit < 8 * key.size(); ++bit) {
    key[bit / 8] ^= 1 << bit % 8;
    EXPECT_NE(KeyedBlake3(key, GetParam()).of(message), before) << bit;
    key[bit / 8] ^= 1 << bit % 8;
  }
  EXPECT_EQ(mac_.of(message), before);
}

INSTANTIATE_TEST_SUITE_P(Kernels, Blake3, testing::ValuesIn(blake3_kernels()),
                         [](const auto& kernel) {
                           auto name = std::string(kernel.param.name);
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace lb
