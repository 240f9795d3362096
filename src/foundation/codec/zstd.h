// zstd: whole-buffer compression. A Compressor keeps its working memory and belongs to one thread;
// decompress is thread-safe and never trusts the size in the data.
#pragma once

#include <cstdint>
#include <memory>

#include "foundation/base/bytes.h"

namespace lb {

class Compressor {
 public:
  explicit Compressor(int level = 1);
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;
  // One zstd frame into `out` (replaced). False: it would not shrink by at least a 32nd, judged
  // from samples first so that random data costs next to nothing; `out` is then unspecified.
  bool shrink(ByteView plain, Buffer& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Exactly `plain_bytes` of plain data; anything else is corrupt.
Result<Buffer> decompress(ByteView packed, std::uint64_t plain_bytes);
// The same into `out`, which it fills exactly.
Status decompress_into(ByteView packed, MutableBytes out);

}  // namespace lb
