// The databases that swaps left beside live ones: which there are, and removing those whose time is
// over. A database is touched only when its comment and its name both say that a swap put it aside.
#pragma once

#include "stores/postgres/database_swap.h"

namespace lb::pg {

struct KeptDatabase {
  std::string name;
  SwapMark mark;
  std::uint64_t bytes = 0;
  bool live_present = false;  // there is a database under the live name
  // Filled by a swap that was interrupted, or is at work. It bears no mark: that of this value says
  // what its name says, and the live name in it may be shortened.
  bool unfinished = false;
};
// Of all swaps of this server, also those that are not finished; by live name, then by age.
Result<std::vector<KeptDatabase>> kept_databases(Connection& connection);

// Why it is not to be removed at this time; empty when it may go. Pure.
std::string reason_to_keep(const KeptDatabase& kept, Timestamp now);

struct CleanedDatabases {
  std::vector<std::string> removed;
  std::uint64_t bytes = 0;
  std::vector<std::string> left;  // could not be removed, with the reason
};
// Those with no reason to be kept.
Result<CleanedDatabases> remove_kept_databases(Connection& connection, Timestamp now);

}  // namespace lb::pg
