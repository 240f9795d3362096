// The copies of the plan's repository: which are meant, how they are opened, how far they lag.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/session.h"
#include "storage/blob/directory_blob_store.h"
#include "storage/copy/key_witness.h"

namespace lb::cli {

struct CopyPlace {
  std::string name;  // its address as the plan writes it: never a credential
  std::unique_ptr<BlobStore> blobs;
};

// All copies of the plan, or those named by their number (from 1) or address.
Result<std::vector<const plan::Copy*>> pick_copies(const plan::Plan& plan,
                                                   const std::vector<std::string>& names);
Result<CopyPlace> open_copy_place(const Shell& shell, const References& references,
                                  const plan::Copy& copy, MissingFolder missing);

// All copies but one, opened; those that do not open are warned of and left out.
std::vector<CopyPlace> open_copies(const Shell& shell, const References& references,
                                   const plan::RepositoryPlan& repository, const plan::Copy* but);

// All copies but one, for reads that heal.
std::vector<CopySource> copy_sources(const Shell& shell, const References& references,
                                     const plan::RepositoryPlan& repository, const plan::Copy* but);
// Says what came from copies, and what to do about it. Returns the number of objects.
std::uint64_t tell_healed(Console& console, HealingBlobStore& store);

// With keys that read, what is copied is proven first.
std::unique_ptr<copy::Witness> witness_of(const repo::Repository* repository);

// What the repository has and a copy has not yet. The clock starts when the oldest of it became
// part of the repository: the end of a backup, the commit in a log.
struct CopyLag {
  std::optional<Timestamp> since;  // nullopt: nothing is missing
  std::uint64_t snapshots = 0, log_segments = 0;
};
Result<CopyLag> lag_of(repo::Repository& repository, repo::Repository& copy);

struct LagJudgement {
  bool late = false;
  std::string text;  // "2 points are not there yet, the oldest for 3 h 10 min; target 24h"
};
LagJudgement judge_lag(const CopyLag& lag, const plan::Copy& copy, Timestamp now);

}  // namespace lb::cli
