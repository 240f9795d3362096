// How ready a plan is, against the list that a recovery handbook is measured by: targets, enough
// kinds of failure, steps, checks, messages, drills, a post-mortem, pages that everybody can read,
// and documents, contacts and links that are not out of date. Says what is missing, by name. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/plan/plan.h"

namespace lb::plan {

struct ScoreItem {
  std::string what;                  // "failure scenarios"
  std::string found;                 // "6 runbooks with symptoms"
  std::vector<std::string> missing;  // each one thing to do; empty: met
  bool met() const { return missing.empty(); }
};

inline constexpr std::size_t scenarios_wanted = 5;
inline constexpr Micros drills_within = std::chrono::hours(24 * 93);  // a quarter, the longest
inline constexpr Micros contacts_trusted = std::chrono::hours(24 * 365);

// name and address of those links: that are files, for who can look whether they are there.
std::vector<std::pair<std::string, std::string>> links_to_files(const Plan& plan);

// `links_missing`: names of links whose file is not there. `now` decides what is out of date.
std::vector<ScoreItem> score_of(const Plan& plan, const std::vector<std::string>& links_missing,
                                Timestamp now);

}  // namespace lb::plan
