#include "app/cli/swap_checks.h"

#include "foundation/base/text.h"
#include "recovery/check/check.h"

namespace lb::cli {

Status run_suites(const Shell& shell, const Session& session,
                  const std::vector<std::string>& suites, const CheckedCopy& copy) {
  check::CheckContext context{shell.world, shell.world.http, "", {}, {}, shell.stop};
  check::CheckedStore store;
  store.name = copy.store;
  store.kind = plan::StoreKind::postgres;
  store.connection = copy.connection;
  store.run_marker = copy.run_marker;
  store.row_deltas_missing = "what was recorded is compared in drills";
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
