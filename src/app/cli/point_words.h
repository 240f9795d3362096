// The words in which a run keeps the point of a store, from one step to the next and over a crash:
// "latest", a time, "point ID", or "lsn 0/5A3F28".
#pragma once

#include <string>

#include "recovery/restore/points.h"

namespace lb::cli {

Result<restore::Wish> wish_of(const std::string& words);
// The moment at which a choice stands, in words that choose the same again.
std::string moment_of(const restore::Choice& choice);
std::string words_of_point(const std::string& snapshot);
// "point ID" as choose: gives it for stores without a log, and "lsn …" as bisect: does where a time
// does not tell two commits apart.
bool names_exactly(const std::string& words);

}  // namespace lb::cli
