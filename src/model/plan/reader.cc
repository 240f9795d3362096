#include "model/plan/reader.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/bind.h"
#include "model/plan/compose.h"
#include "model/plan/explain_yaml.h"
#include "model/plan/language.h"
#include "model/plan/rules.h"
#include "model/plan/validate.h"

namespace lb::plan {

namespace {

constexpr std::string_view sections_not_acted_on[] = {"masks"};

Names declared_names(const YamlNode& root) {
  Names out;
  for (const auto& section : named_sections()) {
    const auto* found = root.find(section);
    if (found == nullptr) continue;
    for (const auto& entry : found->entries) {
      out[section].in_order.push_back(entry.key.text);
      out[section].all.insert(entry.key.text);
    }
  }
  return out;
}

// A store or a drill without own targets has those of the whole system.
void inherit(const Objective& system, Objective& own) {
  if (!own.rpo) own.rpo = system.rpo;
  if (!own.rto) own.rto = system.rto;
}

Plan bind(const View& root) {
  Plan out;
  out.version = static_cast<int>(root.integer("version").value_or(1));
  out.system = root.text("system");
  if (root.has("timezone")) out.timezone = root.text("timezone");
  out.repository = bind_repository(root.at("repository"));
  out.stores = bind_stores(root.at("stores"));
  out.groups = bind_groups(root.at("groups"));
  out.targets = bind_targets(root.at("targets"));
  out.suites = bind_checks(root.at("checks"));
  out.drills = bind_drills(root.at("drills"), out.groups, out.stores);
  out.runbooks = bind_runbooks(root.at("runbooks"));
  out.people = bind_people(root.at("people"));
  out.channels = bind_channels(root.at("channels"));
  out.hours = bind_hours(root.at("hours"), out.timezone);
  out.templates = bind_templates(root.at("templates"));
  out.alerts = bind_alerts(root.at("alerts"));
  out.heartbeat = root.at("alerts").reference("heartbeat");
  out.escalation = bind_escalation(root.at("escalation"));
  out.raci = bind_raci(root.at("raci"));
  out.probes = bind_probes(root.at("probes"));
  out.tasks = bind_tasks(root.at("tasks"));
  out.objectives = root.objective("objectives");
  out.evidence = bind_evidence(root.at("evidence"));
  for (auto name : sections_not_acted_on) {
    if (root.has(name)) out.not_acted_on.push_back({std::string(name), root.place_of_key(name)});
  }
  for (const auto& rule : out.alerts) {
    for (const auto& bound : rule.bounds) {
      if (!is_measured(bound.what))
        out.not_acted_on.push_back({cat("alerts on ", bound.what), bound.place});
    }
  }
  for (const auto& [name, group] : root.at("groups").entries()) {
    if (group.has("authority"))
      out.not_acted_on.push_back(
          {cat("groups.", name, ".authority"), group.place_of_key("authority")});
  }
  if (root.at("evidence").has("keep")) {
    out.not_acted_on.push_back({"evidence.keep", root.at("evidence").place_of_key("keep")});
  }
  return out;
}

}  // namespace

ReadOutcome read_plan(const std::string& file_name, const std::string& text, const Loader& loader) {
  ReadOutcome out;
  MistakeList mistakes;
  auto composed = compose(file_name, text, loader, mistakes);
  std::vector<std::string> files;
  for (const auto& source : composed.sources) files.push_back(source.name);
  // A file that is no YAML hides what stands in it; judging the rest would only add noise.
  if (composed.readable) {
    auto& root = composed.root;
    if (root.is_mapping()) {
      validate(root, plan_shape(), declared_names(root), mistakes);
      View view(root, files);
      out.plan = bind(view);
      check_root_rules(out.plan, view, mistakes);
      check_store_rules(out.plan, view, mistakes);
      check_suite_rules(out.plan, view, mistakes);
      check_drill_rules(out.plan, view, mistakes);
      check_people_rules(view, mistakes);
      check_runbook_rules(view, mistakes);
    } else {
      mistakes.add(root, root.is_null() ? "the plan is empty" : "a plan is a map of sections",
                   "start with version: 1, system: NAME, repository: and stores:");
    }
  }
  for (auto& store : out.plan.stores) inherit(out.plan.objectives, store.objective);
  for (auto& drill : out.plan.drills) inherit(out.plan.objectives, drill.objective);
  out.plan.file = file_name;
  out.plan.files = files;
  out.mistakes = mistakes.take(composed.sources);
  out.plan.tree = std::move(composed.root);
  if (out.ok()) out.plan.fingerprint = yaml_with_defaults(out.plan.tree);
  return out;
}

}  // namespace lb::plan
