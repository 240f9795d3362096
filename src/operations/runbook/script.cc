#include "operations/runbook/script.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/view.h"

namespace lb::runbook {

namespace {

constexpr std::size_t steps_max = 10'000;
constexpr std::size_t depth_max = 64;
const std::vector<std::string> no_files;

class Flattener {
 public:
  Flattener(const plan::Plan& plan, Script& out) : plan_(plan), out_(out) {}

  Status add(const plan::Runbook& runbook, std::size_t scope, std::size_t parent,
             std::size_t depth) {
    if (depth > depth_max)
      return Error(ErrorKind::invalid, cat("runbook ", runbook.name, " is nested too deep"));
    auto outer_phase = phase_;
    for (const auto& step : runbook.steps) {
      if (step.verb == "phase") {
        phase_ = step.what.text;
        continue;
      }
      LB_TRY(add_step(runbook, step, scope, parent, depth));
    }
    phase_ = outer_phase;
    return {};
  }

 private:
  Status add_step(const plan::Runbook& runbook, const plan::Step& step, std::size_t scope,
                  std::size_t parent, std::size_t depth) {
    if (out_.steps.size() >= steps_max)
      return Error(ErrorKind::invalid,
                   cat("runbook ", out_.runbook, " has more than ", steps_max, " steps"));
    ScriptStep made;
    made.number = out_.steps.size() + 1;
    made.step = &step;
    made.phase = phase_;
    made.runbook = runbook.name;
    made.scope = scope;
    made.parent = parent;
    out_.steps.push_back(made);
    if (step.verb == "use") LB_TRY(add_used(step, made, depth));
    for (const auto& inner : step.parallel) {
      LB_TRY(add_step(runbook, inner, scope, made.number, depth));
    }
    bool group = step.verb == "use" || step.verb == "parallel";
    if (group) out_.steps[made.number - 1].last = out_.steps.size();
    return {};
  }

  Status add_used(const plan::Step& step, const ScriptStep& made, std::size_t depth) {
    const auto* used = plan_.runbook(step.what.text);
    if (used == nullptr)
      return Error(ErrorKind::invalid, cat(step.place.text(), ": no runbook ", step.what.text));
    Scope scope;
    scope.outer = made.scope;
    for (const auto& [name, text] : step.with) scope.values.emplace(name, text);
    out_.scopes.push_back(std::move(scope));
    return add(*used, out_.scopes.size() - 1, made.number, depth + 1);
  }

  const plan::Plan& plan_;
  Script& out_;
  std::string phase_;
};

Status check_kind(const plan::Parameter& parameter, const std::string& value) {
  auto wrong = [&](const char* kind) {
    return Error(ErrorKind::invalid, cat(parameter.name, "=", printable(value), " is no ", kind));
  };
  bool word = value == "latest";
  if (parameter.kind == "time" && !word && !parse_time(value).ok()) return wrong("time");
  if (parameter.kind == "number" && !parse_double(value).ok()) return wrong("number");
  bool flag = value == "true" || value == "false";
  if (parameter.kind == "boolean" && !flag) return wrong("boolean (true or false)");
  return {};
}

Result<Scope> given_scope(const plan::Runbook& runbook,
                          const std::map<std::string, std::string>& given) {
  Scope out;
  std::vector<std::string> known;
  for (const auto& parameter : runbook.parameters) {
    known.push_back(parameter.name);
    auto found = given.find(parameter.name);
    if (found == given.end()) {
      return Error(ErrorKind::invalid, cat("runbook ", runbook.name, " needs ", parameter.name))
          .with_hint(cat("lifeboat run ", runbook.name, " ", parameter.name, "=", parameter.kind));
    }
    LB_TRY(check_kind(parameter, found->second));
  }
  for (const auto& [name, value] : given) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      auto near = nearest(name, known);
      return Error(ErrorKind::invalid,
                   cat("runbook ", runbook.name, " has no parameter '", printable(name), "'"))
          .with_hint(near.empty() ? std::string() : cat("did you mean ", near, "?"));
    }
    out.values.emplace(name, value);
  }
  return out;
}

std::string subject_title(const plan::Step& step) {
  plan::View what(step.what, no_files);
  auto subject = what.has("group") ? what.text("group") : what.text("store");
  auto out = cat(step.verb, " ", subject);
  if (what.has("to")) out += cat(" to ", what.text("to"));
  if (what.has("against")) out += cat(" against ", what.text("against"));
  if (what.has("at")) out += cat(" at ", what.text("at"));
  if (what.has("how")) out += cat(" (", what.text("how"), ")");
  return out;
}

std::string listed(const YamlNode& node) {
  if (node.is_scalar()) return node.text;
  std::vector<std::string> out;
  for (const auto& item : node.items) {
    const auto* inner = item.find("item");
    out.push_back(inner != nullptr ? inner->text : item.text);
  }
  return join(out, ", ");
}

