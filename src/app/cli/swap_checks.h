// The plan's checks, run on what is about to take the place of something live.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/cli/session.h"
#include "recovery/restore/points.h"
#include "stores/postgres/restore.h"

namespace lb::cli {

// A restored database that is asked, or (folder) a restored tree. `run_marker`: its setting
// lifeboat.run.
struct CheckedCopy {
  std::string store, connection, run_marker;
  std::map<std::string, std::int64_t> expected_rows = {};  // see CheckedStore
  std::string folder = {};
  repo::SnapshotReader* snapshot = nullptr;  // of a tree
};
// Of a copy whose server runs: the rows, at its point, of the tables that the plan's checks hold
// against what was recorded. Those that cannot be told are left out, and why is said.
std::map<std::string, std::int64_t> rows_expected(const Shell& shell, const Session& session,
                                                  const restore::Choice& choice,
                                                  pg::RecoveryServer& server,
                                                  const CheckedCopy& copy);
// As a member of what a restore says of itself, and back.
Json json_of_rows(const std::map<std::string, std::int64_t>& rows);
std::map<std::string, std::int64_t> rows_of_json(const Json& json);

// check_not_met (exit 4) with the first reason unless all suites pass; each result is said. None
// is fine.
Status run_suites(const Shell& shell, const Session& session,
                  const std::vector<std::string>& suites, const CheckedCopy& copy);

}  // namespace lb::cli
