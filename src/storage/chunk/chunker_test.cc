#include "storage/chunk/chunker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "foundation/crypto/hash.h"

namespace lb {
namespace {

constexpr ChunkSizes sizes{16 << 10, 64 << 10, 256 << 10};
constexpr std::size_t mebibyte = 1 << 20;

Buffer noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Buffer out(size);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
  return out;
}

Buffer words(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Buffer out;
  while (out.size() < size) {
    auto line = std::to_string(random() % 5000) + (random() % 9 == 0 ? "\n" : " user@host ");
    out.insert(out.end(), line.begin(), line.end());
  }
  out.resize(size);
  return out;
}

// Fixed-size records that differ in a counter, as in a table of a database.
Buffer records(std::size_t size) {
  Buffer out(size);
  for (std::size_t i = 0; i + 64 <= size; i += 64) {
    auto number = i / 64;
    for (std::size_t b = 0; b < 4; ++b) out[i + b] = static_cast<std::uint8_t>(number >> (8 * b));
    out[i + 9] = 1;
    out[i + 40] = static_cast<std::uint8_t>(number * 37 >> 5);
  }
  return out;
}

Buffer repeated(std::size_t size) {
  auto piece = noise(1000, 3);
  Buffer out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = piece[i % piece.size()];
  return out;
}

struct Sample {
  const char* name;
  Buffer bytes;
};
std::vector<Sample> samples() {
  std::vector<Sample> out = {
      {"noise", noise(3 * mebibyte, 1)},  {"words", words(3 * mebibyte, 2)},
      {"zeros", Buffer(2 * mebibyte)},    {"ones", Buffer(mebibyte, 0xff)},
      {"records", records(2 * mebibyte)}, {"repeated", repeated(2 * mebibyte)}};
  for (auto size : std::vector<std::size_t>{1, 63, 64, 16383, 16384, 16385, 16400, 16447, 16448,
                                            65535, 65537}) {
    out.push_back({"short", noise(size, size)});
  }
  return out;
}

Secret key_of(std::uint8_t byte) { return Secret(ByteView(Buffer(32, byte))); }

std::vector<std::size_t> cut(const Chunker& chunker, ByteView bytes) {
  std::vector<std::size_t> out;
  while (!bytes.empty()) {
    out.push_back(chunker.first(bytes));
    bytes = bytes.subspan(out.back());
  }
  return out;
}

TEST(Candidates, EveryKernelFindsTheSame) {
  for (const auto& [name, all] : samples()) {
    auto bytes = ByteView(all).first(std::min(all.size(), mebibyte / 2));
    for (auto from : std::vector<std::size_t>{128, 129, 131, 190}) {
      if (bytes.size() < from + group_places) continue;
      std::vector<std::uint64_t> expected((bytes.size() - from) / group_places);
      for (std::size_t i = 0; i < expected.size() * group_places; ++i) {
        if (!is_candidate(bytes.data() + from + i)) continue;
        expected[i / group_places] |= std::uint64_t{1} << (i % group_places);
      }
      for (const auto& kernel : candidate_kernels()) {
        std::vector<std::uint64_t> found(expected.size());
        kernel.mark(bytes.data() + from, found.size(), found.data());
        EXPECT_TRUE(found == expected) << kernel.name << " on " << name << " from " << from;
      }
    }
  }
}

// One place in 1024, also where the same words come again and again.
TEST(Candidates, AreAsManyInTextAsInNoise) {
  for (const auto& bytes : {noise(4 * mebibyte, 5), words(4 * mebibyte, 6)}) {
    std::size_t count = 0;
    for (std::size_t place = candidate_look_back; place < bytes.size(); ++place) {
      if (is_candidate(bytes.data() + place)) ++count;
    }
    EXPECT_NEAR(static_cast<double>(count), 4096.0, 400.0);
  }
}

TEST(Chunker, CutsAlikeOnEveryProcessor) {
  for (const auto& [name, bytes] : samples()) {
    auto expected = cut(Chunker(key_of(7), sizes), bytes);
    for (const auto& kernel : candidate_kernels()) {
      for (auto way : {WindowPrf::Way::best, WindowPrf::Way::portable}) {
        EXPECT_EQ(cut(Chunker(key_of(7), sizes, kernel, way), bytes), expected)
            << kernel.name << " on " << name;
      }
    }
  }
}

// A changed cut costs all deduplication with what was stored before: it must not happen unnoticed.
TEST(Chunker, CutsAsItAlwaysDid) {
  auto lengths = cut(Chunker(key_of(7), sizes), words(mebibyte, 2));
  std::vector<std::size_t> expected = {68649, 56238, 42344, 65880, 57472, 45242, 45893,
                                       56892, 47152, 41626, 60039, 24541, 53588, 52758,
                                       51838, 45393, 49744, 50294, 52043, 43886, 37064};
  EXPECT_EQ(lengths, expected);
}

TEST(Chunker, KeepsTheSizes) {
  for (const auto& [name, bytes] : samples()) {
    auto lengths = cut(Chunker(key_of(7), sizes), bytes);
    std::size_t total = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      EXPECT_LE(lengths[i], sizes.max) << name;
      bool last = i + 1 == lengths.size();
      EXPECT_TRUE(last || lengths[i] >= sizes.min) << name;
      total += lengths[i];
    }
    EXPECT_EQ(total, bytes.size()) << name;
  }
}