std::string mapped_title(const plan::Step& step) {
  plan::View what(step.what, no_files);
  if (step.verb == "wait") {
    for (const char* key : {"http", "run", "for"}) {
      if (what.has(key))
        return cat("wait ", std::string(key) == "for" ? "" : "until ", what.text(key));
    }
  }
  if (step.verb == "notify")
    return cat("tell ", listed(*step.what.find("to")), " (", what.text("template"), ")");
  if (step.verb == "gate") {
    auto who = what.has("approve") ? what.text("approve") : what.text("task");
    return cat("decision of ", who);
  }
  if (step.verb == "switch")
    return what.has("to") ? cat("switch traffic to ", what.text("to")) : "switch traffic";
  if (step.verb == "query") return cat("query ", what.text("store"), ": ", what.text("sql"));
  if (step.verb == "watch") return cat("watch ", what.text("check"), " for ", what.text("for"));
  std::vector<std::string> keys;
  for (const auto& entry : step.what.entries) keys.push_back(entry.key.text);
  return cat(step.verb, " ", join(keys, ", "));
}

}  // namespace

Result<Script> make_script(const plan::Plan& plan, const std::string& runbook,
                           const std::map<std::string, std::string>& given) {
  const auto* found = plan.runbook(runbook);
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const auto& each : plan.runbooks) names.push_back(each.name);
    auto near = nearest(runbook, names);
    return Error(ErrorKind::invalid, cat("the plan has no runbook '", printable(runbook), "'"))
        .with_hint(names.empty()  ? std::string("the plan has no runbooks: section")
                   : near.empty() ? cat("runbooks: ", join(names, ", "))
                                  : cat("did you mean ", near, "?"));
  }
  Script out;
  out.runbook = runbook;
  out.plan = found;
  out.scopes.push_back(LB_TRY(given_scope(*found, given)));
  LB_TRY(Flattener(plan, out).add(*found, 0, 0, 0));
  return out;
}

std::size_t Script::find(const std::string& words) const {
  auto number = parse_uint(words);
  if (number.ok() && *number >= 1 && *number <= steps.size()) return *number;
  for (const auto& each : steps) {
    if (!each.step->name.empty() && each.step->name == words) return each.number;
  }
  return 0;
}

std::size_t Script::reached_from(std::size_t from, const std::string& words) const {
  auto number = parse_uint(words);
  for (auto parent = at(from).parent;; parent = at(parent).parent) {
    if (parent != 0 && at(parent).step->verb == "parallel") return 0;
    for (const auto& each : steps) {
      bool named = !each.step->name.empty() && each.step->name == words;
      bool meant = named || (number.ok() && *number == each.number);
      if (each.parent == parent && meant) return each.number;
    }
    if (parent == 0) return 0;
  }
}

std::string title_of(const plan::Step& step) {
  const auto& verb = step.verb;
  if (verb == "run" || verb == "manual" || verb == "banner" || verb == "provision")
    return step.what.text;
  if (verb == "restore" || verb == "choose" || verb == "assess" || verb == "bisect")
    return subject_title(step);
  if (verb == "ask") {
    std::vector<std::string> names;
    for (const auto& entry : step.what.entries) names.push_back(entry.key.text);
    return cat("ask ", join(names, ", "));
  }
  if (verb == "parallel") return "side by side";
  if (verb == "document") return cat("write down: ", step.what.text);
  if (verb == "timer") return cat(step.what.text, " the clock");
  if (step.what.is_mapping()) return mapped_title(step);
  return cat(verb, " ", listed(step.what));
}

std::string not_built(const plan::Step& step) {
  plan::View what(step.what, no_files);
  if (step.verb == "restore" && what.text("how") == "instant") return "instant restore";
  return "";
}

std::optional<Timestamp> end_of_wait(const plan::Step& step, Timestamp began) {
  plan::View what(step.what, no_files);
  if (step.verb != "wait" || !what.has("for")) return std::nullopt;
  auto whole = what.duration("for");
  if (!whole) return std::nullopt;
  return began + *whole;
}

bool is_done_by_people(const plan::Step& step) {
  static const std::vector<std::string> verbs = {"ask",      "gate",   "checklist", "manual",
                                                 "document", "rotate", "free"};
  return std::find(verbs.begin(), verbs.end(), step.verb) != verbs.end();
}

bool is_destructive(const plan::Plan& plan, const plan::Step& step, const std::string& target) {
  if (step.verb == "switch") return true;
  if (step.verb != "restore") return false;
  const auto* found = plan.target(target);
  return found == nullptr || found->protect;
}

}  // namespace lb::runbook
