#include "storage/index/place.h"

#include "foundation/base/assert.h"

namespace lb::index {

namespace {

constexpr unsigned chunk_offset_bits = 19, length_bits = 18, pack_bits = 24;
constexpr unsigned frame_offset_bits = 27, frame_size_bits = 20, frame_bits = 16;

bool fits(std::uint64_t value, unsigned bits) { return value >> bits == 0; }

std::uint32_t take(std::uint64_t& word, unsigned bits) {
  auto out = static_cast<std::uint32_t>(word & ((std::uint64_t{1} << bits) - 1));
  word >>= bits;
  return out;
}

}  // namespace

bool packable(const Place& place) {
  return place.length > 0 && fits(place.length - 1, length_bits) &&
         fits(place.offset, chunk_offset_bits) && fits(place.pack, pack_bits) &&
         place.frame_size > 0 && fits(place.frame_size - 1, frame_size_bits) &&
         fits(place.frame_offset, frame_offset_bits) && fits(place.frame, frame_bits);
}

PackedPlace pack(const Place& place) {
  LB_ASSERT(packable(place));
  PackedPlace out;
  out.chunk = place.pack;
  out.chunk = out.chunk << length_bits | (place.length - 1);
  out.chunk = out.chunk << chunk_offset_bits | place.offset;
  out.frame = place.frame;
  out.frame = out.frame << frame_size_bits | (place.frame_size - 1);
  out.frame = out.frame << frame_offset_bits | place.frame_offset;
  return out;
}

Place unpack(const PackedPlace& packed) {
  Place out;
  auto chunk = packed.chunk, frame = packed.frame;
  out.offset = take(chunk, chunk_offset_bits);
  out.length = take(chunk, length_bits) + 1;
  out.pack = take(chunk, pack_bits);
  out.frame_offset = take(frame, frame_offset_bits);
  out.frame_size = take(frame, frame_size_bits) + 1;
  out.frame = take(frame, frame_bits);
  return out;
}

}  // namespace lb::index
