// Bisect: the last clean moment of a store, or of a group's stores together. Positions are restored
// into an isolated sandbox, one after another, and a check is run there, with the machinery of
// drills: first the points, galloping back from the newest, then, for one database, places in its
// log, down to the transaction. Clean is only what a probe passed at; it leaves nothing behind but
// its record.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/record/bisect_record.h"
#include "recovery/drill/drill.h"

namespace lb::drill {

// A transaction of the log worth trying first.
struct BisectSuspect {
  pg::Lsn lsn = 0, end_lsn = 0;  // of its commit record
  Timestamp time{};
  std::string text;  // "deleted 33,333 rows of public.orders"
};

struct BisectRequest {
  const plan::Plan& plan;
  std::vector<std::string> stores;
  std::string group;  // they are brought to one moment together; empty: one store
  plan::Suite suite;  // of checks that can run on these stores alone
  std::string check;  // as it was asked for
  std::optional<Timestamp> from = {}, to = {};
  std::size_t probes_max = 40;
  std::string target =
      {};  // its folder, memory and cpus are the sandbox's; its services do not start
  std::string started_by = {}, host = {}, version = {};
  std::string plan_fingerprint = {}, folder = {}, plan_folder = {};
  std::vector<std::string> warnings = {};  // known before: what is left out
  unsigned workers = 2;
  // Of a step of a run: what an earlier program probed for it since `series_since` is not probed
  // again.
  std::string run = {}, series = {};
  Timestamp series_since{};
  // Commits since a moment that look like an accident; none: not looked for.
  std::function<Result<std::vector<BisectSuspect>>(const restore::StorePoints&, const pg::LogIndex&,
                                                   Timestamp since)>
      suspects = {};
};

// The record is returned, and put into the repository and the journal, also when nothing was found
// clean. An error: it could not begin, was stopped, or could not be recorded.
Result<record::BisectRecord> run_bisect(const DrillTools& tools, const BisectRequest& request,
                                        std::stop_token stop);

}  // namespace lb::drill
