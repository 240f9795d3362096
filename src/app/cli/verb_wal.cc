// wal push, wal fetch: when no agent has answered yet. Starts one and asks it; does the work alone
// when that fails.
#include "app/cli/agent_desk.h"
#include "app/cli/verbs.h"
#include "app/cli/wal_client.h"
#include "foundation/base/text.h"
#include "foundation/sys/detach.h"
#include "recovery/archive/agent.h"

namespace lb::cli {

namespace {

using archive::Answer;
using archive::Order;

constexpr Micros start_limit = Seconds(15);
constexpr Micros look_every = std::chrono::milliseconds(10);
constexpr Micros closing_takes = std::chrono::milliseconds(200);
constexpr std::uint64_t log_bytes_max = 1 << 20;

WalCaller caller_of(const Shell& shell) { return {shell.environment, shell.folder, shell.uid}; }

// One that has grown is set aside; one old log is enough.
void turn_log(Files& files, const std::string& path) {
  const auto facts = files.info(path);
  if (facts.ok() && facts->size > log_bytes_max) (void)files.rename(path, path + ".old");
}

// True when an agent listens.
Result<bool> start_agent(const Shell& shell, const WalWork& work) {
  auto& files = shell.world.files;
  LB_TRY(make_directories(files, work.agents_folder, 0700));
  const auto log = cat(work.socket, ".log");
  turn_log(files, log);
  const auto process = LB_TRY(start_detached(
      {"agent", "--store", work.order.store, "--plan", work.order.plan, "--idle", "10m"}, log));
  const auto until = shell.world.clock.steady() + std::min(start_limit, work.limit);
  while (shell.world.clock.steady() < until) {
    if (connect_local(work.socket, look_every).ok()) return true;
    if (detached_ended(process)) return false;
    if (!shell.world.clock.sleep(look_every, shell.stop)) break;
  }
  return false;
}

// nullopt: no agent, and none could be had.
Result<std::optional<Answer>> ask_an_agent(const Shell& shell, const WalWork& work) {
  constexpr int attempts = 5;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    auto answer = archive::ask_agent(work.socket, work.order, work.limit);
    if (answer.ok() && answer->outcome != Answer::Outcome::closing)
      return std::optional<Answer>(std::move(answer).take());
    const bool slow = !answer.ok() && answer.error().kind() == ErrorKind::timeout;
    if (slow) return too_slow(work);
    // One that ends, or was killed while it served us, leaves its place to the next.
    const auto there = start_agent(shell, work);
    if (!there.ok() || !*there) break;
    if (attempt > 0) (void)shell.world.clock.sleep(closing_takes, shell.stop);
  }
  return std::optional<Answer>();
}

Result<Answer> ask(const Shell& shell, const Args& args, const WalWork& work) {
  if (!args.has("alone")) {
    auto answered = LB_TRY(ask_an_agent(shell, work));
    if (answered) return std::move(*answered);
  }
  auto alone = LB_TRY(AgentDesk::open(shell, args, work.order.store, 0));
  return alone->desk->serve(work.order);
}

Result<ExitCode> tell(const Shell& shell, const Answer& answer) {
  for (const auto& notice : answer.notices) shell.console.warn(notice);
  return code_of(answer);
}

Result<ExitCode> run_push(const Shell& shell, const Args& args) {
  const auto work = LB_TRY(push_work(shell.world.files, caller_of(shell), args));
  const auto answer = LB_TRY(ask(shell, args, work));
  return tell(shell, answer);
}

Result<ExitCode> run_fetch(const Shell& shell, const Args& args) {
  auto work = LB_TRY(fetch_work(shell.world.files, caller_of(shell), args));
  auto target = LB_TRY(FetchTarget::make(shell.world.files, work.order));
  const auto answer = LB_TRY(ask(shell, args, work));
  if (answer.outcome == Answer::Outcome::done) target.keep();
  return tell(shell, answer);
}

}  // namespace

Verb wal_push_verb() { return {wal_push_help(), run_push}; }
Verb wal_fetch_verb() { return {wal_fetch_help(), run_fetch}; }

}  // namespace lb::cli
