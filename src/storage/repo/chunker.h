// Content-defined cutting, keyed: where a chunk ends depends on the bytes before it and on the cut
// key, so that an insertion moves few borders and chunk sizes tell nothing of known content. Gear
// hash with normalised cutting (FastCDC, Xia et al., ATC'16 and TPDS'20). The cut points are not
// part of the format.
#pragma once

#include <array>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb::repo {

class Chunker {
 public:
  explicit Chunker(const Secret& cut_key);
  // Length of the first chunk of `bytes`, which are chunk_bytes_max bytes or all there is.
  std::size_t first(ByteView bytes) const;

 private:
  std::array<std::uint64_t, 256> gear_{};
};

}  // namespace lb::repo
