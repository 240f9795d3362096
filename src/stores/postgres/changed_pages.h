// ChangedPages: what the log between two positions says about relation files: which blocks may
// differ, which relations must be read anew. One block too many is harmless, one too few would be
// data loss. Pure but for read_changed_pages. Used by page-exact backups.
//
// Not in the log, and therefore the caller's: blocks at or behind the length the base knew (files
// are extended with zeros unseen); the free space map and the visibility map (always read whole);
// files that are no relation's; relations the base does not know; unlogged relations but for their
// init fork; the first page of an SP-GiST index where vacuum alone noted which pages have room (an
// older one is as good, as it is after a crash; is_unlogged_hint tells it); whether checksums were
// switched on or off in between (pg_checksums writes no log); whether the base lies on the descent
// at all (its end before the switch to the next timeline).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/repo/repository.h"
#include "stores/postgres/log_index.h"
#include "stores/postgres/segment_detail.h"

namespace lb::pg {

class ChangedPages {
 public:
  // Records that end at or before `from` or behind `until` make nothing unusable; their blocks
  // count all the same.
  void add(const SegmentDetail& detail, Lsn from = 0, Lsn until = ~Lsn{0});
  // Must the whole relation (all forks) be read anew: created, or in a database copied by files?
  bool whole(const RelationId& relation) const;
  // Sorted changed blocks of this fork in [first, first + count). Every block at or behind a
  // truncation's limit counts as changed, and every block of a relation that is `whole`.
  std::vector<std::uint32_t> blocks(const ForkId& fork, std::uint32_t first,
                                    std::uint32_t count) const;
  bool any(const ForkId& fork) const;  // quick test without a list
  std::uint64_t count() const;         // blocks in all, without those behind limits
  // Why an incremental must not be built on this range: wal_level was minimal.
  const std::optional<std::string>& unusable() const { return unusable_; }
  // The server ran with wal_log_hints off. Without checksums main forks may then differ in hint
  // bits that the log does not show; with checksums it means nothing.
  bool hints_unlogged() const { return hints_unlogged_; }
  const std::set<DatabaseId>& maps() const { return maps_; }  // pg_filenode.map rewritten
  std::uint64_t memory_bytes() const;

 private:
  const ForkChanges* find(const ForkId& fork) const;

  std::map<ForkId, ForkChanges> forks_;
  std::set<RelationId> created_;
  std::set<DatabaseId> databases_, maps_;
  std::optional<std::string> unusable_;
  bool hints_unlogged_ = false;
};

// True for the one kind of page of a main fork that changes without log, with checksums too: the
// meta page of an SP-GiST index, block 0. For who compares pages with what the log tells.
bool is_unlogged_hint(ByteView page);

// Reads the details (or, where there is none, scans the data) of the log of `index` along the
// descent of `timeline`, so that every record that begins before `until` and ends behind `from`
// counts. Both are record boundaries: a redo position, and where a backup ended. not_found, naming
// the hole or the end, when the log in the repository is not all there.
Result<ChangedPages> read_changed_pages(repo::Repository& repository, const LogIndex& index,
                                        std::uint32_t timeline, Lsn from, Lsn until);

}  // namespace lb::pg
