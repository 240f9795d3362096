// Collector: frees what no snapshot needs, without locks, while backups run anywhere. Condemn,
// wait for every session that may not have seen it, decide on record, delete. Every step is an
// object: another collector, now or after a crash, takes over where one stopped. Used by prune.
// Never looks into snapshots' rows, never judges by a clock: time only decides when a session that
// does not end is aborted, which costs that session a retry. docs/format.md, "Care".
#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "storage/blob/locks.h"
#include "storage/repo/core.h"
#include "storage/repo/ledger.h"
#include "storage/repo/moves.h"

namespace lb::repo {

struct CollectOptions {
  // A session that blocks a collection is aborted when it is older than this and has put no pack
  // since an earlier run began to wait for it; in any case when it is seven times older.
  Micros grace = std::chrono::hours(24);
  // What is known of the locks of a repository whose objects cannot be deleted for a time; null for
  // others. Garbage under a lock is left alone until the lock ends, and new backups may use it.
  LockEnds* locks = nullptr;
};

// The sessions that ran when a generation was condemned, and the packs they had then.
struct Awaited {
  Timestamp listed{};
  std::map<std::string, std::uint64_t> packs;
};

struct CollectReport {
  std::vector<std::string> awaited;  // sessions that still run; the rest waits for them
  std::vector<std::string> aborted;  // sessions ended here because they did not end themselves
  std::uint64_t condemned_packs = 0, condemned_bytes = 0;  // waiting for a decision
  std::uint64_t deleted_packs = 0, deleted_bytes = 0;
  std::uint64_t rescued_packs = 0;  // condemned, and needed by a snapshot made since
  // Garbage that nobody can delete yet, and when the first of it can be.
  std::uint64_t locked_packs = 0, locked_bytes = 0;
  std::optional<Timestamp> locked_until;
};

// Whether a session that blocks a collection is ended: it has this age, has been waited for so
// long, and put packs meanwhile or none. Pure.
bool may_abort(Micros age, Micros waited, bool put_packs, Micros grace);
// The moment in a session's name.
Timestamp session_time(const std::string& session);
// "p/<session>/<number>": the session; empty when it is no such key.
std::string session_of_pack(std::string_view key);

class Collector {
 public:
  Collector(const Core& core, const CollectOptions& options, std::stop_token stop)
      : core_(core), options_(options), stop_(std::move(stop)) {}
  // Finishes what is open, then condemns what has become garbage and goes on as far as the running
  // sessions allow. damaged (exit 13): a verdict cannot be read, so nobody knows what it needs.
  Result<CollectReport> run();
  // After a run: what snapshots that count need, and the ledger that says which do.
  const std::unordered_set<std::string>& needed_packs() const { return needed_; }
  const Ledger& ledger() const { return ledger_; }

 private:
  struct Sessions {
    std::set<std::string> intents;
    std::set<std::string> begun;   // with an intent or a pack
    std::set<std::string> judged;  // with a verdict of either kind
    std::map<std::string, std::uint64_t> packs;
  };
  Status look();
  Status read_verdict(const std::string& session);
  Status take_moved(const std::shared_ptr<const Moved>& moved);
  void take_snapshot(const Verdict& verdict, const VerdictMark& mark);
  void use(const Instead& instead);
  bool is_there(const StoredPack& pack) const;
  bool all_there(const Instead& instead) const;
  std::set<std::string> of_no_use() const;
  Status list_sessions();
  bool ended(const std::string& session) const;
  Status sweep();
  Result<std::optional<std::uint32_t>> open_generation();
  Result<std::optional<std::uint32_t>> condemn();
  Result<bool> carry_on(std::uint32_t generation);
  bool any_overdue() const;
  Result<Awaited> awaited(std::uint32_t generation);
  Result<bool> wait_is_over(std::uint32_t generation);
  Result<bool> abort(const std::string& session);
  Status decide(std::uint32_t generation, const std::vector<std::string>& condemned);
  Result<bool> carry_out(std::uint32_t generation);
  Result<bool> remove(const std::string& key);
  Result<std::vector<std::string>> unlocked(std::vector<std::string> keys);
  void note_lock(const std::string& pack, Timestamp until);
  Status close(std::uint32_t generation);
  Status check_stop() const;

  const Core& core_;
  const CollectOptions options_;
  const std::stop_token stop_;
  CollectReport report_;
  Ledger ledger_;
  Sessions sessions_;
  std::map<std::string, std::uint64_t> packs_;  // there now, with their sizes
  // Packs of snapshots that count. Only grows while we work: what was forgotten meanwhile is
  // garbage of the next run.
  std::unordered_set<std::string> needed_;
  std::set<std::string> read_, aborted_;  // verdicts, by what they say
  Moves moves_;
  std::set<std::string> used_;  // sessions of repackings that stand for a pack of a snapshot
  bool looked_ = false;
};

Buffer encode_awaited(const Awaited& awaited);
Result<Awaited> decode_awaited(ByteView bytes);

}  // namespace lb::repo
