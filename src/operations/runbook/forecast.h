// How long a runbook takes, by what its steps took before: in drills and in earnest. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operations/runbook/run_state.h"

namespace lb::runbook {

// A run of the same runbook, of whatever version of the plan.
struct PastRun {
  Script script;
  RunState state;
};

struct StepForecast {
  std::size_t number = 0;
  std::string title;
  bool by_people = false;
  std::size_t measured = 0;          // how often it was done
  Timestamp last{};                  // when it was done last
  std::optional<Micros> half, most;  // median, and nine of ten; none: never measured
};

struct Forecast {
  std::vector<StepForecast> steps;  // groups are left out
  Micros half{0}, most{0};          // sums over what was measured
  std::size_t unknown = 0;          // steps that were never measured
  std::size_t runs = 0;
  std::string confidence;  // "none", "low", "medium", "high"
};
// Steps are recognised by what they do, so that a runbook that was edited keeps its times. Of a
// step that people do, the time from the question to its end counts.
Forecast forecast(const Script& script, const std::vector<PastRun>& past);

// What the plan allows and past runs did not keep to.
struct TooSlow {
  std::size_t step = 0;  // 0: the whole runbook
  bool often = false;    // in half of all cases, not only in one of ten
  std::string text;
};
// Limits of steps and the objective of the runbook against what was measured. Of a runbook with
// steps that were never measured the sum is the least it takes.
std::vector<TooSlow> too_slow(const Script& script, const Forecast& forecast);

// What is left of a time that began at `began`, by the wall clock: never more than all of it,
// though the clock was set back, and never less than nothing.
Micros left_of(Timestamp began, Micros whole, Timestamp now);

}  // namespace lb::runbook
