#include "foundation/crypto/hmac_lanes.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "foundation/base/assert.h"

namespace lb {

namespace {

using Block = std::array<std::uint8_t, sha256_block_bytes>;

void write_big_endian(std::uint64_t value, std::size_t size, std::uint8_t* out) {
  for (std::size_t i = size; i-- > 0; value >>= 8) out[i] = static_cast<std::uint8_t>(value);
}

// One message on its way: the whole blocks of its bytes, then its end with the padding, then the
// block of the outer pass. A lane carries one message after another.
class Passenger {
 public:
  Passenger(ByteView message, Digest& digest) : digest_(&digest), message_(message.data()) {
    blocks_ = message.size() / sha256_block_bytes;
    fill_tail(message.subspan(blocks_ * sha256_block_bytes), message.size());
    if (blocks_ == 0) begin_tail();
  }

  const std::uint8_t* bytes() const { return (part_ == Part::whole ? message_ : tail_) + at_; }
  std::size_t blocks() const { return blocks_; }
  // False: the digest has been given. `states` holds this one's in `lane`.
  bool advance(std::size_t blocks, Sha256States& states, std::size_t lane,
               const Sha256Words& outer) {
    at_ += blocks * sha256_block_bytes;
    blocks_ -= blocks;
    if (blocks_ > 0) return true;
    if (part_ == Part::whole) {
      begin_tail();
      return true;
    }
    auto words = states.get(lane);
    if (part_ == Part::outer) {
      write_digest(words, digest_->data());
      return false;
    }
    begin_outer(words);
    states.set(lane, outer);
    return true;
  }

 private:
  enum class Part { whole, tail, outer };

  void fill_tail(ByteView rest, std::uint64_t message_bytes) {
    if (!rest.empty()) std::memcpy(tail_, rest.data(), rest.size());
    tail_[rest.size()] = 0x80;
    tail_blocks_ = rest.size() + 9 <= sha256_block_bytes ? 1 : 2;
    auto bits = (message_bytes + sha256_block_bytes) * 8;  // the padded key came first
    write_big_endian(bits, 8, tail_ + tail_blocks_ * sha256_block_bytes - 8);
  }

  void begin_tail() {
    at_ = 0;
    part_ = Part::tail;
    blocks_ = tail_blocks_;
  }

  void begin_outer(const Sha256Words& inner) {
    at_ = 0;
    part_ = Part::outer;
    blocks_ = 1;
    std::memset(tail_, 0, sha256_block_bytes);
    write_digest(inner, tail_);
    tail_[sizeof(Digest)] = 0x80;
    write_big_endian((sha256_block_bytes + sizeof(Digest)) * 8, 8, tail_ + 56);
  }

  static void write_digest(const Sha256Words& words, std::uint8_t* out) {
    for (std::size_t i = 0; i < words.size(); ++i) write_big_endian(words[i], 4, out + 4 * i);
  }

  Digest* digest_;
  const std::uint8_t* message_;
  std::size_t at_ = 0;                        // in the part
  std::size_t blocks_ = 0, tail_blocks_ = 0;  // left of the part
  Part part_ = Part::whole;
  std::uint8_t tail_[2 * sha256_block_bytes] = {};
};

void compress_one(Sha256Words& words, const Block& block) {
  Sha256States states;
  states.set(0, words);
  sha256_lanes(states, {block.data()}, 1, 1);
  words = states.get(0);
}

}  // namespace

HmacLanes::HmacLanes(ByteView key, std::size_t seats) : seats_(seats) {
  LB_ASSERT(seats <= sha256_lanes_max);
  if (seats_ == 0) return;
  Block block{};
  if (key.size() > block.size()) {
    auto digest = sha256(key);
    std::copy(digest.begin(), digest.end(), block.begin());
    wipe(digest);
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  for (auto& byte : block) byte ^= 0x36;
  compress_one(inner_, block);
  for (auto& byte : block) byte ^= 0x36 ^ 0x5c;
  compress_one(outer_, block);
  wipe(block);
}

HmacLanes::~HmacLanes() {
  wipe({reinterpret_cast<std::uint8_t*>(inner_.data()), sizeof inner_});
  wipe({reinterpret_cast<std::uint8_t*>(outer_.data()), sizeof outer_});
}

namespace {

// Long messages first: at the end, when none is left to take a free lane, only short ones travel.
std::vector<std::size_t> boarding_order(std::span<const ByteView> messages) {
  std::vector<std::size_t> out(messages.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  std::stable_sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
    return messages[a].size() > messages[b].size();
  });
  return out;
}

}  // namespace

void HmacLanes::of(std::span<const ByteView> messages, std::span<Digest> digests) const {
  LB_ASSERT(seats_ > 0);
  auto order = boarding_order(messages);
  std::array<std::optional<Passenger>, sha256_lanes_max> aboard;
  Sha256States states;
  std::size_t next = 0, count = 0;  // the first `count` seats are taken
  for (;;) {
    for (; count < seats_ && next < order.size(); ++next) {
      states.set(count, inner_);
      aboard[count++].emplace(messages[order[next]], digests[order[next]]);
    }
    if (count == 0) return;
    Sha256LaneBytes bytes{};
    auto blocks = std::numeric_limits<std::size_t>::max();
    for (std::size_t n = 0; n < count; ++n) {
      bytes[n] = aboard[n]->bytes();
      blocks = std::min(blocks, aboard[n]->blocks());
    }
    sha256_lanes(states, bytes, count, blocks);
    for (std::size_t n = count; n-- > 0;) {
      if (aboard[n]->advance(blocks, states, n, outer_)) continue;
      --count;
      if (n == count) continue;
      aboard[n] = aboard[count];
      states.set(n, states.get(count));
    }
  }
}

}  // namespace lb
