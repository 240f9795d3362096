#include "app/cli/repair_view.h"

#include "foundation/base/text.h"

namespace lb::cli {

namespace {

const char* name_of(repair::Remedy remedy) {
  switch (remedy) {
    case repair::Remedy::heal:
      return "heal";
    case repair::Remedy::index:
      return "index";
    case repair::Remedy::set_aside:
      return "set aside";
    case repair::Remedy::remove:
      return "remove";
    case repair::Remedy::lost:
      return "lost";
  }
  return "";
}

}  // namespace

std::vector<repair::Source> sources_of(const std::vector<CopyPlace>& places) {
  std::vector<repair::Source> out;
  for (const auto& place : places) out.push_back({place.name, place.blobs.get()});
  return out;
}

bool all_mended(const repair::RepairReport& report) {
  return report.failed.empty() && report.lost.empty() && report.set_aside == 0;
}

Json json_of(const std::vector<repair::Step>& steps) {
  Json list = Json::array();
  for (const auto& step : steps) {
    Json affected = Json::array();
    for (const auto& line : step.affected) affected.push(line);
    list.push(Json::object()
                  .set("remedy", name_of(step.remedy))
                  .set("object", step.key)
                  .set("problem", step.problem)
                  .set("from", step.from)
                  .set("affected", std::move(affected)));
  }
  return list;
}

void add_repair(Json& json, const repair::RepairReport& report) {
  json.set("healed", report.healed)
      .set("indexed", report.indexed)
      .set("set_aside", report.set_aside)
      .set("removed", report.removed)
      .set("failed", json_of(report.failed))
      .set("lost", json_of(report.lost));
}

std::string line_of(const repair::Step& step) {
  auto text = cat(name_of(step.remedy), "  ", step.key, ": ", step.problem);
  if (!step.from.empty()) text += cat("; whole in ", step.from);
  if (step.remedy == repair::Remedy::set_aside) {
    text += "; no copy has it whole: the next backup stores again what it held";
  }
  text += "\n";
  if (step.remedy == repair::Remedy::heal || step.remedy == repair::Remedy::index) return text;
  for (const auto& line : step.affected) text += cat("    affects ", printable(line), "\n");
  return text;
}

std::string text_of(const repair::RepairReport& report) {
  auto text =
      cat("healed ", report.healed, " objects (", human_size(report.healed_bytes), "), indexed ",
          report.indexed, " packs, set aside ", report.set_aside, ", removed ", report.removed,
          "; ", report.failed.size(), " failed, ", report.lost.size(), " lost for good\n");
  for (const auto& step : report.failed)
    text += cat("failed  ", step.key, ": ", step.problem, "\n");
  if (report.set_aside + report.lost.size() > 0) {
    text += "next: lifeboat backup, so that what can be read at its source is stored again\n";
  }
  return text;
}

repair::RepairReport promised(const std::vector<repair::Step>& steps) {
  repair::RepairReport out;
  for (const auto& step : steps) {
    switch (step.remedy) {
      case repair::Remedy::heal:
        ++out.healed;
        break;
      case repair::Remedy::index:
        ++out.indexed;
        break;
      case repair::Remedy::set_aside:
        ++out.set_aside;
        break;
      case repair::Remedy::remove:
        ++out.removed;
        break;
      case repair::Remedy::lost:
        out.lost.push_back(step);
        break;
    }
  }
  return out;
}

std::string promise_of(const repair::RepairReport& report) {
  return cat("would heal ", report.healed, " objects, index ", report.indexed, " packs, set aside ",
             report.set_aside, ", remove ", report.removed, "; ", report.lost.size(),
             " lost for good; nothing was changed\n");
}

}  // namespace lb::cli
