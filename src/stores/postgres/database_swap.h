// One database of a running server exchanged for a restored one: filled beside it, checked, then
// both renamed in one transaction. The old one is kept under a name that says so, and can be put
// back. Everything that is known of a swap stands in the server's catalog, in names and comments;
// a process that is killed anywhere leaves exactly one whole database under the name, and whoever
// looks again, from any machine, goes on or goes back.
//
// Who had a session in a database that is renamed loses it and finds the other one when it connects
// again; new sessions wait while the names change. Errors are refused (exit 5) where a guard said
// no before anything was done.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/sys/clock.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/database_dress.h"
#include "stores/postgres/swap_mark.h"

namespace lb::pg {

enum class SwapStage {
  none,        // nothing is there
  unfinished,  // one that is not whole
  filled,      // the new one is whole
  verified,    // and its checks passed
  swapped,     // it has the name, the old one is kept
  undone,      // the old one has its name again, the new one is kept
};
std::string_view name_of(SwapStage stage);

struct SwapState {
  SwapStage stage = SwapStage::none;
  std::string beside;  // the database that stands beside the live one; empty when there is none
  std::optional<Timestamp> until;  // swapped, undone: how long it is kept
  // What the new one was filled with, as the wish that filled it said; from filled on.
  std::string point = {};
  std::optional<Timestamp> as_of = {};
};

// Two connections of one user to one server, neither to a database that is swapped. The second ends
// sessions while the first waits for that.
struct SwapServer {
  Connection& connection;
  Connection& second;
  Clock& clock;
};

// conflict when databases have the names of this swap and are not its own, or are not as a swap
// leaves them. Only reads.
Result<SwapState> look_at_swap(Connection& connection, const SwapWish& wish);

// Before a swap begins, and again right before names change: all that would make it fail or lose
// something. Only reads.
struct SwapPreview {
  DatabaseDress live;
  std::uint64_t live_bytes = 0;
  std::uint64_t sessions = 0;         // that will be ended
  std::optional<std::string> folder;  // where the server keeps it; nothing: it does not say
  std::vector<std::string> notes;     // what stays behind with the old one, for people
};
Result<SwapPreview> check_swap(Connection& connection, const SwapWish& wish);

struct SwapActs {
  // Makes the database of this name, whole: move_database. Not called again once it is there.
  std::function<Status(const std::string& database, const std::string& tablespace)> fill = {};
  // Checks it. May be called more than once.
  std::function<Status(const std::string& database)> verify = {};
};
// Does the next thing that is to be done, and no more: none or unfinished → filled → verified →
// swapped. Says where it stands then. undone: refused, a new swap has a new id.
Result<SwapState> advance_swap(const SwapServer& server, const SwapWish& wish, const SwapActs& acts,
                               std::stop_token stop);

// swapped → undone, in one transaction; what was written since the swap is in the database that is
// put aside, and kept as long as the old one would have been. Before the swap: what was made beside
// is removed (none). After either: nothing to do.
Result<SwapState> undo_swap(const SwapServer& server, const SwapWish& wish, std::stop_token stop);

}  // namespace lb::pg
