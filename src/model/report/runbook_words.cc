#include "model/report/runbook_words.h"

#include "foundation/base/text.h"
#include "model/report/report.h"

namespace lb::report {

using record::DrillRecord;

static constexpr Micros task_within = std::chrono::hours(24 * 7);

std::string duration_or_dash(const std::optional<Micros>& time) {
  return time ? human_duration(*time) : std::string("–");
}

std::string numbers_of(const record::DrilledRole& role) {
  std::vector<std::string> out;
  for (const auto number : role.steps) out.push_back(cat(number));
  return join(out, ", ");
}

std::string acted_of(const record::DrilledRole& role) {
  if (!role.acted.empty()) return join(role.acted, ", ");
  return role.part == "is told" ? "not told: messages are held" : "did not take part";
}

std::string decision_text(const record::DrilledDecision& decision) {
  auto out = cat("step ", decision.step, ", ", decision.decides, " decides: ", decision.result);
  if (decision.at) out += cat(", ", format_time_seconds(*decision.at));
  if (!decision.by.empty()) out += cat(", by ", decision.by);
  if (!decision.text.empty()) out += cat(" (", decision.text, ")");
  return out;
}

std::string predicted_against_real(const DrillRecord& record) {
  Micros predicted{0}, real{0};
  std::size_t known = 0;
  for (const auto& step : record.steps) {
    if (!step.predicted || !step.took || step.state == "held") continue;
    ++known;
    predicted += *step.predicted;
    real += *step.took;
  }
  if (known == 0)
    return "Predicted is the middle of what a step took in earlier runs and drills: none is known.";
  return cat("Predicted is the middle of what a step took in earlier runs and drills. Of the ",
             known, known == 1 ? " step" : " steps", " of which both are known: predicted ",
             human_duration(predicted), ", took ", human_duration(real), ".");
}

std::string owner_text(const record::DrillTask& task) {
  return task.owner.empty() ? "to be named" : task.owner;
}

std::vector<record::DrillTask> tasks_left_by(const DrillRecord& record) {
  auto out = record.tasks;
  const auto owner = out.empty() ? std::string() : out.front().owner;
  for (const auto& finding : record.findings) {
    if (finding.severity == "note") continue;
    out.push_back({cat("Mend what drill ", record.drill, " found: ", finding.text), owner,
                   record.ended + task_within});
  }
  return out;
}

}  // namespace lb::report
