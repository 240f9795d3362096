#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/check/http_request.h"
#include "recovery/check/scope.h"
#include "recovery/check/session.h"

namespace lb::check {

using record::CheckResult;
using record::CheckState;

Result<const CheckedStore*> store_of(const CheckContext& context, const std::string& name,
                                     plan::StoreKind kind) {
  const CheckedStore* found = nullptr;
  for (const auto& store : context.stores) {
    if (name.empty() ? store.kind != kind : store.name != name) continue;
    if (found != nullptr) {
      return Error(ErrorKind::invalid,
                   cat("the drill restores more than one ", plan::name_of(kind), " store"))
          .with_hint("say which one the check asks: store: NAME");
    }
    found = &store;
  }
  if (found == nullptr) {
    return Error(ErrorKind::invalid,
                 name.empty() ? cat("the drill restores no ", plan::name_of(kind), " store")
                              : cat("the drill does not restore store ", name));
  }
  if (found->kind != kind) {
    return Error(ErrorKind::invalid, cat("store ", name, " is of kind ", plan::name_of(found->kind),
                                         ", the check asks a ", plan::name_of(kind), " store"));
  }
  return found;
}

Status not_stopped(const CheckContext& context) {
  if (context.stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
  return {};
}

namespace {

Error not_built(const std::string& verb, const plan::Check& check) {
  return Error(ErrorKind::unsupported,
               cat("not supported yet: ", verb, " (", check.place.text(), ")"));
}

// Chosen by the type of the check; one overload a kind.
struct Runner {
  const Scope& scope;
  Result<Finding> operator()(const plan::CheckTables& what) { return check_tables(what, scope); }
  Result<Finding> operator()(const plan::CheckCount& what) { return check_count(what, scope); }
  Result<Finding> operator()(const plan::CheckFresh& what) { return check_fresh(what, scope); }
  Result<Finding> operator()(const plan::CheckForeignKeys& what) {
    return check_foreign_keys(what, scope);
  }
  Result<Finding> operator()(const plan::CheckAmcheck& what) { return check_amcheck(what, scope); }
  Result<Finding> operator()(const plan::CheckSql& what) { return check_sql(what, scope); }
  Result<Finding> operator()(const plan::CheckEqual& what) { return check_equal(what, scope); }
  Result<Finding> operator()(const plan::CheckGroup&) { return not_built("group", scope.check); }
  Result<Finding> operator()(const plan::CheckFiles& what) { return check_files(what, scope); }
  Result<Finding> operator()(const plan::CheckReferences& what) {
    return check_references(what, scope);
  }
  Result<Finding> operator()(const plan::CheckHttp& what) { return check_http(what, scope); }
  Result<Finding> operator()(const plan::CheckManual&) { return not_built("manual", scope.check); }
  Result<Finding> operator()(const plan::CheckConnect& what) { return check_connect(what, scope); }
  Result<Finding> operator()(const plan::CheckCron& what) { return check_cron(what, scope); }
  Result<Finding> operator()(const plan::CheckLogs& what) { return check_logs(what, scope); }
  Result<Finding> operator()(const plan::CheckEntropy& what) { return check_entropy(what, scope); }
  Result<Finding> operator()(const plan::CheckUnsupported& what) {
    return not_built(what.verb, scope.check);
  }
};

struct KindName {
  const plan::Check& check;
  std::string operator()(const plan::CheckTables&) { return "tables"; }
  std::string operator()(const plan::CheckCount&) { return "count"; }
  std::string operator()(const plan::CheckFresh&) { return "fresh"; }
  std::string operator()(const plan::CheckForeignKeys&) { return "foreign_keys"; }
  std::string operator()(const plan::CheckAmcheck&) { return "amcheck"; }
  std::string operator()(const plan::CheckSql&) { return "sql"; }
  std::string operator()(const plan::CheckEqual&) { return "equal"; }
  std::string operator()(const plan::CheckGroup&) { return "group"; }
  std::string operator()(const plan::CheckFiles&) { return "files"; }
  std::string operator()(const plan::CheckReferences&) { return "references"; }
  std::string operator()(const plan::CheckHttp&) { return "http"; }
  std::string operator()(const plan::CheckManual&) { return "manual"; }
  std::string operator()(const plan::CheckConnect&) { return "connect"; }
  std::string operator()(const plan::CheckCron&) { return "cron"; }
  std::string operator()(const plan::CheckLogs&) { return "logs"; }
  std::string operator()(const plan::CheckEntropy&) { return "entropy"; }
  std::string operator()(const plan::CheckUnsupported& what) { return what.verb; }
};

// Empty when it looked at more than one.
std::string store_of_entropy(const plan::CheckEntropy& what, const plan::Check& check,
                             const CheckContext& context) {
  auto named = [&](const std::string& name) {
    return std::any_of(context.stores.begin(), context.stores.end(),
                       [&](const auto& store) { return store.name == name; });
  };
  if (what.of.size() == 1 && named(what.of.front())) return what.of.front();
  if (!check.store.empty()) return check.store;
  return context.stores.size() == 1 ? context.stores.front().name : std::string();
}

// The store a check asked, for the report; empty when it asks none.
std::string asked_store(const plan::Check& check, const CheckContext& context) {
  if (std::holds_alternative<plan::CheckHttp>(check.what)) return "";
  if (std::holds_alternative<plan::CheckLogs>(check.what)) return "";
  if (const auto* connect = std::get_if<plan::CheckConnect>(&check.what)) {
    bool store = std::any_of(context.stores.begin(), context.stores.end(),
                             [&](const auto& each) { return each.name == connect->to; });
    return store ? connect->to : "";
  }
  if (const auto* files = std::get_if<plan::CheckFiles>(&check.what)) {
    auto store = store_of(context, files->store.empty() ? check.store : files->store,
                          plan::StoreKind::files);
    return store.ok() ? (*store)->name : files->store;
  }
  if (const auto* references = std::get_if<plan::CheckReferences>(&check.what)) {
    return references->to;
  }
  if (const auto* entropy = std::get_if<plan::CheckEntropy>(&check.what))
    return store_of_entropy(*entropy, check, context);
  auto store = store_of(context, check.store, plan::StoreKind::postgres);
  return store.ok() ? (*store)->name : check.store;
}

// Damage met on the way is what the check was for: the copy is bad. All else that keeps a check
// from running says nothing about the copy.
Finding finding_of(Result<Finding> outcome) {
  if (outcome.ok()) return std::move(outcome).take();
  Finding out;
  const auto& error = outcome.error();
  if (tells_damage(error)) {
    out.examined = 1;
    out.fail(cat("the restored data is damaged: ", error.text()));
  } else {
    out.error(error.text());
  }
  return out;
}

void fill(CheckResult& result, const Finding& finding) {
  result.state = finding.state;
  result.expected = shortened(finding.expected, 16 * Evidence::line_bytes_max);
  result.got = shortened(finding.got, 16 * Evidence::line_bytes_max);
  result.reason = finding.reason;
  result.evidence = finding.evidence.lines();
  result.examined = finding.examined;
  result.newest = finding.newest;
  if (result.state == CheckState::pass && result.examined == 0) {
    result.state = CheckState::fail;
    result.reason = "nothing was examined";
  }
}

void shorten(CheckResult& result) {
  for (auto& line : result.evidence) line = shortened(std::move(line), Evidence::line_bytes_max);
  result.expected = shortened(std::move(result.expected), Evidence::line_bytes_max);
  result.got = shortened(std::move(result.got), Evidence::line_bytes_max);
  result.reason = shortened(std::move(result.reason), 2 * Evidence::line_bytes_max);
}

CheckResult run_one(const plan::Suite& suite, const Scope& scope) {
  const auto& check = scope.check;
  const auto& clock = scope.context.world.clock;
  CheckResult result;
  result.suite = suite.name;
  result.name = check.name;
  result.kind = std::visit(KindName{check}, check.what);
  result.store = asked_store(check, scope.context);
  result.critical = check.critical;
  result.place = check.place.text();
  result.started = clock.now();
  auto began = clock.steady();
  if (scope.context.stop.stop_requested()) {
    // Not "skipped": nobody chose to leave it out, and a suite cut short must not pass.
    Finding stopped;
    stopped.error("stopped before the check ran");
    fill(result, stopped);
  } else {
    fill(result, finding_of(std::visit(Runner{scope}, check.what)));
  }
  result.took = clock.steady() - began;
  scope.redactor.clean(result);
  shorten(result);
  LB_ASSERT(result.state != CheckState::pass || result.examined > 0);
  LB_ASSERT(result.state == CheckState::pass || !result.reason.empty());
  return result;
}

}  // namespace

std::vector<CheckResult> run_suite(const plan::Suite& suite, const CheckContext& context,
                                   std::map<std::string, std::string>& saved) {
  Redactor redactor;
  learn_secrets(suite, context, saved, redactor);
  auto credentials = credential_names(suite);
  std::vector<CheckResult> out;
  for (const auto& check : suite.checks) {
    out.push_back(run_one(suite, Scope{check, context, saved, redactor, credentials}));
  }
  return out;
}

SuiteJudgement judge(const std::vector<CheckResult>& results) {
  using record::Verdict;
  std::uint64_t examined = 0;
  std::size_t ran = 0;
  const CheckResult* failed = nullptr;
  const CheckResult* unable = nullptr;
  for (const auto& result : results) {
    if (result.state == CheckState::skipped) continue;
    ++ran;
    examined += result.examined;
    if (result.state == CheckState::fail && failed == nullptr) failed = &result;
    if (result.state == CheckState::error && unable == nullptr) unable = &result;
  }
  if (ran == 0) return {Verdict::fail, "the suite ran no check"};
  if (failed != nullptr) return {Verdict::fail, cat(failed->name, ": ", failed->reason)};
  if (unable != nullptr) return {Verdict::inconclusive, cat(unable->name, ": ", unable->reason)};
  if (examined == 0) return {Verdict::fail, "the checks examined nothing"};
  return {Verdict::pass, cat(ran, ran == 1 ? " check passed" : " checks passed")};
}

}  // namespace lb::check
