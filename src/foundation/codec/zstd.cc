#include <zstd.h>

#include <array>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "foundation/codec/zstd.h"

namespace lb {

namespace {

constexpr std::size_t sample_pieces = 4;
constexpr std::size_t look_piece_bytes = 1024;
constexpr std::size_t sample_piece_bytes = 4096;

bool shrank(std::size_t packed, std::size_t plain) { return packed < plain - plain / 32; }

struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// How far the bytes are from all coming equally often (Pearson's chi-squared, 255 degrees of
// freedom: random bytes give 255 with a deviation of 23). Text and programs give thousands.
bool looks_random(ByteView sample) {
  std::array<std::uint32_t, 256> counts{};
  for (auto byte : sample) ++counts[byte];
  std::uint64_t squares = 0;
  for (auto count : counts) squares += std::uint64_t{count} * count;
  constexpr std::uint64_t limit = 512;
  return squares * counts.size() / sample.size() < sample.size() + limit;
}

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

struct Compressor::State {
  std::unique_ptr<ZSTD_CCtx, FreeCompressor> context{ZSTD_createCCtx()};
  Buffer sample, sample_out;

  // Zero when the compressor fails, and when there is no gain.
  std::size_t run(ByteView plain, MutableBytes out) {
    auto size = ZSTD_compress2(context.get(), out.data(), out.size(), plain.data(), plain.size());
    return ZSTD_isError(size) != 0 || !shrank(size, plain.size()) ? 0 : size;
  }

  void take_sample(ByteView plain, std::size_t piece_bytes) {
    sample.clear();
    auto step = (plain.size() - piece_bytes) / (sample_pieces - 1);
    for (std::size_t i = 0; i < sample_pieces; ++i) {
      auto piece = plain.subspan(i * step, piece_bytes);
      sample.insert(sample.end(), piece.begin(), piece.end());
    }
  }

  // Random to the eye, and the compressor finds nothing in a larger sample either.
  bool is_hopeless(ByteView plain) {
    take_sample(plain, look_piece_bytes);
    if (!looks_random(sample)) return false;
    take_sample(plain, sample_piece_bytes);
    sample_out.resize(shrink_room(sample.size()));
    return run(sample, sample_out) == 0;
  }
};

Compressor::Compressor(int level) : state_(std::make_unique<State>()) {
  auto* context = state_->context.get();
  LB_ASSERT(context != nullptr);
  auto set = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  LB_ASSERT(ZSTD_isError(set) == 0);
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

std::size_t Compressor::shrink(ByteView plain, MutableBytes out) {
  if (plain.size() < 32) return 0;
  bool large = plain.size() > 4 * sample_pieces * sample_piece_bytes;
  if (large && state_->is_hopeless(plain)) return 0;
  return state_->run(plain, out);
}

std::size_t shrink_room(std::size_t plain_bytes) { return ZSTD_compressBound(plain_bytes); }

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
