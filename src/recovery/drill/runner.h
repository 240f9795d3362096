// Runner: one drill from its first stage to its clean-up. Used by run_drill only; one thread calls
// it.
#pragma once

#include <map>
#include <memory>
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
  RestoreOutcome restored;
  Micros took{0};
};

class Runner {
 public:
  Runner(const DrillTools& tools, const DrillRequest& request);
  record::DrillRecord run(std::stop_token stop);

 private:
  Status choose_points();
  Status make_sandbox();
  Status preflight();
  Status restore_stores(std::stop_token stop);
  Status restore_one(DrilledStore& drilled, std::stop_token stop);
  Status restore_files(DrilledStore& drilled, std::stop_token stop);
  Status restore_database(DrilledStore& drilled, std::stop_token stop);
  Status start_services(std::stop_token stop);
  Status wait_until_served(Http& http, std::stop_token stop);
  Status run_checks(std::stop_token stop);
  void clean_up();
  void describe_stores();
  void fill_head();
  Result<Environment> service_environment() const;
  check::CheckedStore checked(DrilledStore& drilled) const;
  // Runs one part as a stage; remembers the first error and where it happened.
  Status stage(const std::string& name, const std::function<Status()>& part, bool sandbox_lacks);

  const DrillTools& tools_;
  const DrillRequest& request_;
  const plan::Target* target_ = nullptr;
  record::DrillRecord record_;
  StageLog stages_;
  Ending ending_;
  std::vector<DrilledStore> stores_;
  std::unique_ptr<Sandbox> sandbox_;
  std::string folder_, run_marker_;
  UserId user_;
  std::vector<std::pair<std::string, std::unique_ptr<Child>>> services_;
};

}  // namespace lb::drill
