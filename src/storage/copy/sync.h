// sync_copy: brings the objects a copy lacks into it, as ciphertext, in an order that never shows a
// snapshot before everything it needs is durable there. It can be killed at any moment and run
// again. Nothing is overwritten and nothing removed, but for tails of log segments that are whole.
#pragma once

#include <functional>
#include <set>
#include <stop_token>

#include "storage/copy/copy_plan.h"
#include "storage/copy/witness.h"

namespace lb::copy {

struct SyncOptions {
  unsigned workers = 2;
  // Of objects in flight; one that is larger goes alone.
  std::uint64_t memory_bytes = 96ull << 20;
  // Reads every object back and compares it. Off only for stores that check digests themselves.
  bool read_back = true;
  Witness* witness = nullptr;
  std::set<std::string> skip = {};  // verdicts that say nothing any more (care.h)
};

struct Trouble {
  std::string key, problem;
};

struct SyncReport {
  std::uint64_t objects = 0, bytes = 0;  // copied now
  std::uint64_t there = 0;               // were there already
  std::uint64_t gone = 0;                // removed from the source while they were to be copied
  std::vector<Trouble> conflicts;        // other bytes under the same key
  std::vector<Trouble> unreadable;       // damaged in the source: not copied
  std::vector<Trouble> held;             // verdicts that would name what the copy has not
  std::vector<std::string> only_in_copy;
  bool whole() const { return conflicts.empty() && unreadable.empty() && held.empty(); }
};

using CopyProgress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

// denied (exit 5) when the copy is another repository or holds something else. Damage of single
// objects is in the report; an error is what ends the work: a store that does not answer or is
// full.
Result<SyncReport> sync_copy(BlobStore& source, BlobStore& copy, const SyncOptions& options,
                             std::stop_token stop, const CopyProgress& progress);

// The first thing sync_copy does: the same refusal, without copying.
Status check_same_repository(BlobStore& source, BlobStore& copy, const Listing& in_source,
                             const Listing& in_copy);

}  // namespace lb::copy
