// After a switch: the new place answers, and nobody writes to the old one any more.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/sys/world.h"

namespace lb::swap {

// A server that answers and takes writes. unavailable after `limit`, with its last words.
Status prove_database_answers(World& world, const Secret& conninfo, Micros limit,
                              std::stop_token stop);
// An answer of the 200s.
Status prove_url_answers(World& world, const std::string& url, Micros limit, std::stop_token stop);

// What a PostgreSQL server was asked to write during a time. Counted by the transactions that were
// given a number, as all that write are, in whatever database: nothing lags behind or is missed.
struct OldWrites {
  std::uint64_t transactions = 0;     // that wrote, ended during the time
  std::uint64_t open = 0;             // that wrote and have not ended
  std::vector<std::string> sessions;  // of others, some of them: "user@address database (program)"
  std::uint64_t sessions_count = 0;
  bool none() const { return transactions == 0 && open == 0; }
};
// A server that does not answer is an error: it was not seen to be still.
Result<OldWrites> watch_old_writes(World& world, const Secret& conninfo, Micros window,
                                   std::stop_token stop);
// Watches again until nothing was written during one whole window. conflict after `limit`, with who
// is still connected.
Result<OldWrites> prove_old_is_still(World& world, const Secret& conninfo, Micros window,
                                     Micros limit, std::stop_token stop);

}  // namespace lb::swap
