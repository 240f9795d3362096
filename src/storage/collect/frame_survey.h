// FrameSurvey: which frames of which packs the snapshots name, counted from their tables, and what
// repackings have moved; for packs that are watched, which chunks. Parts of tables that snapshots
// share are gone through once. Memory: two bytes and a bit for each frame, a name for each pack,
// some bytes for each part of a table; the lists of watched chunks are limited. Used by repacking.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/collect/live_frames.h"
#include "storage/repo/core.h"
#include "storage/repo/ledger.h"
#include "storage/repo/moves.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {

inline constexpr std::size_t survey_chunks_max = 4 << 20;  // 12 bytes each, twice while they grow

class FrameSurvey {
 public:
  struct Named {
    std::uint64_t pack_bytes = 0;
    FrameSet live;
    std::optional<LiveChunks> chunks = {};  // while it is watched
  };

  // `without`: points that count as forgotten already. `chunks_max`: of watched packs.
  FrameSurvey(const Core& core, std::set<std::string> without, std::stop_token stop,
              std::size_t chunks_max = survey_chunks_max)
      : core_(core),
        without_(std::move(without)),
        stop_(std::move(stop)),
        watched_chunks_max_(chunks_max) {}

  // Called again, it reads only what is new. damaged (exit 13): a verdict cannot be read, so nobody
  // knows what it needs.
  Status look();

  // Goes through the tables once more and lists the chunks named in these packs, from here on also
  // of what look() finds. Where they are too many, the last of the packs are not watched.
  Status watch(const std::vector<std::string>& packs);

  // The snapshots gone through.
  const std::map<std::string, VerdictMark>& looked() const { return looked_; }
  const std::map<std::string, Named>& named() const { return named_; }
  // Of a pack that is watched; null otherwise.
  const std::vector<LiveChunk>* chunks_of(const std::string& pack);
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
  struct Block {
    Numbers numbers;
    std::uint64_t round = 0;  // of watching, when it was
  };

  Status read_verdict(const std::string& session);
  Status walk(StoredSnapshot& snapshot);
  Status walk_block(StoredSnapshot& snapshot, std::size_t number, std::vector<Named*>& packs);
  Status name(const std::vector<Extent>& extents, const std::vector<Named*>& packs,
              Numbers* numbers);
  Status name(const Extent& extent, Named& named);
  void make_room();
  void keep(const Verdict& verdict);
  bool is_known(const Block& block, const std::vector<Named*>& packs) const;

  const Core& core_;
  const std::set<std::string> without_;
  const std::stop_token stop_;
  const std::size_t watched_chunks_max_;
  std::string end_;
  Ledger ledger_;
  std::set<std::string> verdicts_, read_;
  std::map<std::string, VerdictMark> looked_;
  std::map<std::string, Named> named_;
  std::map<std::vector<ChunkId>, Block> blocks_;
  std::uint64_t round_ = 0;
  std::vector<Named*> watched_;
  std::size_t watched_chunks_ = 0;
  Moves moves_;
  std::vector<std::string> unread_;
  std::set<std::string> kept_;
};

}  // namespace lb::repo
