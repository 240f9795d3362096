// agent: stays, with the repository open, and serves the wal verbs of one store.
#include <tuple>

#include "app/cli/agent_desk.h"
#include "app/cli/verbs.h"
#include "app/cli/wal_client.h"
#include "foundation/base/text.h"
#include "foundation/sys/heap.h"
#include "foundation/sys/real_path.h"
#include "recovery/archive/agent.h"

namespace lb::cli {

namespace {

constexpr std::size_t ahead_max = 6;

// What the plan file is, to notice when it becomes another.
using PlanSeen = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::int64_t>;
std::optional<PlanSeen> see_plan(Files& files, const std::string& path) {
  const auto real = real_path(files, path);
  const auto facts = real.ok() ? files.info(*real) : Result<FileInfo>(real.error());
  if (!facts.ok()) return std::nullopt;
  return PlanSeen{facts->device, facts->inode, facts->size, facts->mtime_ns};
}

// One that is about to end still holds the place for a moment.
Result<std::unique_ptr<LocalListener>> take_place(const Shell& shell, const std::string& socket) {
  constexpr int attempts = 30;
  for (int attempt = 1;; ++attempt) {
    auto listener = listen_local(socket);
    const bool taken = !listener.ok() && listener.error().kind() == ErrorKind::conflict;
    if (!taken || attempt == attempts) return listener;
    if (!shell.world.clock.sleep(std::chrono::milliseconds(100), shell.stop)) return listener;
  }
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  keep_large_pieces();
  const WalCaller caller{shell.environment, shell.folder, shell.uid};
  const auto plan = absolute_plan_path(caller, args);
  const auto store = args.get("store");
  const auto work = work_of(caller, plan, store);
  archive::AgentOptions options{program_version, plan, store, Micros(0), {}};
  if (args.has("idle")) options.idle = LB_TRY(parse_duration(args.get("idle")).context("--idle"));
  auto& files = shell.world.files;
  const auto seen = see_plan(files, plan);
  options.outdated = [&files, plan, seen] { return see_plan(files, plan) != seen; };
  LB_TRY(make_directories(files, work.agents_folder, 0700));
  // First, so that clients wait while the key is derived.
  auto listener = LB_TRY(take_place(shell, work.socket));
  auto desk = LB_TRY(AgentDesk::open(shell, args, store, ahead_max));
  shell.console.note(cat("agent of ", store, ": listening at ", work.socket));
  LB_TRY(archive::run_agent(shell.world.clock, *listener, *desk->desk, options, shell.stop));
  return ExitCode::ok;
}

}  // namespace

Verb agent_verb() {
  return {{"agent",
           "Stays with the repository open and serves wal push and wal fetch of one store, so that "
           "these cost next to nothing. They start it themselves; run it to watch it, or as a "
           "service.",
           {"lifeboat agent --store db                # until Ctrl-C or SIGTERM",
            "lifeboat agent --store db --idle 10m     # ends when nobody has asked for 10 minutes"},
           "agent --store NAME [flags]",
           {{"store", 's', "NAME", "the store of the plan whose log it serves", false},
            {"idle", 0, "TIME", "end after so long without a question (default: never)", false}},
           0},
          run};
}

}  // namespace lb::cli
