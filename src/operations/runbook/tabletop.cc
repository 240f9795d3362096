#include "operations/runbook/tabletop.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "model/plan/never_passing.h"
#include "model/plan/sql_names.h"
#include "model/plan/unsupported.h"
#include "model/plan/view.h"
#include "operations/runbook/actor.h"
#include "operations/runbook/command_programs.h"
#include "operations/runbook/judge.h"

namespace lb::runbook {

namespace {

using Weight = TabletopFinding::Weight;

const std::vector<std::string> no_files;

const std::set<std::string>& built() {
  static const std::set<std::string> verbs = {
      "run",       "restore",   "verify", "check",     "wait",       "timer",  "ask",
      "choose",    "gate",      "manual", "checklist", "notify",     "query",  "watch",
      "preflight", "provision", "switch", "rotate",    "free",       "banner", "use",
      "parallel",  "status",    "task",   "document",  "postmortem", "bisect", "assess"};
  return verbs;
}

class Walk {
 public:
  Walk(const plan::Plan& plan, const Script& script, const TabletopLooks& looks)
      : plan_(plan), script_(script), looks_(looks) {}

  Tabletop go() {
    for (const auto& [name, value] : script_.scopes[0].values) known_.insert(name);
    for (const auto& own : script_.steps) step(own);
    return std::move(out_);
  }

 private:
  void step(const ScriptStep& own) {
    own_ = &own;
    const auto& step = *own.step;
    TabletopStep seen;
    seen.number = own.number;
    seen.title = title_of(step);
    seen.by = step.by;
    if (step.verb == "gate" && step.by.empty()) {
      auto deciders = deciders_of(plan_, step);
      seen.by = join(std::vector<std::string>(deciders.begin(), deciders.end()), ", ");
    }
    seen.phase = own.phase;
    seen.by_people = is_done_by_people(step);
    seen.conditional = !step.when.empty();
    plan::View what(step.what, no_files);
    seen.destructive = is_destructive(plan_, step, constant(what.text("to")));
    out_.steps.push_back(seen);
    if (!built().contains(step.verb)) fail(cat("not supported yet: ", step.verb, " as a step"));
    auto unbuilt = not_built(step);
    if (!unbuilt.empty()) fail(cat("not supported yet: ", unbuilt));
    names_of(step);
    people_of(step);
    commands_of(step);
    static const std::set<std::string> of_data = {"restore", "choose", "assess", "bisect"};
    if (of_data.contains(step.verb)) data_of(step);
    if (step.verb == "bisect") check_of(step);
    if (step.verb == "notify") message_of(step);
    if (step.verb == "gate") gate_of(step);
    if (step.verb == "gate") gated_ = true;
    if (seen.destructive && !gated_) warn("nobody decides before it: there is no gate");
    if (step.review) warn("nobody has read it yet (review: required)");
    way_of(own);
    for (const auto& asked : plan::logs_asked_by(plan_, step))
      fail(cat(asked, ", which is known in a drill only: give it a suite without logs:"));
    gives_of(step);
  }

  // Text without variables, or empty.
  static std::string constant(const std::string& text) {
    return text.find('$') == std::string::npos ? text : std::string();
  }

  void names_of(const plan::Step& step) {
    bool command = step.verb == "run" || step.verb == "provision";
    if (step.verb == "query") {
      names_of_query(step);
    } else if (!command) {
      look_for_names(step.what);
    }
    for (const auto& [name, text] : step.with) text_names(text);
    if (step.when.starts_with('$') || step.when.starts_with("not $")) text_names(step.when);
  }
  void names_of_query(const plan::Step& step) {
    for (const auto& entry : step.what.entries) {
      if (entry.key.text != "sql") look_for_names(entry.value);
    }
    auto sql = plan::names_in_sql(plan::View(step.what, no_files).text("sql"));
    if (!sql.ok()) return fail(sql.error().text());
    for (const auto& name : sql->names) text_names(cat("${", name, "}"));
  }
  void look_for_names(const YamlNode& node) {
    if (node.is_scalar()) text_names(node.text);
    for (const auto& item : node.items) look_for_names(item);
    for (const auto& entry : node.entries) look_for_names(entry.value);
  }
  void text_names(const std::string& text) {
    for (const auto& name : variables_in(text)) {
      bool here = known_.contains(name);
      for (auto at = own_->scope; !here; at = script_.scopes[at].outer) {
        here = script_.scopes[at].values.contains(name);
        if (at == 0) break;
      }
      if (!here) fail(cat("$", name, " has no value by then"));
    }
  }

  void gives_of(const plan::Step& step) {
    if (step.verb == "ask") {
      for (const auto& entry : step.what.entries) known_.insert(entry.key.text);
    }
    if (step.verb == "choose") known_.insert("point");
    if (step.verb == "assess") known_.insert("damage");
    if (step.verb == "bisect") known_.insert("clean");
    for (const auto& [name, where] : step.save) known_.insert(name);
    plan::View what(step.what, no_files);
    if (step.verb == "query" && what.has("save")) known_.insert(what.text("save"));
  }

  void way_of(const ScriptStep& own) {
    const auto& jump = own.step->fail.jump;
    if (jump.empty() || script_.reached_from(own.number, jump) != 0) return;
    fail(script_.find(jump) == 0
             ? cat("fail: goto ", jump, ": no step has that name")
             : cat("fail: goto ", jump, ": that step stands in another group of steps"));
  }

