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
  // One zstd frame into `out`, which has room for shrink_room(plain.size()) bytes; its size. Zero:
  // it would not shrink by at least a 32nd. What looks random is judged by samples first and then
  // costs next to nothing; what does not is compressed at once.
  std::size_t shrink(ByteView plain, MutableBytes out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::size_t shrink_room(std::size_t plain_bytes);

// Exactly `plain_bytes` of plain data; anything else is corrupt.
Result<Buffer> decompress(ByteView packed, std::uint64_t plain_bytes);
// The same into `out`, which it fills exactly.
Status decompress_into(ByteView packed, MutableBytes out);

}  // namespace lb
