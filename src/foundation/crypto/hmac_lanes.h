// HMAC-SHA-256 of many messages on the lanes of sha256_lanes.h. The part of Hmac::of_many for
// processors that have them. Thread-safe.
#pragma once

#include <span>

#include "foundation/crypto/hash.h"
#include "foundation/crypto/sha256_lanes.h"

namespace lb {

class HmacLanes {
 public:
  // `seats`: messages on their way at once.
  explicit HmacLanes(ByteView key, std::size_t seats = sha256_lanes_at_once());
  ~HmacLanes();
  HmacLanes(const HmacLanes&) = delete;
  HmacLanes& operator=(const HmacLanes&) = delete;
  bool supported() const { return seats_ > 0; }
  // Only where supported().
  void of(std::span<const ByteView> messages, std::span<Digest> digests) const;

 private:
  const std::size_t seats_;
  // What the hash remembers of the key, padded for the inner and for the outer pass.
  Sha256Words inner_ = sha256_start, outer_ = sha256_start;
};

}  // namespace lb
