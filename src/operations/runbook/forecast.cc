#include "operations/runbook/forecast.h"

#include <algorithm>
#include <map>

namespace lb::runbook {

namespace {

constexpr std::size_t runs_for_medium = 3, runs_for_high = 10;

std::optional<Micros> time_of(const StepState& step) {
  if (step.status != StepStatus::done || step.result["held"].boolean()) return std::nullopt;
  auto from = step.began != Timestamp{} ? step.began : step.asked;
  if (from == Timestamp{} || step.ended < from) return std::nullopt;
  return step.ended - from;
}

Micros at_share(std::vector<Micros> times, double share) {
  std::sort(times.begin(), times.end());
  auto index = static_cast<std::size_t>(share * static_cast<double>(times.size() - 1) + 0.5);
  return times.at(index);
}

}  // namespace

Forecast forecast(const Script& script, const std::vector<PastRun>& past) {
  std::map<std::string, std::vector<Micros>> measured;
  for (const auto& run : past) {
    for (const auto& own : run.script.steps) {
      auto time = time_of(run.state.at(own.number));
      if (time && !own.is_group()) measured[title_of(*own.step)].push_back(*time);
    }
  }
  Forecast out;
  out.runs = past.size();
  for (const auto& own : script.steps) {
    if (own.is_group()) continue;
    StepForecast step;
    step.number = own.number;
    step.title = title_of(*own.step);
    step.by_people = is_done_by_people(*own.step);
    auto found = measured.find(step.title);
    if (found == measured.end()) {
      ++out.unknown;
    } else {
      step.measured = found->second.size();
      step.half = at_share(found->second, 0.5);
      step.most = at_share(found->second, 0.9);
      out.half += *step.half;
      out.most += *step.most;
    }
    out.steps.push_back(std::move(step));
  }
  out.confidence = out.runs == 0                ? "none"
                   : out.runs < runs_for_medium ? "low"
                   : out.runs < runs_for_high   ? "medium"
                                                : "high";
  return out;
}

Micros left_of(Timestamp began, Micros whole, Timestamp now) {
  return std::clamp(whole - (now - began), Micros(0), whole);
}

}  // namespace lb::runbook
