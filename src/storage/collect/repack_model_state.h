// What the model of repacking is made of (repack_model.h): for tests only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace lb::repo::repack_model {

// One rule taken away.
enum class Break {
  none,
  speaks_for_all,        // a move stands also for snapshots it did not look at
  no_intent,             // the repacker does not say that it is there
  carries_condemned,     // goes on naming moved frames in packs that are condemned
  verdict_before_packs,  // says what it moved before it is there
  unseen_is_enough,      // the collector gives up the old pack though it does not see the new
  both_of_these,
  verdict_over_abort,     // puts its verdict though a collector aborted it
  ledger_once,            // the collector does not look again whether a move ended
  later_moves_ignored,    // one that is found late adds nothing to what is needed
  oldest_stands,          // one collector lets the oldest move stand, not the newest
  moved_while_unseen,     // a move whose packs were not listed yet stands for nothing
  drops_moves_too_early,  // a move goes though not all it looked at is known
  carries_left_behind,    // says again what was moved before, though a chunk that is named was not
};

struct Size {
  int collectors = 1, rounds = 1;
  bool writer = true, two_repackers = false;
  bool forgets = true;  // points may be forgotten
  bool pages = true;    // e/ is listed in two parts
  bool aborts = true;   // sessions may be aborted
  // Begin where one repacker has moved the old pack for the first snapshot and the writer relied on
  // the old pack meanwhile.
  bool moved = false;
};

struct Outcome {
  bool sound = true;  // what every snapshot that counts names can be read
  std::string trace;
  std::uint64_t states = 0;
  std::uint64_t freed = 0, moved_twice = 0, dropped = 0, aborted = 0;  // how far the model got
};

// Sessions and packs have one number: 0 is the first snapshot and the old pack, 1 the writer, 2 and
// 3 are the repackers; each owns the pack of its number. Sets are bits.
using Bits = std::uint8_t;
inline constexpr int sessions = 4, generations_max = 3;
inline constexpr Bits snapshots = 3, repackings = 12;
inline constexpr Bits bit(int i) { return static_cast<Bits>(1u << i); }
inline constexpr Bits with(Bits a, Bits b) { return static_cast<Bits>(a | b); }
inline constexpr Bits without(Bits a, Bits b) { return static_cast<Bits>(a & ~b); }

// The old pack holds two chunks, of which the first snapshot names one.
inline constexpr Bits chunk_needed = 1, chunk_dead = 2, both_chunks = 3;

struct Move {
  Bits looked = 0, rank = 0;
  Bits to[sessions] = {};   // by old pack: the new one + 1
  Bits has[sessions] = {};  // and the chunks that went there
  Bits targets() const {
    Bits out = 0;
    for (auto target : to) out = target != 0 ? with(out, bit(target - 1)) : out;
    return out;
  }
};
struct Generation {
  Bits g = 0, condemned = 0, open = 0, awaited = 0, d = 0, decided = 0;
};
struct Actor {
  Bits pc = 0, usable = 0;
};
struct Collector {
  Bits round = 0, pc = 0, generation = 0, ended = 0, packs = 0, judged = 0, begun = 0, needed = 0,
       moves = 0, used = 0, set = 0;
};
struct State {
  Bits packs = 1, intents = 0, sealed = 1, aborted = 0, ended = 0, closed = 0, begun = 0;
  Bits names[2] = {0, 0};                        // the pack that each snapshot names
  Bits chunk[2] = {chunk_needed, chunk_needed};  // and the chunk in it
  Bits holds[2] = {0, 0};                        // chunks in the packs of the repackers
  Move moves[2];
  Generation generations[generations_max];
  Actor actors[3];  // the writer, the repackers
  Collector collectors[2];
  bool operator==(const State& other) const { return std::memcmp(this, &other, sizeof other) == 0; }
};
static_assert(sizeof(State) == 13 + 20 + 6 * generations_max + 6 + 22);

struct Hash {
  std::size_t operator()(const State& state) const {
    unsigned char bytes[sizeof state];
    std::memcpy(bytes, &state, sizeof state);
    std::uint64_t hash = 14695981039346656037u;
    for (auto byte : bytes) hash = (hash ^ byte) * 1099511628211u;
    return static_cast<std::size_t>(hash ^ hash >> 32);
  }
};

}  // namespace lb::repo::repack_model
