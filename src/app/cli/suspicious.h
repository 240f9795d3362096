// What the log of a store says of accidents: transactions that dropped, emptied or rewrote tables,
// or deleted or changed many rows. Each segment was looked through when it was stored, the one
// being written is looked through when it is asked for; shown by `wal ls --suspicious`, with the
// place before which to restore.
#pragma once

#include <string>
#include <vector>

#include "app/cli/relation_names.h"
#include "foundation/codec/json.h"
#include "recovery/restore/points.h"
#include "stores/postgres/segment_detail.h"

namespace lb::cli {

struct Suspicion {
  std::uint32_t timeline = 0;
  pg::Suspect suspect;
  std::vector<std::string> deeds;  // "dropped shop public.orders and 3 more files"
};

struct Suspicions {
  std::vector<Suspicion> found;  // in the order of the log
  std::uint64_t looked_at = 0;   // segments
  std::uint64_t unknown = 0;     // segments stored without this, or with too much to watch it all
};

// Commits since `since`. Tables are named as the newest point before the commit knows them; those
// that were made later have no name.
Result<Suspicions> find_suspicious(repo::Repository& repository, const restore::StorePoints& points,
                                   const pg::LogIndex& index, Timestamp since);

// Pure: what a transaction did, in words.
std::vector<std::string> deeds_of(const pg::Suspect& suspect, const RelationNames& names);

Json to_json(const Suspicions& suspicions);
std::string to_text(const Suspicions& suspicions, const std::string& store);

}  // namespace lb::cli
