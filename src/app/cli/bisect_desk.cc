#include "app/cli/bisect_desk.h"

#include <algorithm>

#include "app/cli/suspicious.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

constexpr const char* entropy_word = "entropy";

bool is_built(const plan::Store& store) {
  return store.kind == plan::StoreKind::postgres || store.kind == plan::StoreKind::files;
}

bool has(const BisectSubject& subject, const std::string& name) {
  return std::any_of(subject.stores.begin(), subject.stores.end(),
                     [&](const auto* store) { return store->name == name; });
}

// Why these stores alone cannot answer a check; empty: they can.
struct Objection {
  const BisectSubject& subject;
  const plan::Check& check;

  std::string of_kind(const std::string& name, plan::StoreKind kind) const {
    if (!name.empty()) return has(subject, name) ? "" : cat("it asks ", name);
    bool any = std::any_of(subject.stores.begin(), subject.stores.end(),
                           [&](const auto* store) { return store->kind == kind; });
    return any ? "" : cat("it asks a ", plan::name_of(kind), " store");
  }

  template <typename What>
  std::string operator()(const What&) const {
    return of_kind(check.store, plan::StoreKind::postgres);
  }
  std::string operator()(const plan::CheckFiles& what) const {
    return of_kind(what.store.empty() ? check.store : what.store, plan::StoreKind::files);
  }
  std::string operator()(const plan::CheckReferences& what) const {
    for (const auto* name : {&what.from_store, &what.to}) {
      if (!has(subject, *name)) return cat("it asks ", *name);
    }
    return "";
  }
  std::string operator()(const plan::CheckEntropy&) const {
    return check.store.empty() || has(subject, check.store) ? "" : cat("it asks ", check.store);
  }
  std::string operator()(const plan::CheckHttp&) const { return "it asks a service"; }
  std::string operator()(const plan::CheckConnect&) const { return "it asks a service"; }
  std::string operator()(const plan::CheckLogs&) const { return "it asks a service"; }
  std::string operator()(const plan::CheckCron&) const { return "it asks for schedules, not data"; }
  std::string operator()(const plan::CheckManual&) const { return "a person does it"; }
  std::string operator()(const plan::CheckGroup&) const { return "not supported yet"; }
  std::string operator()(const plan::CheckUnsupported&) const { return "not supported yet"; }
};

// `entropy: [db, media]` about those that are looked at. False: about none of them.
bool keep_own_stores(const plan::Plan& plan, const BisectSubject& subject, plan::Check& check) {
  auto* entropy = std::get_if<plan::CheckEntropy>(&check.what);
  if (entropy == nullptr || entropy->of.empty()) return true;
  std::erase_if(entropy->of, [&](const auto& name) {
    return plan.store(name) != nullptr && !has(subject, name);
  });
  return !entropy->of.empty();
}

std::vector<plan::Check> checks_called(const plan::Plan& plan, const std::string& name) {
  if (const auto* suite = plan.suite(name)) return suite->checks;
  std::vector<plan::Check> named, by_kind;
  for (const auto& suite : plan.suites) {
    for (const auto& check : suite.checks) {
      if (check.name == name) named.push_back(check);
      if (std::holds_alternative<plan::CheckEntropy>(check.what)) by_kind.push_back(check);
    }
  }
  return !named.empty() || name != entropy_word ? named : by_kind;
}

// The plan need not have one.
plan::Check plain_entropy() {
  plan::Check out;
  out.name = entropy_word;
  out.what = plan::CheckEntropy{{}, true, {}};
  return out;
}

// The target of a drill that restores any of them, else one that is a sandbox by its words.
const plan::Target* sandbox_of(const plan::Plan& plan, const BisectSubject& subject) {
  for (const auto& drill : plan.drills) {
    bool own = std::any_of(drill.restore.begin(), drill.restore.end(),
                           [&](const auto& name) { return has(subject, name); });
    const auto* target = plan.target(drill.into);
    if (own && target != nullptr) return target;
  }
  for (const auto& target : plan.targets) {
    if (target.isolate_network) return &target;
  }
  return nullptr;
}

std::vector<drill::BisectSuspect> in_words(const Suspicions& suspicions) {
  std::vector<drill::BisectSuspect> out;
  for (const auto& found : suspicions.found) {
    const auto& suspect = found.suspect;
    out.push_back({suspect.lsn, suspect.end_lsn, suspect.time, join(found.deeds, ", ")});
  }
  return out;
}

}  // namespace

