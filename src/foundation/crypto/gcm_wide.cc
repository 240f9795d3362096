// The hash multiplies in GF(2^128) with the bits of each byte the other way round. As is usual, the
// bytes are reversed instead and H is doubled beforehand, so that carry-less products need no shift
// (Gueron and Kounavis, "Intel Carry-Less Multiplication Instruction and its Usage for Computing
// the GCM Mode", 2010). Sixteen blocks are multiplied with H^16 to H^1 and reduced together.
#include "foundation/crypto/gcm_wide.h"

#include <algorithm>
#include <cstring>

#include "foundation/base/assert.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace lb::gcm_wide {

#if defined(__x86_64__)

#define LB_WIDE                                                                        \
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,vaes,vpclmulqdq,aes,pclmul,bmi2"), \
    gnu::always_inline]] inline
#define LB_WIDE_CALL \
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,vaes,vpclmulqdq,aes,pclmul,bmi2")]]

namespace {

constexpr std::size_t block_bytes = 16, vector_bytes = 64, vectors = 4;
constexpr std::size_t group_bytes = vectors * vector_bytes;  // sixteen blocks
constexpr std::size_t rounds_last = 14;
constexpr std::size_t bytes_max = std::size_t{1}
                                  << 35;  // of one nonce; its counter reaches twice that

using Block = __m128i;
using Blocks = __m512i;  // four

LB_WIDE Block load_block(const std::uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const Block*>(at));
}
LB_WIDE void store_block(std::uint8_t* at, Block block) {
  _mm_storeu_si128(reinterpret_cast<Block*>(at), block);
}

// --- the hash ---

