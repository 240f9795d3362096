// Moved: what a repacking moved: frames of packs that were live only in part, or what was live in
// them, now in new packs, so that the old ones can go. The snapshots that name them do not change:
// whoever does not find a pack looks up where its frames went. docs/format.md, "Repacking". Pure;
// the decoder is bounds-checked.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "foundation/sys/random.h"
#include "storage/repo/chunk_map.h"
#include "storage/repo/keyring.h"
#include "storage/repo/ledger.h"

namespace lb::repo {

// A run of what an opened frame held.
struct MovedRun {
  std::uint32_t offset = 0, length = 0;  // in the old frame
};

// Where a frame of an old pack went. Moved whole, a chunk keeps its offset in the opened frame. Of
// one that was opened, runs of chunks went into a new frame, one behind the other from `base` on.
struct MovedFrame {
  std::uint32_t frame = 0;   // number in the old pack
  std::uint32_t pack = 0;    // position in Moved::packs
  std::uint32_t number = 0;  // in that pack
  std::uint32_t offset = 0;  // of the sealed frame there
  std::uint32_t size = 0;    // sealed
  std::uint32_t base = 0;
  std::uint32_t first_run = 0, runs = 0;  // of MovedPack::runs; none: moved whole
  bool whole() const { return runs == 0; }
};

struct MovedPack {
  std::string name;
  std::vector<MovedFrame> frames;  // ascending; those that a snapshot that was looked at names
  std::vector<MovedRun> runs;      // of one frame after the other; ascending in each, apart
  const MovedFrame* find(std::uint32_t frame) const;
  std::span<const MovedRun> runs_of(const MovedFrame& frame) const;
  // Where these bytes of the opened old frame lie in the opened new one; nothing: they were not
  // needed.
  std::optional<std::uint32_t> offset_in(const MovedFrame& frame, std::uint32_t offset,
                                         std::uint64_t length) const;
};

struct Moved {
  std::string session;
  // The snapshots whose tables were gone through: for these, and no others, everything they name
  // in the packs of `from` is here. All of them are older than the session.
  std::map<std::string, VerdictMark> looked;
  std::vector<StoredPack> packs;  // where the frames are
  std::vector<MovedPack> from;    // by name
  const MovedPack* find(const std::string& pack) const;
};

Buffer encode_moved(const Moved& moved);
Result<Moved> decode_moved(const std::string& session, ByteView bytes);

// The verdict. Only a holder of the private key can make one. exhausted: it would be too large.
Result<Buffer> seal_moved(const Keyring& keys, Random& random, const Moved& moved);
// Its second frame, held against the mark in it.
Result<Moved> open_moved(const Keyring& keys, const std::string& session, ByteView frame);

}  // namespace lb::repo
