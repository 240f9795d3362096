// ReplayPlace: where the server that replays the log runs: a sandbox, so that restored settings can
// reach nothing, with a private folder for its sockets, log and spool.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/cli/session.h"
#include "recovery/restore/points.h"

namespace lb::cli {

struct ReplayPlace {
  std::unique_ptr<Sandbox> sandbox;
  std::string folder;  // of the sandbox
  std::string run;     // what the server and we share
  UserId user;
};

// The folder and the user; the sandbox comes with open_sandbox.
Result<ReplayPlace> make_replay_place(const Shell& shell, const Session& session);
// `data`: the data directory, visible inside, as are `more` folders.
Status open_sandbox(const Shell& shell, ReplayPlace& place, const std::string& data,
                    const std::vector<std::string>& more = {});
// Stops what runs there and removes the folder.
Status close_replay_place(const Shell& shell, ReplayPlace& place);

// Everything that would make the restore of a database fail, before a byte is written. `present`:
// bytes that lie there and may be written over.
Status check_preflight(const Shell& shell, Session& session, const std::string& folder,
                       const restore::Choice& choice, std::uint64_t present = 0);

}  // namespace lb::cli
