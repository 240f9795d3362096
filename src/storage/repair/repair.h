// Repair: finds what is damaged or missing, and mends what can be mended. An object that a copy has
// whole is put back under its key; indexes are built again from the packs; a damaged pack that
// nobody has whole stays, for what can still be read of it, and is put out of use, so that the next
// backup stores its content again. It can be killed at any moment and run again.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/repo/repository.h"

namespace lb::repair {

// A place where whole objects may be found.
struct Source {
  std::string name;  // for people
  BlobStore* store = nullptr;
};

enum class Remedy {
  heal,       // put the object back as `from` has it
  index,      // list the pack in a new index
  set_aside,  // no new point relies on this pack
  remove,     // of no more use, or replaced
  lost,       // nothing can be done
};

struct Step {
  Remedy remedy = Remedy::lost;
  std::string key, problem;
  std::string from;                   // of heal
  std::vector<std::string> affected;  // snapshots and paths, as verify names them
};

struct RepairPlan {
  std::vector<Step> steps;                  // in the order of work
  std::vector<std::string> to_forget;       // quarantines that are replaced by a new one
  std::vector<std::string> sources_unread;  // "copy /mnt/b: the store does not answer"
  bool nothing() const { return steps.empty() && to_forget.empty(); }
};

using RepairProgress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

// Reads the whole repository and what it lacks of the sources; changes nothing. `sources`: the
// nearest first. The repository must be open with a key that reads.
Result<RepairPlan> plan_repair(repo::Repository& repository, const std::vector<Source>& sources,
                               std::stop_token stop, const RepairProgress& progress);
// The same for what was found already, by a verify of all or of a sample: reads only that.
Result<RepairPlan> plan_repair_of(repo::Repository& repository, const repo::VerifyReport& found,
                                  const std::vector<Source>& sources, std::stop_token stop);

struct RepairReport {
  std::uint64_t healed = 0, healed_bytes = 0, indexed = 0, set_aside = 0, removed = 0;
  std::vector<Step> failed;  // could not be done; the problem says why
  std::vector<Step> lost;
};

// An object that is damaged here is removed only after the bytes that replace it were read from the
// source and proven, and after a quarantine names it, durably: whoever comes after a crash
// finishes.
Result<RepairReport> apply_repair(repo::Repository& repository, const RepairPlan& plan,
                                  const std::vector<Source>& sources, std::stop_token stop,
                                  const RepairProgress& progress);

// `repo` and key slots, before the repository can be opened: those that are missing or damaged and
// that a source has whole. A slot that is missing may have been removed on purpose: slots come back
// only when there is none. Returns what was (or, for a dry run, would be) healed.
Result<std::vector<Step>> heal_opening(BlobStore& blobs, const std::vector<Source>& sources,
                                       bool dry_run);

}  // namespace lb::repair
