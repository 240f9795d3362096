#include "app/cli/wal_client.h"

#include <utility>

#include "app/cli/session.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "foundation/sys/real_path.h"
#include "recovery/archive/agent.h"

namespace lb::cli {

namespace {

using archive::Answer;
using archive::Order;

constexpr const char* limit_default = "2m";

std::string absolute(const WalCaller& caller, const std::string& path) {
  return path.starts_with('/') ? path : path_join(caller.folder, path);
}

Result<archive::FileSeen> seen(Files& files, const std::string& path) {
  const auto facts = LB_TRY(files.info(path));
  return archive::FileSeen{facts.device, facts.inode};
}

Result<WalWork> begin_work(const WalCaller& caller, const Args& args) {
  const auto store = args.get("store");
  if (store.empty()) {
    return Error(ErrorKind::invalid, "which store's log?")
        .with_hint("name it with --store NAME, as in the plan");
  }
  auto work = work_of(caller, absolute_plan_path(caller, args), store);
  work.limit = LB_TRY(parse_duration(args.get("timeout", limit_default)).context("--timeout"));
  return work;
}

// The server runs us in its data directory; the file lies in a folder of it, mostly pg_wal.
Status name_folder(Files& files, WalWork& work) {
  auto& order = work.order;
  order.data_folder = LB_TRY(real_path(files, path_parent(path_parent(order.path))));
  order.folder = LB_TRY(seen(files, order.data_folder));
  return {};
}

Flag store_flag() { return {"store", 's', "NAME", "the store of the plan whose log it is", false}; }
Flag alone_flag() { return {"alone", 0, "", "do the work without an agent", false}; }
Flag limit_flag() {
  return {"timeout", 0, "TIME", "give up after so long (default: 2m); the server asks again",
          false};
}

}  // namespace

VerbHelp wal_push_help() {
  return {
      "wal push",
      "Stores one file of a server's log: for archive_command. Ends well only when it is durable "
      "in the repository. An agent that stays does the work; the first push starts it.",
      {"lifeboat wal push --plan /etc/lifeboat.yaml --store db %p   # as archive_command",
       "lifeboat wal push --store db pg_wal/000000010000000000000007   # by hand"},
      "wal push --store NAME FILE [flags]",
      {store_flag(), limit_flag(), alone_flag()},
      1};
}

VerbHelp wal_fetch_help() {
  return {"wal fetch",
          "Gives one file of the log back to a server that recovers: for restore_command. Exit 1 "
          "when the repository does not have it, 200 when it cannot tell: recovery stops then "
          "instead of ending too early.",
          {"lifeboat wal fetch --plan /etc/lifeboat.yaml --store db %f %p   # as restore_command",
           "lifeboat wal fetch --store db 000000010000000000000007 /tmp/segment   # by hand"},
          "wal fetch --store NAME LOGFILE TARGET [flags]",
          {store_flag(), limit_flag(), alone_flag()},
          2};
}

std::string absolute_plan_path(const WalCaller& caller, const Args& args) {
  const auto named = caller.environment.find("LIFEBOAT_PLAN");
  const auto path =
      args.get("plan", named == caller.environment.end() ? std::string() : named->second);
  return absolute(caller, path.empty() ? "lifeboat.yaml" : path);
}

WalWork work_of(const WalCaller& caller, const std::string& plan_path, const std::string& store) {
  WalWork work;
  work.order.version = program_version;
  work.order.plan = plan_path;
  work.order.store = store;
  work.agents_folder = state_folder(caller.environment, caller.uid, ".agents");
  work.socket = path_join(work.agents_folder, archive::agent_name(plan_path, store));
  return work;
}

Result<WalWork> push_work(Files& files, const WalCaller& caller, const Args& args) {
  auto work = LB_TRY(begin_work(caller, args));
  if (args.positionals.size() != 1) {
    return Error(ErrorKind::invalid, "which file?")
        .with_hint(cat("usage: lifeboat ", wal_push_help().usage));
  }
  auto& order = work.order;
  order.act = Order::Act::push;
  order.path = absolute(caller, args.positionals[0]);
  order.name = path_name(order.path);
  order.file = LB_TRY(seen(files, order.path).context(cat("look at ", printable(order.path))));
  LB_TRY(name_folder(files, work));
  return work;
}

Result<WalWork> fetch_work(Files& files, const WalCaller& caller, const Args& args) {
  auto work = LB_TRY(begin_work(caller, args));
  if (args.positionals.size() != 2) {
    return Error(ErrorKind::invalid, "which file of the log, and where to?")
        .with_hint(cat("usage: lifeboat ", wal_fetch_help().usage));
  }
  auto& order = work.order;
  order.act = Order::Act::fetch;
  order.name = args.positionals[0];
  order.path = absolute(caller, args.positionals[1]);
  LB_TRY(name_folder(files, work));
  return work;
}

FetchTarget::FetchTarget(FetchTarget&& other) noexcept
    : files_(other.files_), path_(std::exchange(other.path_, {})) {}

FetchTarget::~FetchTarget() {
  if (!path_.empty()) (void)files_.remove(path_);
}

Result<FetchTarget> FetchTarget::make(Files& files, Order& order) {
  // What an attempt that was cut off left is no log.
  auto removed = files.remove(order.path);
  if (!removed.ok() && removed.error().kind() != ErrorKind::not_found) return removed.error();
  auto file = LB_TRY(files.create(order.path, 0600));
  FetchTarget target(files, order.path);
  const auto facts = LB_TRY(file->info());
  order.file = {facts.device, facts.inode};
  return target;
}

Error too_slow(const WalWork& work) {
  return Error(ErrorKind::timeout, cat("the agent did not answer in ", format_duration(work.limit)))
      .with_hint(cat("it goes on; see its log, ", work.socket, ".log"));
}

Result<ExitCode> code_of(const Answer& answer) {
  if (answer.outcome == Answer::Outcome::done) return ExitCode::ok;
  if (answer.outcome == Answer::Outcome::missing) return ExitCode::failed;
  return Error(ErrorKind::unavailable, answer.message)
      .with_hint(answer.hint)
      .with_exit(answer.code == ExitCode::ok ? ExitCode::failed : answer.code);
}

namespace {

WalEnd end_of(const Result<Answer>& answer, Order::Act act) {
  WalEnd end;
  const auto code = answer.ok() ? code_of(*answer) : Result<ExitCode>(answer.error());
  if (answer.ok()) {
    for (const auto& notice : answer->notices) end.lines.push_back(cat("warning: ", notice));
  }
  if (code.ok()) {
    end.code = *code;
    return end;
  }
  end.lines.push_back(cat("error: ", code.error().text()));
  if (!code.error().hint().empty()) end.lines.push_back(cat("hint: ", code.error().hint()));
  end.code = act == Order::Act::fetch ? stop_recovery : code.error().exit_code();
  return end;
}

}  // namespace

std::optional<WalEnd> ask_running_agent(const WalCaller& caller,
                                        const std::vector<std::string>& words) {
  if (words.size() < 2 || words[0] != "wal" || (words[1] != "push" && words[1] != "fetch"))
    return std::nullopt;
  const bool push = words[1] == "push";
  const auto args =
      parse_args(push ? wal_push_help() : wal_fetch_help(), {words.begin() + 2, words.end()});
  const bool plain = args.ok() && !args->has("help") && !args->has("json") && !args->has("alone");
  if (!plain) return std::nullopt;
  const auto files = real_files();
  auto work = push ? push_work(*files, caller, *args) : fetch_work(*files, caller, *args);
  if (!work.ok()) return std::nullopt;
  std::optional<FetchTarget> target;
  if (!push) {
    auto made = FetchTarget::make(*files, work->order);
    if (!made.ok()) return std::nullopt;
    target.emplace(std::move(made).take());
  }
  const auto answer = archive::ask_agent(work->socket, work->order, work->limit);
  if (answer.ok() && answer->outcome == Answer::Outcome::closing) return std::nullopt;
  const bool slow = !answer.ok() && answer.error().kind() == ErrorKind::timeout;
  if (slow) return end_of(too_slow(*work), work->order.act);
  if (!answer.ok()) return std::nullopt;
  if (target && answer->outcome == Answer::Outcome::done) target->keep();
  return end_of(answer, work->order.act);
}

}  // namespace lb::cli
