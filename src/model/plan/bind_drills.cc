#include <algorithm>

#include "model/plan/bind.h"
#include "model/plan/language.h"

namespace lb::plan {

namespace {

// Names of stores as they are; a group becomes its stores. No store twice.
void bind_restored(const View& from, const std::vector<Group>& groups, Drill& out) {
  auto add = [&](const std::string& store) {
    if (std::find(out.restore.begin(), out.restore.end(), store) == out.restore.end()) {
      out.restore.push_back(store);
    }
  };
  for (const auto& name : from.texts("restore")) {
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.name == name; });
    if (group == groups.end()) {
      add(name);
      continue;
    }
    out.group = name;
    for (const auto& store : group->stores) add(store);
  }
}

// An audit that names no store audits all that can go to any second.
void bind_audit(const View& from, const std::vector<Store>& stores, Drill& out) {
  if (!from.has("pitr")) return;
  auto asked = from.at("pitr");
  auto& audit = out.pitr.emplace();
  audit.window = asked.duration("window").value_or(Micros(0));
  auto samples = asked.integer("samples");
  if (samples && *samples > 0) audit.samples = static_cast<std::uint64_t>(*samples);
  if (!out.restore.empty()) return;
  for (const auto& store : stores) {
    if (store.kind == StoreKind::postgres) out.restore.push_back(store.name);
  }
}

Drill bind_drill(const std::string& name, const View& from, const std::vector<Group>& groups,
                 const std::vector<Store>& stores) {
  Drill out;
  out.name = name;
  out.every = from.schedule("every");
  bind_restored(from, groups, out);
  bind_audit(from, stores, out);
  out.into = from.text("into");
  out.checks = from.texts("checks");
  out.at = from.has("at") ? from.text("at") : "latest";
  out.backup_first = from.text("backup") == "first";
  out.verify_fraction = from.percent("verify");
  out.runbook = from.text("runbook");
  out.with = from.text_map("with");
  out.via = from.texts("via");
  out.review = from.texts("review");
  for (const auto& key : drill_keys_not_built()) {
    if (from.has(key)) out.keys_not_built.push_back(key);
  }
  out.objective = from.objective("objective");
  out.place = from.place();
  return out;
}

}  // namespace

std::vector<Drill> bind_drills(const View& section, const std::vector<Group>& groups,
                               const std::vector<Store>& stores) {
  std::vector<Drill> out;
  for (const auto& [name, value] : section.entries())
    out.push_back(bind_drill(name, value, groups, stores));
  return out;
}

Evidence bind_evidence(const View& section) {
  Evidence out;
  out.keep = section.duration("keep");
  out.sign = section.reference("sign");
  out.formats = section.texts("formats");
  if (out.formats.empty()) out.formats = {"html", "json", "markdown"};
  out.place = section.place();
  return out;
}

}  // namespace lb::plan