  void people_of(const plan::Step& step) {
    if (!step.by.empty() && !can_be_recognised(plan_, step.by))
      warn(cat("the plan does not say how ", step.by, " is recognised (users: or key:)"));
  }

  void gate_of(const plan::Step& step) {
    auto deciders = deciders_of(plan_, step);
    if (deciders.empty())
      return fail("nobody decides: give approve:, or task: of a line with an A");
    bool any = std::any_of(deciders.begin(), deciders.end(), [&](const auto& person) {
      return can_be_recognised(plan_, person) || looks_.unreachable(person).empty();
    });
    auto all = join(std::vector<std::string>(deciders.begin(), deciders.end()), ", ");
    if (!any)
      fail(cat("nobody can be recognised as ", all, " or reached: add users:, key: or an address"));
  }

  void message_of(const plan::Step& step) {
    const auto* to = step.what.find("to");
    std::vector<std::string> people;
    if (to->is_scalar()) people.push_back(to->text);
    for (const auto& item : to->items) people.push_back(item.text);
    for (const auto& person : people) {
      auto why = looks_.unreachable(person);
      if (!why.empty()) fail(cat(person, " cannot be reached: ", why));
    }
  }

  void commands_of(const plan::Step& step) {
    std::vector<std::string> commands = {step.undo, step.probe};
    plan::View what(step.what, no_files);
    if (step.verb == "run" || step.verb == "provision") commands.push_back(step.what.text);
    if (step.verb == "wait" || step.verb == "switch") commands.push_back(what.text("run"));
    if (step.verb == "task") {
      const auto* task = plan_.task(step.what.text);
      if (task != nullptr) commands.push_back(task->run);
    }
    for (const auto& command : commands) {
      if (command.empty()) continue;
      auto why = looks_.command_missing(command);
      if (!why.empty()) fail(why);
      bool kept_back = plan_.repository.key.kind == plan::Reference::Kind::env && !step.gives_key;
      if (kept_back && calls_lifeboat(command))
        warn("commands are not given the repository's key: to call lifeboat add key: true");
    }
    const auto* left = step.verb == "task" ? plan_.task(step.what.text) : nullptr;
    bool commanded = left != nullptr && !left->run.empty();
    bool repeats = step.verb == "run" || step.verb == "provision" || commanded;
    if (repeats && step.probe.empty())
      warn("it has no probe: after a crash a person is asked whether it happened");
  }

  static bool calls_lifeboat(const std::string& command) {
    auto names = programs_of(command).names;
    return std::any_of(names.begin(), names.end(), [](const auto& name) {
      return name == "lifeboat" || name.ends_with("/lifeboat");
    });
  }

  void data_of(const plan::Step& step) {
    plan::View what(step.what, no_files);
    std::vector<std::string> stores;
    auto store_name = constant(what.text("store"));
    if (!store_name.empty()) stores.push_back(store_name);
    const auto* group = plan_.group(constant(what.text("group")));
    if (group != nullptr) stores = group->stores;
    const char* where = step.verb == "assess" ? "against" : "to";
    const auto* target = plan_.target(constant(what.text(where)));
    if (what.has(where) && !constant(what.text(where)).empty() && target == nullptr)
      return fail(cat("the plan has no target ", what.text(where)));
    for (const auto& name : stores) {
      const auto* store = plan_.store(name);
      if (store == nullptr) continue;
      bool kind = store->kind == plan::StoreKind::postgres || store->kind == plan::StoreKind::files;
      if (!kind) {
        // A point is chosen for the others of a group all the same, and they are looked at.
        bool goes_on = step.verb != "restore" && stores.size() > 1;
        auto weight = goes_on ? Weight::warns : Weight::fails;
        add(weight,
            cat("not supported yet: a ", plan::name_of(store->kind), " store (", name, ")"));
      } else if (target != nullptr) {
        auto why = looks_.place_missing(*store, *target);
        if (!why.empty()) fail(why);
      }
      why_not_so(step, *store);
    }
  }

  // Found out in the night itself it would cost the time that the search is to save.
  void check_of(const plan::Step& step) {
    auto name = constant(plan::View(step.what, no_files).text("check"));
    if (name.empty() || name == "entropy" || plan_.suite(name) != nullptr) return;
    for (const auto& suite : plan_.suites) {
      for (const auto& check : suite.checks) {
        if (check.name == name) return;
      }
    }
    fail(cat("the plan has no suite and no check '", name, "'"));
  }

  void why_not_so(const plan::Step& step, const plan::Store& store) {
    auto why = step.verb == "restore" ? plan::unsupported_of_restore(step.what, store) : "";
    if (!why.empty()) fail(cat("not supported yet: ", why));
  }

  void fail(const std::string& text) { add(Weight::fails, text); }
  void warn(const std::string& text) { add(Weight::warns, text); }
  void add(Weight weight, const std::string& text) {
    out_.findings.push_back({weight, own_->number, own_->step->place, text});
  }

  const plan::Plan& plan_;
  const Script& script_;
  const TabletopLooks& looks_;
  const ScriptStep* own_ = nullptr;
  std::set<std::string> known_;
  bool gated_ = false;
  Tabletop out_;
};

}  // namespace

bool Tabletop::works() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const auto& finding) { return finding.weight == Weight::fails; });
}

Tabletop walk(const plan::Plan& plan, const Script& script, const TabletopLooks& looks) {
  return Walk(plan, script, looks).go();
}

}  // namespace lb::runbook
