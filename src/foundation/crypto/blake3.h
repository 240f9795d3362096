// BLAKE3 in its keyed mode, as the paper "BLAKE3: one function, fast everywhere" (2020, version
// 20211102) defines it: a MAC of 32 bytes, and a PRF. A message is a tree of pieces of 1 KiB that
// do not wait for each other, so one message fills the lanes of vector registers, and short ones
// fill them together. Thread-safe.
#pragma once

#include <span>

#include "foundation/crypto/blake3_lanes.h"
#include "foundation/crypto/hash.h"

namespace lb {

class KeyedBlake3 {
 public:
  // 32 bytes. The kernel is one of blake3_kernels(); it outlives this.
  explicit KeyedBlake3(ByteView key, const Blake3Kernel& kernel = blake3_kernels().front());
  ~KeyedBlake3();
  KeyedBlake3(const KeyedBlake3&) = default;
  KeyedBlake3& operator=(const KeyedBlake3&) = delete;

  Digest of(ByteView message) const;
  // One digest each. Takes about 32 bytes of memory for each KiB of the messages.
  void of_many(std::span<const ByteView> messages, std::span<Digest> digests) const;

 private:
  Blake3Words key_{};
  const Blake3Kernel* kernel_;
};

}  // namespace lb
