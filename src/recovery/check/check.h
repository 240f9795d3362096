// Checks: assertions on a restored copy, each with evidence. Error is never pass; a check that
// looked at nothing fails; a suite that ran no check fails (judge_suites).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/sys/world.h"
#include "model/plan/plan.h"
#include "model/record/drill_record.h"
#include "recovery/check/recorded_tables.h"
#include "storage/repo/repository.h"

namespace lb::check {

// A restored store the checks may ask.
struct CheckedStore {
  std::string name;
  plan::StoreKind kind = plan::StoreKind::files;
  std::string connection;  // postgres: libpq conninfo of the *restored* server
  std::string run_marker;  // postgres: value of the setting lifeboat.run; asked before every check
  bool live = false;       // what the plan backs up itself: no marker proves that it is asked
  std::string folder;      // files: root of the restored tree
  repo::SnapshotReader* snapshot = nullptr;  // the point restored, for recorded values
  // What was counted with the snapshot; absent: nothing.
  std::optional<std::vector<RecordedDatabase>> recorded;
  // Net rows the log added since the fingerprint, per database oid and filenode: recorded + delta
  // is the exact count at the point reached. Absent with the reason: recorded counts cannot be
  // compared.
  std::optional<std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t>> row_deltas;
  std::string row_deltas_missing;
  // Instead of both, where what is asked was made from the restored copy (a database that was
  // streamed out of it has other files): the exact counts at the point, by "schema.table".
  std::optional<std::map<std::string, std::int64_t>> expected_rows{};
};

struct CheckContext {
  World& world;
  Http& http;            // of the sandbox
  std::string base_url;  // target url
  std::vector<CheckedStore> stores;
  std::map<std::string, std::string> environment;  // for env: references in checks; never logged
  std::stop_token stop;
  // What `fresh … within` is measured against; none: the clock when the check runs.
  std::optional<Timestamp> loss_moment{};
  Micros statement_limit = std::chrono::hours(6);     // of one SQL statement; longer is an error
  std::map<std::string, std::string> service_logs{};  // service -> file with what it wrote
  // Service -> where it answers; empty: not known. Never a guess: another one's answer would pass.
  std::map<std::string, std::string> service_urls{};
  bool sandboxed = false;              // `http` cannot leave the sandbox
  std::vector<std::string> secrets{};  // given to services: no evidence may show them
};

// Runs one suite in order; values saved by http checks live for the whole call (`saved` carries
// them on to the next suite). Never throws, never stops at the first failure.
std::vector<record::CheckResult> run_suite(const plan::Suite& suite, const CheckContext& context,
                                           std::map<std::string, std::string>& saved);

struct SuiteJudgement {
  record::Verdict verdict = record::Verdict::fail;
  std::string reason;
};
// fail: a check failed, or nothing was examined. inconclusive: a check could not run. Else pass.
SuiteJudgement judge(const std::vector<record::CheckResult>& results);

}  // namespace lb::check
