// Content-defined cutting, keyed: where a chunk ends depends on the bytes before it and on the cut
// key, so that an insertion moves few borders and chunk sizes tell nothing of known content. Two
// stages: a public mix of 32 bytes, at the speed of memory, leaves one place in 1024; a secret
// function of the 64 bytes before it decides. Sizes are normalised as in FastCDC (Xia et
// al., ATC'16): two bits stricter before five eighths of the normal size, two bits milder after, so
// that most chunks are near it: what an edit costs grows with the mean square. The cut points are
// not part of the format. Thread-safe.
#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/window_prf.h"
#include "storage/chunk/candidates.h"

namespace lb {

struct ChunkSizes {
  std::size_t min = 0;     // at least candidate_look_back
  std::size_t normal = 0;  // a power of two, from 4 KiB
  std::size_t max = 0;
};

class Chunker {
 public:
  Chunker(const Secret& cut_key, const ChunkSizes& sizes,
          const CandidateKernel& kernel = candidate_kernels().front(),
          WindowPrf::Way way = WindowPrf::Way::best);
  // Length of the first chunk of `bytes`, which are sizes.max bytes or more, or all there is.
  std::size_t first(ByteView bytes) const;

 private:
  // The first border in [from, to), or `to`. `strictness`: bits of the secret function's value that
  // must be zero.
  std::size_t border(ByteView bytes, std::size_t from, std::size_t to,
                     std::uint64_t strictness) const;
  bool decides(ByteView bytes, std::size_t place, std::uint64_t strictness) const;

  const ChunkSizes sizes_;
  const MarkCandidates mark_;
  std::uint64_t strict_ = 0, mild_ = 0;
  WindowPrf prf_;
};

}  // namespace lb
