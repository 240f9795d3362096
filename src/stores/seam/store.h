// Store: one data holder of the user's system, as the engine sees it. A folder of stores/
// implements this; recovery/ drives it. Stores know the repository, never one another.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/sys/world.h"
#include "storage/repo/repository.h"

namespace lb {

// Live figures of a long verb; called from any thread, at most some times a second.
struct Progress {
  std::uint64_t done_bytes = 0, total_bytes = 0;  // total 0: unknown; of a backup, an estimate
  // Of a backup: what of done_bytes the repository did not have. The rest was deduplicated.
  std::optional<std::uint64_t> new_bytes;
  std::uint64_t items = 0;
  std::string current;  // what is being worked on, printable
};
using ProgressSink = std::function<void(const Progress&)>;

struct BackupContext {
  World& world;
  repo::Repository& repository;
  repo::SnapshotReader* parent = nullptr;  // newest snapshot of the same store, or null
  std::stop_token stop;
  ProgressSink progress;  // may be empty
  unsigned workers = 2;
  std::string host;
};

struct BackupOutcome {
  repo::SnapshotInfo snapshot;
  std::vector<std::string> unread;  // items that could not be read: exit 3, the rest is saved
};

struct Diagnosis {
  bool ok = true;
  std::string what;  // "replication privilege"
  std::string text;  // "user app may not replicate"
  std::string hint;
};

class Source {
 public:
  virtual ~Source() = default;
  // Tests everything a backup needs, without changing anything. store_unreachable when it is not
  // there.
  virtual Result<std::vector<Diagnosis>> diagnose(World& world, std::stop_token stop) = 0;
  virtual Result<BackupOutcome> backup(const BackupContext& context) = 0;
};

struct RestoreOutcome {
  std::uint64_t items = 0, bytes = 0;
  std::vector<std::string> warnings = {};
  std::uint64_t kept_bytes = 0;  // of `bytes`: what was there already
};

}  // namespace lb
