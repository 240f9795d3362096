// Puts the private server's own configuration into a data directory, and the restored one back. The
// restored files wait beside it under a ".restored" name, so that nothing of production is in
// force.
#pragma once

#include <string>

#include "stores/postgres/restore.h"

namespace lb::pg {

Status configure(World& world, const RecoveryOptions& options, const RecoveryTarget& target,
                 int server_version, const std::string& restore_command);

// After the shutdown of a real restore: the restored files come back without what points at
// production.
Status bring_back_configuration(Files& files, const std::string& folder);

}  // namespace lb::pg
