// Copies of the repository that a drill reads, to prove them.
#pragma once

#include <memory>
#include <string>

#include "app/cli/session.h"

namespace lb::cli {

// As Session::open_copy, but what is missing or damaged in the copy is not fetched from elsewhere:
// then the drill would prove the other place.
Result<std::unique_ptr<Session>> open_copy_alone(const Shell& shell, const Session& own,
                                                 const std::string& copy);

}  // namespace lb::cli
