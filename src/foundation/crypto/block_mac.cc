#include "foundation/crypto/block_mac.h"

#include <algorithm>

#include "foundation/base/assert.h"
#include "foundation/crypto/aes_blocks.h"
#include "foundation/crypto/hash.h"

// Why it holds. T = Out(In(b1 ^ M1) ^ .. ^ In(bn ^ Mn) ^ In(last ^ M64)): In, Out and the masks M
// are AES-128 under three keys that HMAC-SHA-256 makes of the one given.
// - `last` holds number and size and has a mask of its own, so two pairs of number and message that
//   differ give In two sets of blocks, each with its place, that differ.
// - Take away what both sets have. Blocks left of one place differ; of two places they are the same
//   after masking with a chance of 2^-128 for each of at most 130 * 129 / 2 pairs, as masks are the
//   output of a cipher whose key serves nothing else. If none are, the sums are equal with a chance
//   of 1 / (2^128 - 130) at most. So two inputs meet before Out with a chance e < 2^-114, whatever
//   they are, if they are chosen without knowledge of the sums.
// - Nothing shows the sums: Out is a permutation under its own key, so tags only tell which sums
//   are equal, and in q tags none are but for q^2 / 2 * e. Therefore no nonce is needed, and inputs
//   that are chosen after seeing tags do no better (Carter and Wegman's way: hash, then encipher).
// - A forged pair has the tag of one that was seen if their sums meet: q * e an attempt. Any other
//   tag is right by chance: 1 / (2^128 - q). Tags are not cut short. With 2^24 tags a key (a table
//   of 16 GiB): 2^-90 an attempt; 2^-67 that any two genuine sums ever meet; AES taken for a random
//   function costs 2^-81 more.
// - Not its business: old messages that are put back (the header says so), and what a neighbour
//   learns from the processor's caches where OpenSSL has neither instructions nor bit-sliced AES.

namespace lb {

namespace {

static_assert(BlockMac::message_bytes_max == (mac_blocks_max - 1) * aes_block_bytes);

AesKey derived_key(const Hmac& from, std::uint8_t number) {
  std::uint8_t label[] = {'m', 'a', 'c', number};
  auto digest = from.of(label);
  AesKey out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  wipe(digest);
  return out;
}

AesBlock last_block(std::uint64_t number, std::uint64_t size) {
  AesBlock out;
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(number >> (8 * i));
    out[8 + i] = static_cast<std::uint8_t>(size >> (8 * i));
  }
  return out;
}

}  // namespace

struct BlockMac::State {
  State(AesKey inner_key, AesKey outer_key, AesKey mask_key)
      : inner(inner_key),
        outer(outer_key),
        rounds{expand_aes_key(inner_key), expand_aes_key(outer_key), {}} {
    std::array<std::uint8_t, sizeof rounds.masks> places{};
    for (std::size_t block = 0; block < mac_blocks_max; ++block) {
      places[block * aes_block_bytes] = static_cast<std::uint8_t>(block);
    }
    AesBlocks(mask_key).encrypt(places, rounds.masks);
    for (auto* key : {&inner_key, &outer_key, &mask_key}) wipe(*key);
  }
  ~State() { wipe({reinterpret_cast<std::uint8_t*>(&rounds), sizeof rounds}); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  AesBlock portable(ByteView message, const AesBlock& last) const;

  const AesBlocks inner, outer;
  MacRounds rounds;
};

AesBlock BlockMac::State::portable(ByteView message, const AesBlock& last) const {
  const auto* last_mask = rounds.masks.data() + message_bytes_max;
  Buffer blocks(message.begin(), message.end());
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] ^= rounds.masks[i];
  for (std::size_t i = 0; i < last.size(); ++i) blocks.push_back(last[i] ^ last_mask[i]);
  inner.encrypt(blocks, blocks);
  AesBlock sum{}, out;
  for (std::size_t i = 0; i < blocks.size(); ++i) sum[i % sum.size()] ^= blocks[i];
  outer.encrypt(sum, out);
  return out;
}

BlockMac::BlockMac(const Secret& key, Way way)
    : state_([&] {
        Hmac from(key.bytes());
        return std::make_unique<const State>(derived_key(from, 0), derived_key(from, 1),
                                             derived_key(from, 2));
      }()),
      by_instructions_(way == Way::best && aes_rounds_supported()) {}
BlockMac::~BlockMac() = default;

BlockTag BlockMac::of(std::uint64_t number, ByteView message) const {
  LB_ASSERT(message.size() <= message_bytes_max && message.size() % aes_block_bytes == 0);
  auto last = last_block(number, message.size());
  return by_instructions_ ? mac_blocks(state_->rounds, message, last)
                          : state_->portable(message, last);
}

}  // namespace lb
