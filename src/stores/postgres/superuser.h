// The name of a cluster's bootstrap superuser, read from the files of a data directory at rest: the
// role is not always called "postgres", and the server lets nobody in who does not name a role.
#pragma once

#include <string>

#include "foundation/sys/files.h"

namespace lb::pg {

// The role with OID 10, from global/pg_filenode.map and the pages of pg_authid. corrupt when the
// map is not one, not_found when no such row is there.
Result<std::string> bootstrap_superuser(Files& files, const std::string& data_folder);
// The file of pg_authid, and the newest row of OID 10 in its pages. Pure.
Result<std::uint32_t> authid_filenode(ByteView map);
std::string superuser_in_pages(ByteView pages);

}  // namespace lb::pg
