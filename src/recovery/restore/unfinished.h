// A restore marks its target folder before it writes anything there and removes the mark last, so
// that the next restore can tell what a killed one left behind from a folder that is somebody's.
#pragma once

#include <string>

#include "foundation/sys/files.h"

namespace lb::restore {

enum class TargetState {
  free,        // missing or empty
  unfinished,  // holds what a restore left that is no longer running: may be cleared
  occupied,    // anything else
};
// conflict when a restore into the folder is still running.
Result<TargetState> look_at_target(Files& files, const std::string& folder);

// The folder exists and is free.
Status mark_unfinished(Files& files, const std::string& folder);
// Removes what the unfinished restore left, the mark last. Only for TargetState::unfinished.
Status clear_unfinished(Files& files, const std::string& folder);
// The restore is complete and durable.
Status remove_mark(Files& files, const std::string& folder);

}  // namespace lb::restore
