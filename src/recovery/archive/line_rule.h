// The rule of timelines: a server that left its parent's timeline before the end of what is stored
// of it writes another history than the one that was archived. It is a clone that was recovered to
// the past, or a failover that lost commits: a person says which (`lifeboat wal admit`). Pure but
// for the look at the repository.
#pragma once

#include <vector>

#include "recovery/archive/instance.h"
#include "stores/postgres/log_index.h"

namespace lb::archive {

// The end of what `infos` hold of a timeline; 0 when nothing.
pg::Lsn stored_end(const std::vector<repo::LogInfo>& infos, std::uint32_t timeline,
                   std::uint64_t segment_bytes);

// ok, or denied (exit 5). `switches`: those that led to `timeline`, oldest first.
Status judge_line(const std::vector<repo::LogInfo>& infos, std::uint64_t segment_bytes,
                  std::uint32_t timeline, const std::vector<pg::LogIndex::Switch>& switches,
                  const std::vector<Admission>& admissions);

}  // namespace lb::archive
