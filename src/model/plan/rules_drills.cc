#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/rules.h"

namespace lb::plan {

namespace {

class DrillRules {
 public:
  DrillRules(const Plan& plan, const View& root, const Drill& drill, const View& from,
             MistakeList& mistakes)
      : plan_(plan), root_(root), drill_(drill), from_(from), mistakes_(mistakes) {}

  void run() {
    check_purpose();
    check_audit();
    check_target();
    check_parameters();
    // A runbook may restore more than the drill says itself; only plain restores can be judged.
    bool known = std::all_of(drill_.restore.begin(), drill_.restore.end(),
                             [&](const auto& name) { return plan_.store(name) != nullptr; });
    bool plain = known && !drill_.restore.empty() && drill_.runbook.empty();
    for (const auto& asked : from_.at("checks").items()) {
      const auto* suite = plan_.suite(asked.text());
      if (suite == nullptr) continue;
      for (const auto& check : suite->checks) {
        if (plain) check_stores(check, asked);
        check_url(check, asked);
        check_service(check, asked);
      }
    }
  }

 private:
  void check_purpose() {
    static constexpr std::string_view purposes[] = {"restore", "verify", "runbook", "pitr",
                                                    "review"};
    bool any = std::any_of(std::begin(purposes), std::end(purposes),
                           [&](auto key) { return from_.has(key); });
    if (!any) {
      mistakes_.add(from_.node(), cat("drill '", drill_.name, "' proves nothing"),
                    "say what it does: restore, verify, runbook, pitr or review");
    }
    if (drill_.pitr) return;
    if (!from_.has("restore")) {
      if (from_.has("checks") && !from_.has("runbook")) {
        mistakes_.add(from_.at("checks").node(),
                      "checks: nothing is restored that could be checked",
                      "add restore: and into:");
      }
      return;
    }
    if (!from_.has("into")) {
      mistakes_.add(from_.node(), cat("drill '", drill_.name, "' restores, but into no target"),
                    "add into: TARGET");
    }
    if (!from_.has("checks") && !from_.has("review")) {
      mistakes_.add(from_.node(), cat("drill '", drill_.name, "' restores and checks nothing"),
                    "add checks: [SUITE]; a restore nobody looked at proves nothing");
    }
  }

  // What an audit restores it also checks: the commit reached, and the rows of every table.
  void check_audit() {
    if (!drill_.pitr) return;
    if (!from_.has("into")) {
      mistakes_.add(from_.node(), cat("drill '", drill_.name, "' restores, but into no target"),
                    "add into: TARGET");
    }
    if (drill_.at != "latest") {
      mistakes_.add(from_.at("at").node(), "an audit (pitr:) draws its own moments",
                    "leave at: out");
    }
    auto asked = from_.at("pitr");
    if (auto samples = asked.integer("samples");
        samples && (*samples < 1 || *samples > pitr_samples_max)) {
      mistakes_.add(asked.at("samples").node(), cat("an audit of ", *samples, " moments"),
                    cat("write a number from 1 to ", pitr_samples_max));
    }
    if (auto window = asked.duration("window"); window && *window < Seconds(1)) {
      mistakes_.add(asked.at("window").node(), "a window holds at least one second",
                    "such as window: 30d");
    }
    bool any = std::any_of(drill_.restore.begin(), drill_.restore.end(), [&](const auto& name) {
      const auto* store = plan_.store(name);
      return store == nullptr || store->kind == StoreKind::postgres;
    });
    if (!any) {
      mistakes_.add(asked.node(), "no store of this drill can go to any second",
                    "restore a postgres store");
    }
  }

  void check_target() {
    const auto* target = plan_.target(drill_.into);
    if (target == nullptr || !target->protect) return;
    mistakes_.add(from_.at("into").node(),
                  cat("a drill never restores into '", target->name, "', which is protected"),
                  "name a sandbox");
  }

  void check_parameters() {
    if (!from_.has("with")) return;
    auto parameters = root_.at("runbooks").at(drill_.runbook).at("parameters");
    for (const auto& [name, value] : from_.at("with").entries()) {
      if (parameters.has(name)) continue;
      mistakes_.add(value.node(),
                    cat("runbook '", drill_.runbook, "' has no parameter '", name, "'"));
    }
  }

