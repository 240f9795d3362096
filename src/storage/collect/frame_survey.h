// FrameSurvey: which frames of which packs the snapshots name, counted from their tables, and what
// repackings have moved. Parts of tables that snapshots share are gone through once. Memory: a bit
// for each frame, a name for each pack, some bytes for each part of a table. Used by repacking.
#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/repo/core.h"
#include "storage/repo/ledger.h"
#include "storage/repo/moves.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {

// Frames of one pack, and their sealed bytes.
struct FrameSet {
  std::vector<bool> frames;
  std::uint64_t bytes = 0;
  bool has(std::uint32_t frame) const { return frame < frames.size() && frames[frame]; }
  void add(std::uint32_t frame, std::uint32_t size);
  std::vector<std::uint32_t> numbers() const;
};

class FrameSurvey {
 public:
  struct Named {
    StoredPack pack;
    FrameSet live;
  };

  // `without`: points that count as forgotten already.
  FrameSurvey(const Core& core, std::set<std::string> without, std::stop_token stop)
      : core_(core), without_(std::move(without)), stop_(std::move(stop)) {}

  // Called again, it reads only what is new. damaged (exit 13): a verdict cannot be read, so nobody
  // knows what it needs.
  Status look();

  // The snapshots gone through.
  const std::map<std::string, VerdictMark>& looked() const { return looked_; }
  const std::map<std::string, Named>& named() const { return named_; }
  const Moves& moves() const { return moves_; }
  bool ended(const std::string& session) const {
    return verdicts_.contains(session) || ledger_.ended.contains(session);
  }
  const std::set<std::string>& verdicts() const { return verdicts_; }
  // Snapshots whose tables could not be read to the end. What they name is not known: the packs
  // they need stay where they are.
  const std::vector<std::string>& unread() const { return unread_; }
  const std::set<std::string>& kept() const { return kept_; }
  // From here on snapshots later than this session are not gone through.
  void end_before(const std::string& session) { end_ = session; }

 private:
  // A part of a table that was gone through, and the packs its numbers stood for.
  using Numbers = std::vector<std::pair<std::uint32_t, const Named*>>;

  Status read_verdict(const std::string& session);
  Status walk(StoredSnapshot& snapshot);
  Status walk_block(StoredSnapshot& snapshot, std::size_t number, std::vector<Named*>& packs);
  Status name(const std::vector<Extent>& extents, const std::vector<Named*>& packs,
              Numbers* numbers);
  void keep(const Verdict& verdict);

  const Core& core_;
  const std::set<std::string> without_;
  const std::stop_token stop_;
  std::string end_;
  Ledger ledger_;
  std::set<std::string> verdicts_, read_;
  std::map<std::string, VerdictMark> looked_;
  std::map<std::string, Named> named_;
  std::map<std::vector<ChunkId>, Numbers> blocks_;
  Moves moves_;
  std::vector<std::string> unread_;
  std::set<std::string> kept_;
};

}  // namespace lb::repo
