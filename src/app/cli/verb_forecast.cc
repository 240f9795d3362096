// forecast: how long a runbook will take, by what its steps took before.
#include "app/cli/past_runs.h"
#include "app/cli/run_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "operations/runbook/forecast.h"

namespace lb::cli {

namespace {

std::string shown(const std::optional<Micros>& time) { return time ? human_duration(*time) : "–"; }

Result<ExitCode> run(const Shell& shell, const Args& args) {
  if (args.positionals.size() != 1)
    return Error(ErrorKind::invalid, "forecast takes the name of a runbook")
        .with_hint("lifeboat runbook ls lists them");
  auto desk = LB_TRY(open_run_desk(shell, args));
  auto made = LB_TRY(forecast_of(shell, desk, args.positionals[0]));
  const auto& forecast = made.forecast;
  Json steps = Json::array();
  std::vector<std::vector<std::string>> rows = {
      {"NO", "STEP", "HALF", "NINE OF TEN", "MEASURED", "LAST"}};
  for (const auto& step : forecast.steps) {
    rows.push_back({cat(step.number),
                    cat(printable(step.title), step.by_people ? " [a person]" : ""),
                    shown(step.half), shown(step.most),
                    cat(step.measured, step.measured == 1 ? " time" : " times"),
                    step.measured == 0 ? "–" : format_time_seconds(step.last).substr(0, 10)});
    Json line = Json::object()
                    .set("step", static_cast<std::uint64_t>(step.number))
                    .set("title", step.title)
                    .set("measured", static_cast<std::uint64_t>(step.measured));
    if (step.measured > 0) line.set("last", format_time(step.last));
    if (step.half) line.set("half_us", std::int64_t{step.half->count()});
    if (step.most) line.set("most_us", std::int64_t{step.most->count()});
    steps.push(std::move(line));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.forecast/1",
                        Json::object()
                            .set("runbook", args.positionals[0])
                            .set("runs", static_cast<std::uint64_t>(forecast.runs))
                            .set("confidence", forecast.confidence)
                            .set("half_us", std::int64_t{forecast.half.count()})
                            .set("most_us", std::int64_t{forecast.most.count()})
                            .set("unknown", static_cast<std::uint64_t>(forecast.unknown))
                            .set("steps", std::move(steps)));
    return ExitCode::ok;
  }
  shell.console.out(table(rows, {0, 2, 3, 4}));
  shell.console.out(
      cat("predicted, one step after the other: ", human_duration(forecast.half),
          " in half of all cases, ", human_duration(forecast.most), " in nine of ten; ",
          forecast.unknown, forecast.unknown == 1 ? " step was" : " steps were",
          " never measured; from ", forecast.runs,
          forecast.runs == 1 ? " run, confidence " : " runs, confidence ", forecast.confidence));
  for (const auto& slow : runbook::too_slow(made.script, forecast)) {
    auto which = slow.step == 0 ? std::string() : cat("step ", slow.step, ": ");
    shell.console.warn(cat(which, slow.text));
  }
  return ExitCode::ok;
}

}  // namespace

Verb forecast_verb() {
  return {{"forecast",
           "Predicts how long a runbook takes, from what its steps took in drills and in earnest.",
           {"lifeboat forecast db-loss", "lifeboat forecast db-loss --json"},
           "forecast RUNBOOK",
           {},
           1},
          run};
}

}  // namespace lb::cli
