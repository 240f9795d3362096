// Changes the names of databases in one transaction, under the sessions that use them. Private to
// stores/postgres.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "stores/postgres/database_swap.h"

namespace lb::pg {

struct SwapRename {
  std::string from, to;
};
// Renames in the order given, calls `dress` within the transaction, and commits. Renaming locks a
// database against new sessions; those it has are ended while it waits. Gives up after some seconds
// with everything as before.
Status rename_databases(const SwapServer& server, const std::vector<SwapRename>& renames,
                        const std::function<Status()>& dress, const std::stop_token& stop);

}  // namespace lb::pg
