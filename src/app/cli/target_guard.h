// The rules of the plan's targets, for restores that name a place instead of a target: whoever
// restores into the place of a target by hand restores into that target.
#pragma once

#include "app/cli/restore_request.h"
#include "app/cli/session.h"

namespace lb::cli {

// `first: OTHER` of a target: the same point has passed its checks there, not long ago. refused
// (exit 5) without.
Status check_first(const Shell& shell, Session& session, const plan::Target& target,
                   const restore::Choice& choice);

// Before anything is written. unsupported when the place is that of a target with mask:, migrate:
// or wipe:, which nothing carries out; refused as check_first says.
Status check_target_rules(const Shell& shell, Session& session, const Request& request,
                          const restore::Choice& choice);

}  // namespace lb::cli
