// A restore marks its target folder before it writes anything there and removes the mark last, so
// that the next restore can tell what a killed one left behind from a folder that is somebody's.
#pragma once

#include <string>

#include "foundation/sys/files.h"

namespace lb::restore {

enum class TargetState {
  free,        // missing or empty
  unfinished,  // holds what a restore left that is no longer running: it can go on
  occupied,    // anything else
};
// conflict when a restore into the folder is still running.
Result<TargetState> look_at_target(Files& files, const std::string& folder);

// The folder exists and no restore has marked it. `wish`: what is brought there, in words that two
// runs of one command share.
Status mark_unfinished(Files& files, const std::string& folder, const std::string& wish);
// Of TargetState::unfinished; empty when its restore was killed before it could say.
Result<std::string> unfinished_wish(Files& files, const std::string& folder);
// This process goes on with what the unfinished restore began. conflict when another one does.
Status take_over_unfinished(Files& files, const std::string& folder, const std::string& wish);
// The restore is complete and durable.
Status remove_mark(Files& files, const std::string& folder);

}  // namespace lb::restore
