// WalClient: the thin side of `wal push` and `wal fetch`, which a server runs for every segment of
// its log. It asks the agent of the plan and the store, and needs neither the plan nor a key for
// that. Also the way other verbs find the agent.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/args.h"
#include "foundation/sys/clock.h"
#include "foundation/sys/files.h"
#include "recovery/archive/wire.h"

namespace lb::cli {

// What a client knows of where it was started.
struct WalCaller {
  const std::map<std::string, std::string>& environment;
  std::string folder;  // working directory
  std::uint32_t uid = 0;
};

// What is asked, and where.
struct WalWork {
  archive::Order order;
  Micros limit{0};
  std::string agents_folder, socket;
};

// How `wal fetch` ends when it cannot tell: above 125 PostgreSQL gives recovery up instead of
// taking it for the end of the log.
inline constexpr ExitCode stop_recovery{200};

VerbHelp wal_push_help();
VerbHelp wal_fetch_help();

// The absolute path of the plan that --plan or the environment names.
std::string absolute_plan_path(const WalCaller& caller, const Args& args);
// Where the agent of this plan and store listens, and an empty order of the right address.
WalWork work_of(const WalCaller& caller, const std::string& plan_path, const std::string& store);
// The store may be left out only where the plan is read.
Result<WalWork> push_work(Files& files, const WalCaller& caller, const Args& args);
Result<WalWork> fetch_work(Files& files, const WalCaller& caller, const Args& args);

// The file a fetch writes into: made before it is asked for, and gone again unless it was filled.
class FetchTarget {
 public:
  static Result<FetchTarget> make(Files& files, archive::Order& order);
  FetchTarget(FetchTarget&& other) noexcept;
  FetchTarget& operator=(FetchTarget&&) = delete;
  ~FetchTarget();
  void keep() { path_.clear(); }

 private:
  FetchTarget(Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  Files& files_;
  std::string path_;
};

Error too_slow(const WalWork& work);
// The code of a push or a fetch that was answered so; an error when it failed.
Result<ExitCode> code_of(const archive::Answer& answer);

// How a push or fetch ended, as the server that ran us sees it.
struct WalEnd {
  ExitCode code = ExitCode::ok;
  std::vector<std::string> lines;  // for stderr
};

// The whole of `wal push` and `wal fetch` when a running agent answers; nullopt otherwise, and for
// all other verbs. Called by main before anything else is made.
std::optional<WalEnd> ask_running_agent(const WalCaller& caller,
                                        const std::vector<std::string>& words);

}  // namespace lb::cli
