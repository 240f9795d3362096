#include <zstd.h>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "foundation/codec/zstd.h"

namespace lb {

namespace {

constexpr std::size_t sample_pieces = 4;
constexpr std::size_t sample_piece_bytes = 4096;

bool shrank(std::size_t packed, std::size_t plain) { return packed < plain - plain / 32; }

struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

struct Compressor::State {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  int level = 1;
  Buffer sample;
  Buffer sample_out;
  ~State() { ZSTD_freeCCtx(context); }

  // Zero when the bytes do not fit into `out`, which is sized to what would still be a gain.
  std::size_t run(ByteView plain, Buffer& out) {
    out.resize(ZSTD_compressBound(plain.size()));
    auto size =
        ZSTD_compressCCtx(context, out.data(), out.size(), plain.data(), plain.size(), level);
    return ZSTD_isError(size) != 0 ? 0 : size;
  }
};

Compressor::Compressor(int level) : state_(std::make_unique<State>()) {
  LB_ASSERT(state_->context != nullptr);
  state_->level = level;
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

bool Compressor::shrink(ByteView plain, Buffer& out) {
  if (plain.size() < 32) return false;
  if (plain.size() > 4 * sample_pieces * sample_piece_bytes) {
    auto& sample = state_->sample;
    sample.clear();
    auto step = (plain.size() - sample_piece_bytes) / (sample_pieces - 1);
    for (std::size_t i = 0; i < sample_pieces; ++i) {
      auto piece = plain.subspan(i * step, sample_piece_bytes);
      sample.insert(sample.end(), piece.begin(), piece.end());
    }
    auto packed = state_->run(sample, state_->sample_out);
    if (packed == 0 || !shrank(packed, sample.size())) return false;
  }
  auto packed = state_->run(plain, out);
  if (packed == 0 || !shrank(packed, plain.size())) return false;
  out.resize(packed);
  return true;
}

Status decompress_into(ByteView packed, MutableBytes out) {
  // One context a thread: making one costs more than opening a small frame.
  thread_local std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  LB_ASSERT(context != nullptr);
  auto size =
      ZSTD_decompressDCtx(context.get(), out.data(), out.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0) {
    return Error(ErrorKind::corrupt, cat("compressed data: ", ZSTD_getErrorName(size)));
  }
  if (size != out.size()) {
    return Error(ErrorKind::corrupt,
                 cat("compressed data holds ", size, " bytes, not ", out.size()));
  }
  return {};
}

Result<Buffer> decompress(ByteView packed, std::uint64_t plain_bytes) {
  Buffer out(plain_bytes);
  LB_TRY(decompress_into(packed, out));
  return out;
}

}  // namespace lb