  // Every store that a check asks must be there, named or be the only one of its kind.
  void check_stores(const Check& check, const View& asked) {
    struct Need {
      std::string store;
      std::vector<StoreKind> kinds;
    };
    std::vector<Need> needs;
    const auto& what = check.what;
    if (const auto* entropy = std::get_if<CheckEntropy>(&what))
      return check_entropy(*entropy, check, asked);
    if (const auto* references = std::get_if<CheckReferences>(&what)) {
      needs = {{references->from_store, {StoreKind::postgres}},
               {references->to, {StoreKind::files, StoreKind::bucket}}};
    } else if (const auto* http = std::get_if<CheckHttp>(&what)) {
      if (!http->rows_sql.empty()) needs = {{http->rows_store, {StoreKind::postgres}}};
    } else if (std::holds_alternative<CheckFiles>(what)) {
      needs = {{check.store, {StoreKind::files, StoreKind::bucket}}};
    } else if (const auto* connect = std::get_if<CheckConnect>(&what)) {
      if (const auto* store = plan_.store(connect->to)) needs = {{connect->to, {store->kind}}};
    } else if (!std::holds_alternative<CheckManual>(what) &&
               !std::holds_alternative<CheckLogs>(what) &&
               !std::holds_alternative<CheckUnsupported>(what)) {
      needs = {{check.store, {StoreKind::postgres, StoreKind::firestore}}};
    }
    for (const auto& need : needs) check_need(need.store, need.kinds, check, asked);
  }

  // It asks stores by their names, folders of a file tree, or all that is restored.
  void check_entropy(const CheckEntropy& what, const Check& check, const View& asked) {
    bool folders = false;
    for (const auto& name : what.of) {
      const auto* store = plan_.store(name);
      folders = folders || store == nullptr;
      if (store != nullptr) check_need(name, {store->kind}, check, asked);
    }
    if (!check.store.empty() || folders) check_need(check.store, {StoreKind::files}, check, asked);
  }

  void check_need(const std::string& store, const std::vector<StoreKind>& kinds, const Check& check,
                  const View& asked) {
    auto restored = [&](const std::string& name) {
      return std::find(drill_.restore.begin(), drill_.restore.end(), name) != drill_.restore.end();
    };
    auto where = cat("check '", check.name, "' of suite '", asked.text(), "'");
    if (!store.empty()) {
      if (plan_.store(store) == nullptr || restored(store)) return;
      mistakes_.add(asked.node(),
                    cat(where, " asks store '", store, "', which the drill does not restore"),
                    "restore it too, or take another suite");
      return;
    }
    std::vector<std::string> fitting;
    for (const auto& one : plan_.stores) {
      bool fits = std::find(kinds.begin(), kinds.end(), one.kind) != kinds.end();
      if (fits && restored(one.name)) fitting.push_back(one.name);
    }
    if (fitting.size() == 1) return;
    if (fitting.empty()) {
      mistakes_.add(
          asked.node(),
          cat(where, " needs a ", name_of(kinds[0]), " store, and the drill restores none"),
          "restore one, or take another suite");
    } else {
      mistakes_.add(
          asked.node(), cat(where, " does not say which store it asks"),
          cat("the drill restores ", join(fitting, " and "), ": add store: to the check"));
    }
  }

  void check_url(const Check& check, const View& asked) {
    const auto* http = std::get_if<CheckHttp>(&check.what);
    const auto* target = plan_.target(drill_.into);
    if (http == nullptr || target == nullptr || !http->path.starts_with('/') ||
        !target->url.empty())
      return;
    mistakes_.add(asked.node(),
                  cat("check '", check.name, "' of suite '", asked.text(),
                      "' asks a path, and target '", target->name, "' has no url"),
                  "add url: http://localhost:PORT to the target");
  }

  // A drill knows only the services that its target starts.
  void check_service(const Check& check, const View& asked) {
    const auto* target = plan_.target(drill_.into);
    const auto* logs = std::get_if<CheckLogs>(&check.what);
    const auto* connect = std::get_if<CheckConnect>(&check.what);
    if (target == nullptr || (logs == nullptr && connect == nullptr)) return;
    const auto& name = logs != nullptr ? logs->service : connect->to;
    if (plan_.store(name) != nullptr || name.find("://") != std::string::npos) return;
    bool starts = std::any_of(target->start.begin(), target->start.end(),
                              [&](const auto& service) { return service.name == name; });
    if (starts) return;
    mistakes_.add(asked.node(),
                  cat("check '", check.name, "' of suite '", asked.text(), "' asks service '", name,
                      "', which target '", target->name, "' does not start"),
                  "add it to start: of the target, or take another suite");
  }

  const Plan& plan_;
  const View& root_;
  const Drill& drill_;
  const View from_;
  MistakeList& mistakes_;
};

}  // namespace

void check_drill_rules(const Plan& plan, const View& root, MistakeList& mistakes) {
  for (const auto& drill : plan.drills) {
    auto from = root.at("drills").at(drill.name);
    if (from.node().is_mapping()) DrillRules(plan, root, drill, from, mistakes).run();
  }
}

}  // namespace lb::plan
