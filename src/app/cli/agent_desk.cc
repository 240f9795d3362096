#include "app/cli/agent_desk.h"

#include "app/cli/copies.h"
#include "foundation/base/text.h"

namespace lb::cli {

Result<const plan::Store*> postgres_store(const plan::Plan& plan, const std::string& name) {
  if (name.empty())
    return Error(ErrorKind::invalid, "which store's log?")
        .with_hint("name it with --store NAME, as in the plan");
  const auto stores = LB_TRY(pick_stores(plan, {name}));
  const auto* store = stores.front();
  if (store->kind == plan::StoreKind::postgres) return store;
  return Error(ErrorKind::invalid,
               cat("store ", store->name, " (", plan::name_of(store->kind), ") has no log"));
}

Result<std::unique_ptr<AgentDesk>> AgentDesk::open(const Shell& shell, const Args& args,
                                                   const std::string& store,
                                                   std::size_t ahead_max) {
  auto out = std::make_unique<AgentDesk>();
  out->plan = LB_TRY(load_plan(shell, args));
  LB_TRY(postgres_store(out->plan.plan, store));
  const auto& home = out->plan.plan.repository;
  out->references = std::make_unique<References>(shell.world, shell.environment, out->plan.folder);
  auto place = LB_TRY(open_place(shell, *out->references, home));
  out->blobs = with_reserve(shell, std::move(place.blobs), place.folder);
  out->shared = std::make_unique<SharedFlushBlobStore>(*out->blobs);
  auto& console = shell.console;
  const auto warn = [&console](const std::string& line) { console.warn(line); };
  out->healing = std::make_unique<HealingBlobStore>(
      *out->shared, copy_sources(shell, *out->references, home, nullptr), warn);
  const auto key = LB_TRY(out->references->secret(home.key));
  out->repository =
      LB_TRY(repo::open_repository(*out->healing, shell.world.clock, shell.world.random, key, {})
                 .context(cat("open the repository at ", place.text)));
  // Where asking costs a request, a fresh admission may be noticed a moment later.
  const Micros meet_every = out->blobs->requests_at_once() > 1 ? Seconds(2) : Seconds(0);
  archive::DeskOptions options{store, shell.host, ahead_max, meet_every, warn};
  out->desk = std::make_unique<archive::Desk>(shell.world, *out->repository, std::move(options));
  return out;
}

}  // namespace lb::cli
