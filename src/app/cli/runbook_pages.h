// The runbooks of a plan as pages: made, written into a folder, kept in the repository.
#pragma once

#include <map>

#include "app/cli/session.h"
#include "storage/state/open_pages.h"

namespace lb::cli {

// What its steps took when they were done, for a page.
struct PageTimes {
  std::map<std::size_t, std::string> steps;  // by number
  std::string whole;
};
using AllTimes = std::map<std::string, PageTimes>;  // by runbook

// All runbooks of the plan, or the named ones; unknown names are usage errors with a suggestion.
Result<state::PageSet> make_pages(const LoadedPlan& plan, const std::vector<std::string>& names,
                                  Timestamp made, const AllTimes& times = {});
// NAME.html and NAME.md of each, readable by everybody. Files of these names are replaced.
Status write_pages(const Shell& shell, const std::string& folder, const state::PageSet& pages);
// Puts the pages of all runbooks into the repository, open and sealed, unless it has them; what is
// lost of the open ones is put there again. False: all are there, or the plan has no runbooks.
Result<bool> store_pages(const Shell& shell, Session& session);

// What was found of the open pages: lines for people, and for --json.
std::string text_of(const state::PageCheck& check);
Json json_of(const state::PageCheck& check);

}  // namespace lb::cli
