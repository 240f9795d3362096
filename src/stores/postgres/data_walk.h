// Which files of a data directory belong to a backup: those that the server's own base backup takes
// (PostgreSQL's basebackup.c names what it leaves out, and why). In the order of their paths as
// bytes, folders before what is in them. Private to stores/postgres.
#pragma once

#include <functional>

#include "stores/postgres/data_folder.h"
#include "stores/postgres/page_check.h"

namespace lb::pg {

struct WalkedFile {
  std::string path;
  DataEntry entry;
  RelationFile relation;
};

struct WalkFindings {
  std::vector<std::string> left_out;  // neither the server's nor readable: named, not saved
};

// The server made it, or needs it to start: a backup without it would be none.
bool is_servers(std::string_view path);

// `visit` gets each file but global/pg_control, which must be read last. Folders that are not there
// any more are passed over.
Status walk_data(DataFolder& folder, int server_version,
                 const std::function<Status(WalkedFile file)>& visit, WalkFindings& findings);

// What a name in a folder of relations stands for: "16384_vm.2".
struct RelationName {
  std::uint32_t filenode = 0;
  enum class Fork : std::uint8_t { main = 0, fsm = 1, vm = 2, init = 3 } fork = Fork::main;
  std::uint32_t segment = 0;
};
std::optional<RelationName> relation_name(std::string_view name);

}  // namespace lb::pg
