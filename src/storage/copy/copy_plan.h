// What a copy of a repository lacks. Keys are written once and never changed, so that two listings
// say it all: no key of the repository is needed. Pure, but for take_listing().
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/blob/blob_store.h"

namespace lb::copy {

// In the order in which they are copied. A phase begins when all of the one before is durable, so
// that whoever finds a verdict in the copy finds everything it speaks of.
enum class Phase { opening, packs, derived, logs, records, verdicts };
inline constexpr std::size_t phase_count = 6;

// nullopt: stays where it is. Intents, ledgers, condemnations and decisions are about the sessions
// and the collections of one place, and quarantines about its disk; the copy has its own.
std::optional<Phase> phase_of(std::string_view key);

// Both by key. Verdicts are listed first, everything else after them: what a listed verdict needs
// was put before the verdict, so it is in the listing too. A snapshot that is committed meanwhile
// has packs here and no verdict, and comes whole the next time.
struct Listing {
  std::vector<BlobInfo> verdicts, others;
};
Result<Listing> take_listing(BlobStore& store);

struct CopyPlan {
  std::array<std::vector<BlobInfo>, phase_count> missing;  // sorted by key
  std::uint64_t objects = 0, bytes = 0;                    // of all that is missing
  std::uint64_t there = 0;                                 // objects that both have, alike in size
  // The same key with another size. Never overwritten: one of the two is damaged, or two different
  // repositories were mixed.
  std::vector<BlobInfo> conflicts;
  std::vector<std::string> only_in_copy;  // the source removed them, or lost them
  // Tails of log segments that are whole in the copy, or will be: of no more use there.
  std::vector<std::string> superseded;
};
CopyPlan plan_copy(const Listing& source, const Listing& copy);

}  // namespace lb::copy
