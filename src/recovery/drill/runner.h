// Runner: one restore of a drill, from its first stage to its clean-up. Used by run_drill, and by
// an audit for each of its moments; one thread calls it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "recovery/check/check.h"
#include "recovery/drill/drill.h"
#include "recovery/drill/stages.h"
#include "recovery/drill/verdict.h"
#include "recovery/restore/postgres_restore.h"

namespace lb::drill {

// One store on its way through the drill.
struct DrilledStore {
  const plan::Store* store = nullptr;
  restore::Choice choice;
  std::string folder;  // below the sandbox; files: the tree itself
  std::unique_ptr<repo::SnapshotReader> snapshot;
  std::unique_ptr<pg::RecoveryServer> server;  // postgres
  std::optional<Timestamp> next_commit;        // at a moment of an audit: the first one left out
  RestoreOutcome restored;
  Micros took{0};
};

// What is known of a drill before it begins; with a fresh id.
record::DrillRecord head_of(const DrillTools& tools, const DrillRequest& request);
Result<std::vector<restore::StorePoints>> read_all_points(const DrillTools& tools,
                                                          const DrillRequest& request);

// A connection to one database of the restored server, in a form that services can use too.
std::string database_url(const pg::RecoveryServer& server, const std::string& database);

class Runner final : private Rehearsal {
 public:
  // `known`: what the repository holds of the stores, when that was read already.
  Runner(const DrillTools& tools, const DrillRequest& request,
         const std::vector<restore::StorePoints>* known = nullptr);
  record::DrillRecord run(std::stop_token stop);

 private:
  Status choose_points();
  Status make_sandbox();
  Status preflight();
  Status restore(const std::vector<std::string>& stores, std::stop_token stop) override;
  Status serve(std::stop_token stop) override;
  Result<std::vector<record::CheckResult>> check(const std::vector<std::string>& suites,
                                                 std::stop_token stop) override;
  Result<record::CheckResult> check_one(const std::string& suite, const plan::Check& check,
                                        std::stop_token stop) override;
  void forget_check(const record::CheckResult& again);
  std::optional<RestoredDatabase> database_of(const std::string& store) const override;
  Result<HttpAnswer> ask(const HttpRequest& request) override;
  std::string point_of(const std::string& store) const override;
  std::vector<std::string> preflight_unseen() const override { return preflight_unseen_; }
  record::DrillRecord& record() override { return record_; }
  Status restore_stores(std::stop_token stop);
  Status restore_one(DrilledStore& drilled, std::stop_token stop);
  Status restore_files(DrilledStore& drilled, std::stop_token stop);
  Status restore_database(DrilledStore& drilled, std::stop_token stop);
  Status start_services(std::stop_token stop);
  Status wait_until_served(Http& http, std::stop_token stop);
  Status run_checks(std::stop_token stop);
  // The checks of a moment: the commit reached, the rows of every table in every database.
  Status check_moment(const check::CheckContext& context);
  Result<record::CheckResult> prove_moment(DrilledStore& drilled);
  Timestamp moment_of_stores() const;  // where the logs are stopped
  void clean_up();
  void describe_stores();
  Result<Environment> service_environment();
  check::CheckContext check_context(Http& http, std::stop_token stop) const;
  check::CheckedStore checked(DrilledStore& drilled) const;
  // Runs one part as a stage; remembers the first error and where it happened.
  Status stage(const std::string& name, const std::function<Status()>& part, bool sandbox_lacks);

  const DrillTools& tools_;
  const DrillRequest& request_;
  const plan::Target* target_ = nullptr;
  std::vector<restore::StorePoints> own_points_;
  const std::vector<restore::StorePoints>* points_ = nullptr;  // of the stores, in their order
  record::DrillRecord record_;
  StageLog stages_;
  Ending ending_;
  std::vector<DrilledStore> stores_;
  std::unique_ptr<Sandbox> sandbox_;
  std::string folder_, run_marker_;
  std::vector<std::string> preflight_unseen_;
  std::set<std::string> restored_, suites_run_;
  bool served_ = false;
  std::map<std::string, std::string> saved_;  // by http checks, from suite to suite
  UserId user_;
  std::vector<std::pair<std::string, std::unique_ptr<Child>>> services_;
  std::map<std::string, std::string> service_logs_;  // service -> file with what it writes
  std::vector<std::string> secrets_;                 // given to services
};

}  // namespace lb::drill
