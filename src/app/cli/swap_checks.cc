#include "app/cli/swap_checks.h"

#include "foundation/base/text.h"
#include "recovery/check/check.h"
#include "recovery/check/recorded.h"

namespace lb::cli {

std::map<std::string, std::int64_t> rows_expected(const Shell& shell, const Session& session,
                                                  const restore::Choice& choice,
                                                  pg::RecoveryServer& server,
                                                  const CheckedCopy& copy) {
  std::vector<std::string> tables;
  for (const auto& suite : session.plan.plan.suites) {
    for (const auto& check : suite.checks) {
      const auto* count = std::get_if<plan::CheckCount>(&check.what);
      bool recorded = count != nullptr && count->expect.op == plan::Comparison::Op::recorded &&
                      (check.store.empty() || check.store == copy.store);
      if (recorded) tables.insert(tables.end(), count->tables.begin(), count->tables.end());
    }
  }
  if (tables.empty()) return {};
  auto snapshot = session.repository->snapshot(choice.snapshot.id);
  auto untold = [&](const std::string& why) {
    shell.console.warn(cat("recorded counts of ", copy.store, " cannot be compared: ", why));
    return std::map<std::string, std::int64_t>();
  };
  if (!snapshot.ok()) return untold(snapshot.error().text());
  check::CheckedStore store;
  store.name = copy.store;
  store.kind = plan::StoreKind::postgres;
  store.connection = copy.connection;
  store.run_marker = copy.run_marker;
  store.snapshot = snapshot->get();
  check::take_recorded(store, server);
  if (!store.row_deltas) return untold(store.row_deltas_missing);
  auto rows = check::expected_rows(store, tables);
  return rows.ok() ? std::move(rows).take() : untold(rows.error().text());
}

Json json_of_rows(const std::map<std::string, std::int64_t>& rows) {
  auto out = Json::object();
  for (const auto& [table, count] : rows) out.set(table, count);
  return out;
}

std::map<std::string, std::int64_t> rows_of_json(const Json& json) {
  std::map<std::string, std::int64_t> out;
  for (const auto& [table, count] : json.members()) {
    if (count.is_int()) out[table] = count.integer();
  }
  return out;
}

Status run_suites(const Shell& shell, const Session& session,
                  const std::vector<std::string>& suites, const CheckedCopy& copy) {
  check::CheckContext context{shell.world, shell.world.http, "", {}, {}, shell.stop};
  check::CheckedStore store;
  store.name = copy.store;
  store.kind = copy.folder.empty() ? plan::StoreKind::postgres : plan::StoreKind::files;
  store.connection = copy.connection;
  store.run_marker = copy.run_marker;
  store.folder = copy.folder;
  store.snapshot = copy.snapshot;
  if (copy.folder.empty()) store.expected_rows = copy.expected_rows;
  context.stores.push_back(std::move(store));
  context.environment = session.references->environment();
  std::map<std::string, std::string> saved;
  for (const auto& name : suites) {
    const auto* suite = session.plan.plan.suite(name);
    LB_ASSERT(suite != nullptr);
    auto results = check::run_suite(*suite, context, saved);
    for (const auto& each : results) {
      shell.console.note(cat("check    ", name, ": ", each.name, ": ", record::name_of(each.state),
                             each.reason.empty() ? "" : cat(" (", each.reason, ")")));
    }
    auto judged = check::judge(results);
    if (judged.verdict != record::Verdict::pass)
      return Error(ErrorKind::invalid, cat("checks ", name, ": ", judged.reason))
          .with_exit(ExitCode::check_not_met);
  }
  return {};
}

}  // namespace lb::cli