LB_WIDE Block reversed(Block block) {
  return _mm_shuffle_epi8(block,
                          _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
LB_WIDE Blocks reversed(Blocks blocks) {
  return _mm512_shuffle_epi8(blocks, _mm512_broadcast_i32x4(_mm_set_epi8(
                                         0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

// Products that are not reduced yet: low, middle and high parts, in four lanes.
struct Products {
  Blocks low, middle, high;
};

LB_WIDE Products no_products() {
  return {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
}

LB_WIDE void add_product(Products& sum, Blocks a, Blocks b) {
  constexpr int exclusive_or = 0x96;  // of three
  sum.low = _mm512_xor_si512(sum.low, _mm512_clmulepi64_epi128(a, b, 0x00));
  sum.high = _mm512_xor_si512(sum.high, _mm512_clmulepi64_epi128(a, b, 0x11));
  sum.middle = _mm512_ternarylogic_epi64(sum.middle, _mm512_clmulepi64_epi128(a, b, 0x01),
                                         _mm512_clmulepi64_epi128(a, b, 0x10), exclusive_or);
}

LB_WIDE Block sum_of_lanes(Blocks blocks) {
  auto half =
      _mm256_xor_si256(_mm512_castsi512_si256(blocks), _mm512_extracti64x4_epi64(blocks, 1));
  return _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

// Modulo x^128 + x^127 + x^126 + x^121 + 1, in two folds of 64 bits.
LB_WIDE Block reduced(Block low, Block middle, Block high) {
  const auto polynomial = _mm_set_epi64x(0, static_cast<long long>(0xC200000000000000u));
  low = _mm_xor_si128(low, _mm_slli_si128(middle, 8));
  high = _mm_xor_si128(high, _mm_srli_si128(middle, 8));
  for (int fold = 0; fold < 2; ++fold) {
    low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4E), _mm_clmulepi64_si128(low, polynomial, 0x00));
  }
  return _mm_xor_si128(low, high);
}

LB_WIDE Block reduced(const Products& sum) {
  return reduced(sum_of_lanes(sum.low), sum_of_lanes(sum.middle), sum_of_lanes(sum.high));
}

LB_WIDE Block product(Block a, Block b) {
  auto middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
  return reduced(_mm_clmulepi64_si128(a, b, 0x00), middle, _mm_clmulepi64_si128(a, b, 0x11));
}

// H * x: the shift that the products leave out.
LB_WIDE Block doubled(Block h) {
  auto carries = _mm_srli_epi64(h, 63);
  auto shifted = _mm_or_si128(_mm_slli_epi64(h, 1), _mm_slli_si128(carries, 8));
  // All ones where the highest bit was set, without a branch.
  auto over = _mm_srai_epi32(_mm_shuffle_epi32(h, 0xFF), 31);
  const auto polynomial = _mm_set_epi64x(static_cast<long long>(0xC200000000000000u), 1);
  return _mm_xor_si128(shifted, _mm_and_si128(over, polynomial));
}

LB_WIDE Blocks first_with(Blocks blocks, Block hash) {
  return _mm512_xor_si512(blocks, _mm512_zextsi128_si512(hash));
}

LB_WIDE Blocks power_of(const Key& key, std::size_t vector) {
  return _mm512_load_si512(key.powers.data() + vector * vector_bytes);
}

// At most sixteen blocks; the last may be short, and counts as if zeros followed.
LB_WIDE Block hash_some(const Key& key, Block hash, const std::uint8_t* bytes, std::size_t size) {
  alignas(vector_bytes) std::uint8_t group[group_bytes] = {};
  auto blocks = (size + block_bytes - 1) / block_bytes;
  // They are put at the end, where the lowest powers are: zeros before them change nothing.
  auto* start = group + (vectors * 4 - blocks) * block_bytes;
  std::memcpy(start, bytes, size);
  if (blocks == 0) return hash;
  store_block(start, _mm_xor_si128(load_block(start), reversed(hash)));
  auto sum = no_products();
#pragma GCC unroll 4
  for (std::size_t i = 0; i < vectors; ++i) {
    add_product(sum, reversed(_mm512_load_si512(group + i * vector_bytes)), power_of(key, i));
  }
  return reduced(sum);
}

LB_WIDE Block hash_all(const Key& key, Block hash, ByteView bytes) {
  while (!bytes.empty()) {
    auto now = bytes.first(std::min(bytes.size(), group_bytes));
    hash = hash_some(key, hash, now.data(), now.size());
    bytes = bytes.subspan(now.size());
  }
  return hash;
}

// --- the cipher ---

struct Rounds {
  Blocks keys[rounds_last + 1];
};

LB_WIDE Rounds rounds_of(const Key& key) {
  Rounds out;
#pragma GCC unroll 15
  for (std::size_t i = 0; i <= rounds_last; ++i) {
    out.keys[i] = _mm512_broadcast_i32x4(load_block(key.rounds.data() + i * block_bytes));
  }
  return out;
}

LB_WIDE Block encrypt(const Key& key, Block block) {
  block = _mm_xor_si128(block, load_block(key.rounds.data()));
  for (std::size_t i = 1; i < rounds_last; ++i) {
    block = _mm_aesenc_si128(block, load_block(key.rounds.data() + i * block_bytes));
  }
  return _mm_aesenclast_si128(block, load_block(key.rounds.data() + rounds_last * block_bytes));
}

// Counter blocks with their bytes reversed, so that the counter lies lowest and vectors can add to
// it.
LB_WIDE Block counter_block(const Nonce& nonce, std::uint32_t count) {
  std::uint8_t bytes[block_bytes] = {};
  std::copy(nonce.begin(), nonce.end(), bytes);
  return _mm_or_si128(reversed(load_block(bytes)), _mm_cvtsi32_si128(static_cast<int>(count)));
}

struct Counters {
  Blocks next;  // four blocks, reversed
};

LB_WIDE Counters counters_from(const Nonce& nonce, std::uint32_t count) {
  const auto steps = _mm512_set_epi32(0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0);
  return {_mm512_add_epi32(_mm512_broadcast_i32x4(counter_block(nonce, count)), steps)};
}

// The next sixteen blocks of the key stream.
LB_WIDE void key_stream(const Rounds& rounds, Counters& counters, Blocks (&out)[vectors]) {
  const auto four = _mm512_set_epi32(0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < vectors; ++i) {
    out[i] = _mm512_xor_si512(reversed(counters.next), rounds.keys[0]);
    counters.next = _mm512_add_epi32(counters.next, four);
  }
#pragma GCC unroll 13
  for (std::size_t round = 1; round < rounds_last; ++round) {
#pragma GCC unroll 4
    for (auto& blocks : out) blocks = _mm512_aesenc_epi128(blocks, rounds.keys[round]);
  }
#pragma GCC unroll 4
  for (auto& blocks : out) blocks = _mm512_aesenclast_epi128(blocks, rounds.keys[rounds_last]);
}

enum class Way { seal, open };

// Sixteen blocks: ciphered, and what is ciphered hashed. `in` may be `out`.
template <Way way>
LB_WIDE Block one_group(const Key& key, const Rounds& rounds, Counters& counters, Block hash,
                        const std::uint8_t* in, std::uint8_t* out) {
  Blocks stream[vectors];
  key_stream(rounds, counters, stream);
  auto sum = no_products();
#pragma GCC unroll 4
  for (std::size_t i = 0; i < vectors; ++i) {
    auto taken = _mm512_loadu_si512(in + i * vector_bytes);
    auto given = _mm512_xor_si512(taken, stream[i]);
    _mm512_storeu_si512(out + i * vector_bytes, given);
    auto hashed = reversed(way == Way::seal ? given : taken);
    add_product(sum, i == 0 ? first_with(hashed, hash) : hashed, power_of(key, i));
  }
  return reduced(sum);
}

template <Way way>
LB_WIDE Block short_group(const Key& key, const Rounds& rounds, Counters& counters, Block hash,
                          const std::uint8_t* in, std::uint8_t* out, std::size_t size) {
  alignas(vector_bytes) std::uint8_t group[group_bytes] = {};
  std::memcpy(group, in, size);
  if (way == Way::open) hash = hash_some(key, hash, group, size);
  Blocks stream[vectors];
  key_stream(rounds, counters, stream);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < vectors; ++i) {
    auto* at = group + i * vector_bytes;
    _mm512_store_si512(at, _mm512_xor_si512(_mm512_load_si512(at), stream[i]));
  }
  std::memcpy(out, group, size);
  if (way == Way::seal) hash = hash_some(key, hash, group, size);
  return hash;
}

template <Way way>
LB_WIDE Block all_groups(const Key& key, const Rounds& rounds, Counters& counters, Block hash,
                         ByteView in, std::uint8_t* out) {
  std::size_t done = 0;
  for (; in.size() - done >= group_bytes; done += group_bytes) {
    hash = one_group<way>(key, rounds, counters, hash, in.data() + done, out + done);
  }
  auto rest = in.size() - done;
  if (rest == 0) return hash;
  return short_group<way>(key, rounds, counters, hash, in.data() + done, out + done, rest);
}

LB_WIDE Tag tag_of(const Key& key, const Nonce& nonce, Block hash, std::size_t bound_bytes,
                   std::size_t bytes) {
  auto sizes =
      _mm_set_epi64x(static_cast<long long>(bound_bytes) * 8, static_cast<long long>(bytes) * 8);
  const auto h = load_block(key.powers.data() + 15 * block_bytes);
  hash = product(_mm_xor_si128(hash, sizes), h);
  Tag out;
  auto mask = encrypt(key, reversed(counter_block(nonce, 1)));
  store_block(out.data(), _mm_xor_si128(reversed(hash), mask));
  return out;
}

LB_WIDE_CALL Tag seal_wide(const Key& key, const Nonce& nonce, ByteView bound, ByteView head,
                           ByteView body, std::uint8_t* out) {
  const auto rounds = rounds_of(key);
  auto counters = counters_from(nonce, 2);
  auto hash = hash_all(key, _mm_setzero_si128(), bound);
  const auto bytes = head.size() + body.size();
  if (!head.empty()) {
    std::uint8_t group[group_bytes];
    auto filled = std::min(body.size(), group_bytes - head.size());
    std::copy(head.begin(), head.end(), group);
    std::copy_n(body.begin(), filled, group + head.size());
    ByteView first(group, head.size() + filled);
    hash = all_groups<Way::seal>(key, rounds, counters, hash, first, out);
    out += first.size();
    body = body.subspan(filled);
  }
  hash = all_groups<Way::seal>(key, rounds, counters, hash, body, out);
  return tag_of(key, nonce, hash, bound.size(), bytes);
}

LB_WIDE_CALL Tag open_wide(const Key& key, const Nonce& nonce, ByteView bound, ByteView sealed,
                           std::uint8_t* plain) {
  const auto rounds = rounds_of(key);
  auto counters = counters_from(nonce, 2);
  auto hash = hash_all(key, _mm_setzero_si128(), bound);
  hash = all_groups<Way::open>(key, rounds, counters, hash, sealed, plain);
  return tag_of(key, nonce, hash, bound.size(), sealed.size());
}

// --- the key ---

// Of the key schedule: the sum of a block's words from the left up to each.
LB_WIDE Block summed(Block key) {
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  return _mm_xor_si128(key, _mm_slli_si128(key, 8));
}

template <int constant>
LB_WIDE void two_keys(Block& even, Block& odd, std::uint8_t* out) {
  even = _mm_xor_si128(summed(even),
                       _mm_shuffle_epi32(_mm_aeskeygenassist_si128(odd, constant), 0xFF));
  store_block(out, even);
  odd = _mm_xor_si128(summed(odd), _mm_shuffle_epi32(_mm_aeskeygenassist_si128(even, 0), 0xAA));
  store_block(out + block_bytes, odd);
}

LB_WIDE_CALL void expand_wide(ByteView key, Key& out) {
  auto even = load_block(key.data()), odd = load_block(key.data() + block_bytes);
  auto* at = out.rounds.data();
  store_block(at, even);
  store_block(at + block_bytes, odd);
  two_keys<0x01>(even, odd, at + 2 * block_bytes);
  two_keys<0x02>(even, odd, at + 4 * block_bytes);
  two_keys<0x04>(even, odd, at + 6 * block_bytes);
  two_keys<0x08>(even, odd, at + 8 * block_bytes);
  two_keys<0x10>(even, odd, at + 10 * block_bytes);
  two_keys<0x20>(even, odd, at + 12 * block_bytes);
  auto last = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(odd, 0x40), 0xFF);
  store_block(at + 14 * block_bytes, _mm_xor_si128(summed(even), last));

  const auto h = doubled(reversed(encrypt(out, _mm_setzero_si128())));
  auto power = h;
  for (std::size_t place = 16; place-- > 0;) {
    store_block(out.powers.data() + place * block_bytes, power);
    power = product(power, h);
  }
}

bool ask_processor() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned vaes = 1u << 9, vpclmulqdq = 1u << 10;
  bool vectors_known =
      __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c & vaes) != 0 && (c & vpclmulqdq) != 0;
  // These also ask whether the system keeps the registers.
  return vectors_known && __builtin_cpu_supports("avx512f") != 0 &&
         __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("aes") != 0 &&
         __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("bmi2") != 0;
}

}  // namespace

bool supported() {
  static const bool known = ask_processor();
  return known;
}

void expand(ByteView key, Key& out) {
  LB_ASSERT(supported() && key.size() == 32);
  expand_wide(key, out);
}

Tag seal(const Key& key, const Nonce& nonce, ByteView bound, ByteView head, ByteView body,
         std::uint8_t* out) {
  LB_ASSERT(supported() && head.size() <= head_bytes_max && body.size() < bytes_max);
  return seal_wide(key, nonce, bound, head, body, out);
}

Tag open(const Key& key, const Nonce& nonce, ByteView bound, ByteView sealed, std::uint8_t* plain) {
  LB_ASSERT(supported() && sealed.size() < bytes_max);
  return open_wide(key, nonce, bound, sealed, plain);
}

#undef LB_WIDE
#undef LB_WIDE_CALL

#else

bool supported() { return false; }
void expand(ByteView, Key&) { LB_ASSERT(supported()); }
Tag seal(const Key&, const Nonce&, ByteView, ByteView, ByteView, std::uint8_t*) {
  LB_ASSERT(supported());
  return {};
}
Tag open(const Key&, const Nonce&, ByteView, ByteView, std::uint8_t*) {
  LB_ASSERT(supported());
  return {};
}

#endif

}  // namespace lb::gcm_wide
