// The runbooks of a plan as pages: made, written into a folder, kept in the repository.
#pragma once

#include <map>

#include "app/cli/session.h"
#include "storage/state/page_log.h"

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
// Puts the pages of all runbooks into the repository unless this host put the same ones last.
// False: they are there already, or the plan has no runbooks.
Result<bool> store_pages(const Shell& shell, Session& session);

}  // namespace lb::cli
