// Is the data directory on this host that of the server we speak with? Asked by backups that read
// its files, and by whoever started a server there and wants to be sure.
#pragma once

#include <string>

#include "foundation/base/secret.h"
#include "foundation/sys/files.h"

namespace lb::pg {

// denied, naming what differs: the system identifier, the moment the server started, its port. Two
// servers from one origin, on one host, are told apart by the last two.
Status check_same_cluster(Files& files, const Secret& conninfo, const std::string& data_folder);

}  // namespace lb::pg
