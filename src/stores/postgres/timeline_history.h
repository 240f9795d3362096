// Timeline history files ("1\t0/3000000\tno recovery target specified"): who descends from whom.
// Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "stores/postgres/log_index.h"

namespace lb::pg {

// All switches that led to `timeline`, oldest first. corrupt with the line when the text is
// malformed.
Result<std::vector<LogIndex::Switch>> parse_history(std::uint32_t timeline, std::string_view text);

// One timeline of a line of descent and the LSN at which the next one left it; the last has no end.
struct Generation {
  std::uint32_t timeline = 0;
  std::optional<Lsn> until;
};
// From the oldest known ancestor down to `timeline`.
std::vector<Generation> descent_of(const std::vector<LogIndex::Switch>& switches,
                                   std::uint32_t timeline);

}  // namespace lb::pg
