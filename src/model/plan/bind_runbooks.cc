#include "model/plan/bind.h"
#include "model/plan/language.h"

namespace lb::plan {

namespace {

// The key of a step that is none of the modifiers.
std::string step_verb(const View& step) {
  static const Shape runbooks = runbooks_shape();
  const auto& steps = find_field(runbooks.parts[0].fields, "steps")->shape.parts[0];
  for (const auto& [key, value] : step.entries()) {
    if (find_verb(steps, key) != nullptr) return key;
  }
  return "";
}

OnFailure bind_failure(const View& step) {
  OnFailure out;
  auto fail = step.at("fail");
  if (!fail.node().is_mapping()) {
    const auto& word = fail.text();
    if (word == "continue") out.way = OnFailure::Way::go_on;
    if (word == "ask") out.way = OnFailure::Way::ask;
    return out;
  }
  if (fail.has("goto")) {
    out.way = OnFailure::Way::jump;
    out.jump = fail.text("goto");
    return out;
  }
  out.way = OnFailure::Way::retry;
  out.retries = static_cast<unsigned>(fail.integer("retry").value_or(1));
  out.wait = fail.duration("wait").value_or(Micros(0));
  return out;
}

// `save: name` keeps the whole of what came back.
std::vector<std::pair<std::string, std::string>> bind_save(const View& step) {
  if (!step.has("save")) return {};
  if (step.at("save").node().is_mapping()) return step.text_map("save");
  return {{step.text("save"), ""}};
}

Step bind_step(const View& from) {
  Step out;
  out.verb = step_verb(from);
  out.name = from.text("name");
  out.by = from.text("by");
  out.limit = from.duration("limit");
  out.undo = from.text("undo");
  out.probe = from.text("probe");
  out.when = from.text("when");
  out.fail = bind_failure(from);
  out.critical = from.boolean("critical", false);
  out.review = from.has("review");
  out.gives_key = from.boolean("key", false);
  out.with = from.text_map("with");
  out.save = bind_save(from);
  if (out.verb == "parallel") {
    for (const auto& step : from.at("parallel").items()) out.parallel.push_back(bind_step(step));
  }
  if (!out.verb.empty()) out.what = from.at(out.verb).node();
  out.place = from.place();
  return out;
}

Runbook bind_runbook(const std::string& name, const View& from) {
  Runbook out;
  out.name = name;
  out.symptoms = from.texts("symptoms");
  out.prevention = from.texts("prevention");
  out.objective = from.objective("objective");
  for (const auto& [parameter, kind] : from.text_map("parameters")) {
    out.parameters.push_back({parameter, kind});
  }
  for (const auto& step : from.at("steps").items()) out.steps.push_back(bind_step(step));
  out.owner = from.text("owner");
  out.review = from.schedule("review");
  out.place = from.place();
  return out;
}

}  // namespace

std::vector<Runbook> bind_runbooks(const View& section) {
  std::vector<Runbook> out;
  for (const auto& [name, from] : section.entries()) out.push_back(bind_runbook(name, from));
  return out;
}

}  // namespace lb::plan
