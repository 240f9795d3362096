// Drill: restore into an isolated sandbox, start the services, run the checks, measure, report,
// clean up. A drill never resolves a production address or credential: everything it needs is in
// the repository.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/log.h"
#include "model/plan/plan.h"
#include "model/record/drill_record.h"
#include "recovery/restore/points.h"
#include "storage/state/journal.h"
#include "stores/seam/references.h"

namespace lb::drill {

// What was restored of a database, and the marker that its server has to show.
struct RestoredDatabase {
  std::string conninfo, run_marker;
};

// A drill in its sandbox, as who carries out a runbook in it sees it. One thread.
class Rehearsal {
 public:
  virtual ~Rehearsal() = default;
  // Those of these stores that are not there yet.
  virtual Status restore(const std::vector<std::string>& stores, std::stop_token stop) = 0;
  // Starts the target's services, once, and waits until they answer.
  virtual Status serve(std::stop_token stop) = 0;
  // Runs the suites that did not run yet; gives the results of all of these.
  virtual Result<std::vector<record::CheckResult>> check(const std::vector<std::string>& suites,
                                                         std::stop_token stop) = 0;
  // One check of a suite, each time anew.
  virtual Result<record::CheckResult> check_one(const std::string& suite, const plan::Check& check,
                                                std::stop_token stop) = 0;
  // Nothing: the store is not restored by then, or is no database.
  virtual std::optional<RestoredDatabase> database_of(const std::string& store) const = 0;
  virtual Result<HttpAnswer> ask(const HttpRequest& request) = 0;  // inside the sandbox
  // "2026-01-13T02:14:05Z", or the snapshot's id where there is no log.
  virtual std::string point_of(const std::string& store) const = 0;
  // What the drill's own preflight could not look at; empty: it saw disk, versions and extensions.
  virtual std::vector<std::string> preflight_unseen() const = 0;
  virtual record::DrillRecord& record() = 0;  // for what the runbook adds to it
};

struct DrillRequest {
  const plan::Plan& plan;
  const plan::Drill& drill;
  restore::Wish wish;                // from --at or the drill's `at:`
  std::optional<Timestamp> lost_at;  // what RPO is measured against; default: the drill's start
  std::string started_by, host, version;
  std::string plan_fingerprint;
  std::string folder;       // where the sandbox is laid out; a fresh one is made below it
  std::string plan_folder;  // services run with this working directory
  bool keep = false;        // leave the sandbox's files for a look (the services stop)
  unsigned workers = 2;
  std::optional<std::uint64_t> seed = {};  // of an audit (pitr:); none: a fresh one, recorded
  // Set by the audit for each moment it tries, with `wish` saying the same: the copy must stand at
  // the last commit before it, and the rows of every table are counted.
  std::optional<Timestamp> moment = {};
  // Carries out the drill's runbook, instead of restoring all stores at once. What it left out is
  // served and checked afterwards. An error ends the drill.
  std::function<Status(Rehearsal&, std::stop_token)> conduct = {};
};

struct DrillTools {
  World& world;
  repo::Repository& repository;
  state::Journal& journal;
  const References& references;
  Log& log;
  // Stores that are read from a copy of the repository, which is what the drill proves then; the
  // others, and all that is recorded, are in the repository.
  std::map<std::string, repo::Repository*> copies = {};
  repo::Repository& source_of(const std::string& store) const {
    auto copy = copies.find(store);
    return copy == copies.end() ? repository : *copy->second;
  }
};

// A drill that says `pitr:` restores many moments, one after another; `wish` may then say when its
// window ends. The record is always returned when the drill began; its verdict says how it ended.
// An error means the drill could not begin or could not be recorded.
Result<record::DrillRecord> run_drill(const DrillTools& tools, const DrillRequest& request,
                                      std::stop_token stop);

// The folder sandboxes live in unless the target names one.
std::string default_sandbox_root(std::uint32_t uid);

}  // namespace lb::drill
