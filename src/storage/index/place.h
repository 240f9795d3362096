// Where a chunk lies, in sixteen bytes: what an entry of a table and of a session's own map hold.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace lb::index {

using Id = std::array<std::uint8_t, 16>;  // of a chunk: the output of a keyed hash

struct Place {
  std::uint32_t pack = 0;  // what the number counts is the user's business
  std::uint32_t frame = 0;
  std::uint32_t frame_offset = 0, frame_size = 0;  // in the pack, sealed
  std::uint32_t offset = 0, length = 0;            // in the opened frame
  bool operator==(const Place&) const = default;
};

// Sixty-one and sixty-three bits of two words.
struct PackedPlace {
  std::uint64_t chunk = 0;  // offset 19 | length - 1: 18 | pack 24
  std::uint64_t frame = 0;  // offset 27 | size - 1: 20 | number 16
  bool operator==(const PackedPlace&) const = default;
};

// The largest numbers of packs; larger packs than 128 MiB and longer frames than 1 MiB have no
// packed form either.
inline constexpr std::uint32_t packs_max = 1u << 24;
bool packable(const Place& place);
PackedPlace pack(const Place& place);  // packable only
Place unpack(const PackedPlace& packed);

struct Entry {
  Id id{};
  PackedPlace place;
};
static_assert(sizeof(Entry) == 32);

// The first eight bytes of an id, so that numbers compare as ids do.
inline std::uint64_t prefix(const Id& id) {
  std::uint64_t out = 0;
  for (int i = 0; i < 8; ++i) out = out << 8 | id[static_cast<std::size_t>(i)];
  return out;
}

}  // namespace lb::index
