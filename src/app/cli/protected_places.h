// Whether a place is that of a protected target, whatever it is called: production must not be
// touched by an address that merely looks like another one.
#pragma once

#include <string>

#include "app/cli/restore_request.h"

namespace lb::cli {

// The protected target whose server takes the restore; empty: none. Compared by the words of the
// addresses, and by the servers themselves (server_look.h). A database that is exchanged is its
// place only when it is that target's own database. A target without an address of its own is where
// the plan's stores live.
std::string protected_target(const Session& session, const Rescue& rescue, const Secret& into);

// The same for a folder: of files, or a data directory, or one inside of the other. Compared by the
// folders themselves, so that links and other spellings do not hide it.
std::string protected_folder(const Shell& shell, const Session& session, const std::string& folder);

// Says which addresses of protected targets have no value on this host: whether what is written to
// is one of them nobody can tell here.
void warn_of_unknown_places(const Shell& shell, const Session& session);

// Of what was asked for by hand: sets `guarded`, and `original` where it was named otherwise.
Status find_place(const Shell& shell, const Session& session, Request& request);

}  // namespace lb::cli
