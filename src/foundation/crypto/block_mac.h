// BlockMac: proves that short messages of whole blocks were made by who has the key, in a fraction
// of the time that starting GMAC takes. Who has no key, but sees proven messages, chooses some, and
// puts others in their place, forges one in an attempt with a chance below 2^-90 after 2^24 tags.
// Unlike GMAC it has no nonce: the same number may prove any messages. An older message under its
// own number passes, so what is proven must stay true, or get another key. Built as PMAC is; why it
// holds stands in block_mac.cc. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb {

using BlockTag = std::array<std::uint8_t, 16>;

class BlockMac {
 public:
  static constexpr std::size_t message_bytes_max = 1024;
  enum class Way { best, portable };  // both give the same tags; portable is for tests
  explicit BlockMac(const Secret& key, Way way = Way::best);
  ~BlockMac();
  BlockMac(const BlockMac&) = delete;
  BlockMac& operator=(const BlockMac&) = delete;
  // `message`: whole blocks of 16 bytes, at most message_bytes_max.
  BlockTag of(std::uint64_t number, ByteView message) const;

 private:
  struct State;
  const std::unique_ptr<const State> state_;
  const bool by_instructions_;
};

}  // namespace lb