TEST(Chunker, CutsAroundTheNormalSize) {
  auto bytes = noise(16 * mebibyte, 4);
  auto mean = bytes.size() / cut(Chunker(key_of(3), sizes), bytes).size();
  EXPECT_GT(mean, 44u << 10);
  EXPECT_LT(mean, 64u << 10);
}

TEST(Chunker, FindsItsBordersAgainBehindAnInsertion) {
  auto bytes = noise(8 * mebibyte, 2);
  auto longer = bytes;
  longer.insert(longer.begin() + 1'000'000, 77, 0xab);
  Chunker chunker(key_of(3), sizes);
  auto before = cut(chunker, bytes), after = cut(chunker, longer);
  std::size_t common = 0;
  while (before[before.size() - 1 - common] == after[after.size() - 1 - common]) {
    ++common;
  }
  EXPECT_GT(common, before.size() * 7 / 8 - 8);
}

TEST(Chunker, TheKeyDecides) {
  auto bytes = noise(4 * mebibyte, 1);
  auto borders = [&](std::uint8_t key) {
    std::set<std::size_t> out;
    std::size_t at = 0;
    for (auto length : cut(Chunker(key_of(key), sizes), bytes)) out.insert(at += length);
    return out;
  };
  auto one = borders(1), two = borders(2);
  std::vector<std::size_t> both;
  std::set_intersection(one.begin(), one.end(), two.begin(), two.end(), std::back_inserter(both));
  EXPECT_LE(both.size(), 3u);  // the end, and a little chance
}

// What the chunker replaced: a gear hash over every byte with the same sizes and the same two bits.
class GearChunker {
 public:
  explicit GearChunker(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (auto& each : gear_) each = random();
  }
  std::size_t first(ByteView bytes) const {
    auto size = std::min(bytes.size(), sizes.max);
    std::uint64_t hash = 0;
    for (auto i = sizes.min; i < size; ++i) {
      hash = (hash << 1) + gear_[bytes[i]];
      if ((hash >> (i < sizes.normal ? 46 : 50)) == 0) return i + 1;
    }
    return size;
  }

 private:
  std::array<std::uint64_t, 256> gear_;
};

// Bytes that are stored when `bytes` come in pieces cut by `chunker`, each once.
template <typename Cutter>
std::size_t unique_bytes(const Cutter& cutter, ByteView bytes) {
  std::set<Digest> known;
  std::size_t out = 0;
  while (!bytes.empty()) {
    auto chunk = bytes.first(cutter.first(bytes));
    if (known.insert(sha256(chunk)).second) out += chunk.size();
    bytes = bytes.subspan(chunk.size());
  }
  return out;
}

// The data, then the same with a few bytes inserted, removed or changed every half a mebibyte.
Buffer with_edited_copy(Buffer bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto original = bytes;
  bytes.push_back(1);
  for (std::size_t at = 0; at < original.size(); at += mebibyte / 2) {
    auto length = std::min(original.size() - at, mebibyte / 2 - random() % 300);
    auto piece = ByteView(original).subspan(at, length);
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    for (auto more = random() % 40; more > 0; --more) {
      bytes.push_back(static_cast<std::uint8_t>(random()));
    }
  }
  return bytes;
}

TEST(Chunker, FindsAsManyDuplicatesAsAGearHash) {
  std::size_t ours = 0, gear = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    auto bytes = with_edited_copy(
        seed % 2 == 0 ? words(4 * mebibyte, seed) : noise(4 * mebibyte, seed), seed);
    ours += unique_bytes(Chunker(key_of(static_cast<std::uint8_t>(seed)), sizes), bytes);
    gear += unique_bytes(GearChunker(seed), bytes);
  }
  RecordProperty("ours", static_cast<int>(ours >> 10));
  RecordProperty("gear", static_cast<int>(gear >> 10));
  EXPECT_LE(static_cast<double>(ours), 1.01 * static_cast<double>(gear));
}

}  // namespace
}  // namespace lb