Result<BisectSubject> bisect_subject(const plan::Plan& plan, const std::string& name) {
  BisectSubject out;
  if (const auto* store = plan.store(name)) {
    if (is_built(*store)) {
      out.stores.push_back(store);
      return out;
    }
    return Error(ErrorKind::unsupported,
                 cat("not supported yet: a ", plan::name_of(store->kind), " store (", name, ")"));
  }
  const auto* group = plan.group(name);
  if (group == nullptr) {
    std::vector<std::string> names;
    for (const auto& store : plan.stores) names.push_back(store.name);
    for (const auto& each : plan.groups) names.push_back(each.name);
    return Error(ErrorKind::invalid,
                 cat("the plan has no store and no group '", printable(name), "'"))
        .with_hint(cat("stores and groups: ", join(names, ", ")));
  }
  for (const auto& member : group->stores) {
    const auto* store = plan.store(member);
    if (store == nullptr) return Error(ErrorKind::invalid, cat("the plan has no store ", member));
    (is_built(*store) ? out.stores : out.not_built).push_back(store);
  }
  if (out.stores.empty()) {
    return Error(ErrorKind::unsupported,
                 cat("not supported yet: any of the stores of group ", name));
  }
  if (out.stores.size() > 1) out.group = name;
  return out;
}

Result<BisectChecks> bisect_checks(const plan::Plan& plan, const BisectSubject& subject,
                                   const std::string& name) {
  BisectChecks out;
  out.suite.name = name;
  auto all = checks_called(plan, name);
  if (all.empty() && name != entropy_word) {
    std::vector<std::string> suites;
    for (const auto& suite : plan.suites) suites.push_back(suite.name);
    return Error(ErrorKind::invalid,
                 cat("the plan has no suite and no check '", printable(name), "'"))
        .with_hint(cat("suites: ", join(suites, ", "), "; or --check entropy"));
  }
  for (auto& check : all) {
    auto why = std::visit(Objection{subject, check}, check.what);
    if (why.empty() && !keep_own_stores(plan, subject, check)) why = "it asks other stores";
    if (why.empty()) {
      out.suite.checks.push_back(std::move(check));
    } else {
      out.left_out.push_back(cat(check.name, ": ", why));
    }
  }
  if (out.suite.checks.empty() && name == entropy_word && plan.suite(name) == nullptr)
    out.suite.checks.push_back(plain_entropy());
  if (!out.suite.checks.empty()) return out;
  return Error(ErrorKind::invalid, cat("nothing of '", name, "' can be asked of what is restored: ",
                                       join(out.left_out, "; ")))
      .with_hint("name a suite or a check about this store's own data");
}

Result<drill::BisectRequest> bisect_request(const Shell& shell, const Session& session,
                                            const plan::Plan& plan, const BisectSubject& subject,
                                            const std::string& check) {
  auto checks = LB_TRY(bisect_checks(plan, subject, check));
  drill::BisectRequest out{plan, {}, subject.group, std::move(checks.suite), check};
  for (const auto* store : subject.stores) out.stores.push_back(store->name);
  const auto* target = sandbox_of(plan, subject);
  if (target != nullptr) out.target = target->name;
  out.folder = target != nullptr && !target->folder.empty()
                   ? session.references->absolute(target->folder)
                   : session.sandbox_root;
  out.started_by = shell.user;
  out.host = shell.host;
  out.version = cat("lifeboat ", program_version);
  out.plan_fingerprint = session.plan.fingerprint;
  out.plan_folder = session.plan.folder;
  for (const auto& line : checks.left_out) out.warnings.push_back(cat("left out, ", line));
  for (const auto* store : subject.not_built) {
    out.warnings.push_back(cat(store->name, " was not looked at: a ", plan::name_of(store->kind),
                               " store is not supported yet"));
  }
  auto* repository = session.repository.get();
  out.suspects = [repository](const restore::StorePoints& points, const pg::LogIndex& index,
                              Timestamp since) -> Result<std::vector<drill::BisectSuspect>> {
    auto found = LB_TRY(find_suspicious(*repository, points, index, since));
    return in_words(found);
  };
  return out;
}

std::string bisect_table(const record::BisectRecord& record) {
  std::vector<std::vector<std::string>> rows = {{"PROBE", "OF", "ANSWER", "WHY"}};
  for (const auto& probe : record.probes)
    rows.push_back({probe.words, format_time(probe.at), probe.answer, probe.reason});
  auto out = table(rows);
  for (const auto& warning : record.warnings) out += cat("warning: ", warning, "\n");
  return cat(out, record.reason, "\n");
}

}  // namespace lb::cli
