// What is said of a copy of the repository before something is restored out of it.
#pragma once

#include <string>

#include "app/cli/session.h"

namespace lb::cli {

// "lacks the newest 2 points of the repository, since 2026-…". `own`: the repository; null when it
// cannot be reached, which is said. Moments, no ages: the same facts give the same words.
std::string standing_of_copy(repo::Repository* own, repo::Repository& copy);

// Of a restore by hand that reads a copy; the repository is asked if it answers.
void tell_standing(const Shell& shell, const Session& from);

}  // namespace lb::cli
