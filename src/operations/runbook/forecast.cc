#include "operations/runbook/forecast.h"

#include <algorithm>
#include <map>

#include "foundation/base/text.h"

namespace lb::runbook {

namespace {

constexpr std::size_t runs_for_medium = 3, runs_for_high = 10;

std::optional<Micros> time_of(const StepState& step) {
  if (step.status != StepStatus::done || step.result["held"].boolean()) return std::nullopt;
  auto from = step.began != Timestamp{} ? step.began : step.asked;
  if (from == Timestamp{} || step.ended < from) return std::nullopt;
  return step.ended - from;
}

// The plan that a run keeps has its defaults written out; the one it is compared with may leave
// them out.
std::string known_as(const plan::Step& step) {
  return replace_all(title_of(step), " at latest", "");
}

Micros at_share(std::vector<Micros> times, double share) {
  std::sort(times.begin(), times.end());
  auto index = static_cast<std::size_t>(share * static_cast<double>(times.size() - 1) + 0.5);
  return times.at(index);
}

}  // namespace

Forecast forecast(const Script& script, const std::vector<PastRun>& past) {
  struct Measured {
    std::vector<Micros> times;
    Timestamp last{};
  };
  std::map<std::string, Measured> measured;
  for (const auto& run : past) {
    for (const auto& own : run.script.steps) {
      const auto& state = run.state.at(own.number);
      auto time = time_of(state);
      if (!time || own.is_group()) continue;
      auto& of = measured[known_as(*own.step)];
      of.times.push_back(*time);
      of.last = std::max(of.last, state.ended);
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
    auto found = measured.find(known_as(*own.step));
    if (found == measured.end()) {
      ++out.unknown;
    } else {
      step.measured = found->second.times.size();
      step.last = found->second.last;
      step.half = at_share(found->second.times, 0.5);
      step.most = at_share(found->second.times, 0.9);
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

std::vector<TooSlow> too_slow(const Script& script, const Forecast& forecast) {
  std::vector<TooSlow> out;
  auto judge = [&](std::size_t step, Micros half, Micros most, Micros allowed,
                   const std::string& what, const std::string& rule) {
    if (most <= allowed) return;
    bool often = half > allowed;
    out.push_back({step, often,
                   cat(what, " took ", human_duration(often ? half : most), " or more in ",
                       often ? "half of all cases" : "one of ten", ", and ", rule, " ",
                       human_duration(allowed))});
  };
  for (const auto& step : forecast.steps) {
    const auto& limit = script.steps.at(step.number - 1).step->limit;
    if (limit && step.half && step.most)
      judge(step.number, *step.half, *step.most, *limit, "it", "its limit is");
  }
  const auto& rto = script.plan->objective.rto;
  if (rto && forecast.runs > 0)
    judge(0, forecast.half, forecast.most, *rto, "all of it", "the objective is");
  return out;
}

Micros left_of(Timestamp began, Micros whole, Timestamp now) {
  return std::clamp(whole - (now - began), Micros(0), whole);
}

}  // namespace lb::runbook
