// Verifier: reads a repository back and says what is wrong with it, in terms of snapshots and
// paths. docs/format.md, "Verifying", says what each depth proves. Memory does not grow with the
// data: packs are gone through in groups whose footers fit into a budget (PackFacts), and the
// tables of the snapshots are held against one group after the other.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "storage/repo/index_object.h"
#include "storage/repo/ledger.h"
#include "storage/repo/log_store.h"
#include "storage/repo/moves.h"
#include "storage/repo/pack_facts.h"
#include "storage/repo/pack_scan.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {

using VerifyProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class Verifier {
 public:
  Verifier(const Core& core, const VerifyOptions& options, std::stop_token stop,
           VerifyProgress progress);
  Result<VerifyReport> run();
  // Whether a repacking ended since run() began: then packs may be missed that nobody needs by now.
  Result<bool> moved_meanwhile() const;

 private:
  struct PackState {
    std::uint64_t bytes = 0;
    Digest sha256{};
    bool known_digest = false;
    bool read = false;      // in the sample
    bool readable = false;  // its footer is
    std::size_t number = 0;
    std::vector<std::uint32_t> bad_frames;
    PackFacts facts;  // while its group is looked at
  };
  // What a snapshot's number of a pack stands for: the pack, or what repacking put in its place.
  struct Stored {
    const PackState* pack = nullptr;  // null: not there
    std::optional<Instead> instead;
    const void* identity() const {
      return instead ? static_cast<const void*>(instead->from) : pack;
    }
  };
  struct Snapshot {
    std::string name;  // for people
    std::string store;
    Timestamp taken{};
    Digest previous{};
    VerdictMark mark{};
  };
  // A block of a table whose rows are all good, and the packs that its numbers stood for.
  struct GoodBlock {
    std::vector<std::pair<std::uint32_t, const void*>> packs;  // Stored::identity
    std::uint64_t rows = 0;
  };
  // A snapshot whose table is gone through.
  struct Open {
    StoredSnapshot& snapshot;
    const std::string& name;
    std::vector<Stored> packs;  // by the numbers of the snapshot
  };

  // verifier.cc
  Status check_text_objects();
  Status check_care();
  Status check_verdicts();
  void take_pack(const StoredPack& pack);
  std::vector<const Ledger*> ledgers() const;
  void check_chain(const std::map<std::string, Digest>& digests);
  Status check_logs();
  void check_log(const LogKey& key, const BlobInfo& object);
  std::optional<Error> contradiction(const LogKey& tail, ByteView data) const;
  void check_log_gaps(const std::map<LogName, LogHead>& segments);
  Status check_small_objects();

  // verify_meanwhile.cc
  void drop_ended(const Ledger& ledger);
  Status forgive();
  Result<std::set<std::string>> needed_packs() const;
  bool removed_on_purpose(const std::string& object, const Ledger& ledger,
                          const std::set<std::string>& needed) const;

  // verify_packs.cc
  Status list_packs();
  void choose_sample();
  Status check_group();
  Status check_pack(PackScan& scan, const std::string& name, PackState& state);

  // verify_tables.cc
  Status check_snapshots();
  Status check_snapshot(const std::string& id, const std::string& name);
  Result<std::uint64_t> check_block(Open& open, std::size_t number);
  bool check_row(const Open& open, const Row& row);
  bool is_stored(const Open& open, const Extent& extent) const;
  bool holds(const PackState* pack, const Extent& extent) const;
  std::string stored_in(const Open& open, const Extent& extent) const;
  bool in_group(const PackState& pack) const;
  Status check_indexes();
  void check_index(const std::string& key, const Index& index);

  // Thread-safe. One finding an object and problem; what it hits is gathered.
  void add(const std::string& object, const std::string& problem, const std::string& affected = {});
  // Adds to the first finding of the object, or makes one.
  void hit(const std::string& object, const std::string& problem, const std::string& affected);
  void damaged(const std::string& id, const std::string& problem, const std::string& affected);
  bool chance(const std::string& object) const;  // of the sample, for objects that are not packs
  Status check_stop() const;

  const Core& core_;
  const VerifyOptions options_;
  const std::stop_token stop_;
  const VerifyProgress progress_;
  Ledger ledger_;     // what was removed on purpose
  std::mutex mutex_;  // report_ and findings, while packs are read
  VerifyReport report_;
  std::map<std::string, std::size_t> by_problem_;  // object + problem -> finding
  std::map<std::string, std::size_t> by_object_;   // object -> its first finding
  std::map<std::string, PackState> packs_;
  std::vector<std::pair<const std::string*, PackState*>> order_;  // of packs_
  std::atomic<std::size_t> next_ = 0, facts_bytes_ = 0;
  std::size_t group_begin_ = 0, group_end_ = 0;
  std::map<std::vector<ChunkId>, GoodBlock> good_blocks_;  // by the chunks of the block
  std::map<std::string, Snapshot> snapshots_;
  std::set<std::string> verdicts_;  // sessions that had one
  Moves moves_;
  std::set<std::string> damaged_;  // snapshot ids
  std::uint64_t done_bytes_ = 0, total_bytes_ = 0;
};

// A number in [0, 1) that depends on the seed and the name alone, so that a run with the same seed
// reads the same objects everywhere.
double sample_draw(std::uint64_t seed, const std::string& name);

}  // namespace lb::repo
