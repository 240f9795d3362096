// Taking recovery points: a plan's store becomes a Source, its snapshot is taken, journalled, and
// held against what the plan expects of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/plan/plan.h"
#include "storage/state/journal.h"
#include "stores/seam/references.h"
#include "stores/seam/store.h"

namespace lb::backup {

// What every backup of one command shares.
struct Engine {
  World& world;
  repo::Repository& repository;
  state::Journal& journal;
  const References& references;
  std::string host;
  unsigned workers = 2;
};

// The one place where store kinds are turned into sources. unsupported, with the place in the plan,
// for kinds that are not built yet.
Result<std::unique_ptr<Source>> make_source(const plan::Store& store, const References& references,
                                            const std::string& repository_folder);

struct StoreBackup {
  repo::SnapshotInfo snapshot;
  std::vector<std::string> unread;
  std::vector<std::string>
      unmet;  // expectations of the plan that do not hold: the backup counts as failed
  Micros took{0};
};

// Intent is in the journal before the first byte is read, the outcome after the verdict is durable.
Result<StoreBackup> back_up(const Engine& engine, const plan::Store& store,
                            const std::string& repository_folder, const ProgressSink& progress,
                            std::stop_token stop);

// Pure: which of the store's `expect:` lines do not hold.
std::vector<std::string> unmet_expectations(const plan::Store& store,
                                            const repo::SnapshotInfo& snapshot, Micros took,
                                            std::size_t errors);

// The newest committed snapshot of a store, or empty.
// Empty when there is none, and for a key that may only write: nothing earlier can be read.
Result<std::string> newest_snapshot(repo::Repository& repository, const std::string& store);

}  // namespace lb::backup
