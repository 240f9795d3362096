// Where a log stream goes on: decided from what the repository holds and from the server's history.
// Pure. Private to stores/postgres.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/repo/types.h"
#include "stores/postgres/log_index.h"

namespace lb::pg {

struct StreamPlace {
  std::uint32_t timeline = 0;
  Lsn at = 0;          // the beginning of a segment
  std::string remark;  // when log of the old timeline was left behind by the new one; else empty
  std::uint32_t left = 0;  // that timeline, and where the server left it
  Lsn left_at = 0;
};

struct ServerLine {
  std::uint32_t timeline = 0;              // the server's own
  std::vector<LogIndex::Switch> switches;  // that led to it
};

// After the last stored segment, or at its beginning when only a tail of it is stored. nullopt when
// nothing is stored. denied when the stored log belongs to another line of descent.
Result<std::optional<StreamPlace>> place_after(const std::vector<repo::LogInfo>& stored,
                                               std::uint64_t segment_bytes,
                                               const ServerLine& server);

}  // namespace lb::pg
