// LogWatch: the log of a store as `wal ls` and `status` show it: what the repository holds, what
// the server and the agent still have, how fast it grows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/cli/session.h"
#include "operations/watch/finding.h"
#include "recovery/archive/log_state.h"
#include "recovery/restore/points.h"

namespace lb::cli {

struct LogWatch {
  bool kept = false;  // streamed or pushed; else there is only the log that points brought along
  archive::LogState state;
  std::optional<pg::ServerLog> server;
  std::string server_trouble;  // why it could not be asked
  bool server_away = false;    // it did not answer at all
  std::optional<archive::LogGrowth> growth;
  std::string spool;  // folder of this host with log that nobody brings into the repository
  std::uint64_t spool_bytes = 0;
  std::optional<std::uint64_t> disk_available;  // where the server's log lies, when that is here
};

// The log of the newest point's system; nullopt where there is none.
Result<std::optional<LogWatch>> watch_log(const Shell& shell, Session& session,
                                          const plan::Store& store,
                                          const restore::StorePoints& points);

// In words, and whether somebody has to act: what `status` says.
struct LogVerdict {
  std::string state;  // "ok", "lost", "hole", "failing", "filling", "spooled"
  std::string text;
};
LogVerdict judge_log(const LogWatch& watch, Timestamp now);
// The same for those who are told of it, each trouble by itself. What could not be looked at is
// neither wrong nor right. `host`: this one.
std::vector<watch::Finding> findings_of(const LogWatch& watch, const plan::Store& store,
                                        const std::string& host, Timestamp now);

}  // namespace lb::cli
