// AgentDesk: the desk of one store with the repository opened for it: what the agent keeps, and
// what a client makes for itself when there is no agent.
#pragma once

#include <memory>
#include <string>

#include "app/cli/session.h"
#include "recovery/archive/desk.h"
#include "storage/blob/shared_flush_blob_store.h"

namespace lb::cli {

struct AgentDesk {
  LoadedPlan plan;
  std::unique_ptr<References> references;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<SharedFlushBlobStore> shared;  // over `blobs`
  std::unique_ptr<HealingBlobStore> healing;     // over `shared`
  std::unique_ptr<repo::Repository> repository;
  std::unique_ptr<archive::Desk> desk;

  // Keys of hosts that only back up suffice for pushing. `ahead_max`: see archive::DeskOptions.
  static Result<std::unique_ptr<AgentDesk>> open(const Shell& shell, const Args& args,
                                                 const std::string& store, std::size_t ahead_max);
};

// The store, which must be a PostgreSQL of the plan.
Result<const plan::Store*> postgres_store(const plan::Plan& plan, const std::string& name);

}  // namespace lb::cli
