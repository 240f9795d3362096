// Where the tablespaces of a restored data directory go: restore --tablespace OLD=NEW. OLD is the
// folder or the name that it had on the server, NEW a folder outside of the data directory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/restore_request.h"
#include "foundation/sys/files.h"

namespace lb::cli {

using TablespacePlaces = std::vector<std::pair<std::uint32_t, std::string>>;  // oid -> folder

// What the request's words mean for that point. invalid (exit 2) for an OLD that the point does not
// have, and for a NEW that cannot be; refused (exit 5) for one that holds something else than this
// tablespace of the data directory that is there, or lies where a protected target is. Writes
// nothing. Folders come as what they lead to, in the order of the oids.
Result<TablespacePlaces> tablespace_places(const Shell& shell, const Session& session,
                                           const Request& request,
                                           const pg::SnapshotDetails& details);

// What two commands share that send them to the same folders, whatever they call these.
std::string words_of(const TablespacePlaces& places, const pg::SnapshotDetails& details);

// exhausted unless each of those on other file systems than the data directory fits there. Gives
// the bytes that go to such: the data directory needs as much less.
Result<std::uint64_t> check_tablespace_room(const Shell& shell, repo::SnapshotReader& snapshot,
                                            const std::string& folder,
                                            const TablespacePlaces& places);

Status make_tablespace_places(const Shell& shell, const TablespacePlaces& places, UserId user);

}  // namespace lb::cli
