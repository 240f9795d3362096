// What a Runner checks at a moment of an audit, beside the suites of the drill.
#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/drill/moment_proof.h"
#include "recovery/drill/runner.h"
#include "stores/postgres/commit_after.h"
#include "stores/postgres/log_path.h"

namespace lb::drill {

namespace {

constexpr const char* suite_name = "every moment";

plan::Check count_everything(const std::string& store, const std::string& database) {
  plan::Check check;
  check.name = cat("rows of all tables of ", database);
  check.store = store;
  plan::Comparison recorded;
  recorded.op = plan::Comparison::Op::recorded;
  check.what = plan::CheckCount{{}, recorded, true};
  return check;
}

const restore::StorePoints* points_of(const std::vector<restore::StorePoints>& all,
                                      const std::string& store) {
  for (const auto& points : all) {
    if (points.store == store) return &points;
  }
  return nullptr;
}

// Databases with tables that were counted; without any record the store's own, so that the check
// says why nothing can be compared.
std::vector<std::string> databases_of(const check::CheckedStore& store, const std::string& own) {
  if (!store.recorded) return {own};
  std::vector<std::string> out;
  for (const auto& database : *store.recorded) {
    if (database.tables.size() > 0) out.push_back(database.name);
  }
  return out;
}

}  // namespace

// A group stands where the newest files before the moment do: no row may refer to later ones.
Timestamp Runner::moment_of_stores() const {
  auto moment = *request_.moment;
  if (request_.drill.group.empty()) return moment;
  for (const auto& drilled : stores_) {
    if (drilled.store->kind != plan::StoreKind::postgres)
      moment = std::min(moment, drilled.choice.snapshot.meta.started);
  }
  return moment;
}

Result<record::CheckResult> Runner::prove_moment(DrilledStore& drilled) {
  const auto& choice = drilled.choice;
  const auto* points = points_of(*points_, drilled.store->name);
  LB_ASSERT(points != nullptr && choice.details && choice.target);
  MomentEvidence evidence;
  evidence.moment = moment_of_stores();
  evidence.base_taken = choice.snapshot.meta.taken;
  evidence.reached = drilled.server->reached();
  auto started = tools_.world.clock.now();
  for (const auto& log : points->logs) {
    if (log.log_id != choice.details->log_id) continue;
    auto timeline = choice.target->timeline;
    evidence.next = LB_TRY(pg::first_commit_from(log, *choice.details, timeline,
                                                 evidence.reached.lsn, tools_.repository));
    auto path = LB_TRY(pg::trace_path(log, *choice.details, timeline));
    evidence.log_until = path.newest_time();
  }
  if (evidence.next) drilled.next_commit = evidence.next->time;
  auto result = judge_moment(evidence);
  result.suite = suite_name;
  result.store = drilled.store->name;
  result.started = started;
  result.took = tools_.world.clock.now() - started;
  return result;
}

Status Runner::check_moment(const check::CheckContext& context) {
  auto timer = stages_.begin(cat("check ", suite_name));
  std::map<std::string, std::string> saved;
  for (auto& drilled : stores_) {
    if (drilled.server == nullptr) continue;
    auto proof = LB_TRY(prove_moment(drilled));
    record_.checks.push_back(std::move(proof));
    auto store = checked(drilled);
    for (const auto& name : databases_of(store, drilled.choice.details->database)) {
      auto there = context;
      store.connection = database_url(*drilled.server, name);
      there.stores = {store};
      plan::Suite suite{suite_name, {count_everything(store.name, name)}, drilled.store->place};
      auto results = check::run_suite(suite, there, saved);
      record_.checks.insert(record_.checks.end(), results.begin(), results.end());
    }
  }
  timer.finish(check::judge(record_.checks).verdict == record::Verdict::pass);
  return {};
}

}  // namespace lb::drill
