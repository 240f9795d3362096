// forecast: how long a runbook will take, by what its steps took before.
#include "app/cli/run_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "operations/runbook/forecast.h"

namespace lb::cli {

namespace {

// Those that can be read; one that is damaged says nothing of the others.
Result<std::vector<runbook::PastRun>> past_of(const Shell& shell, RunDesk& desk,
                                              const std::string& name,
                                              std::vector<std::unique_ptr<RunDesk>>& kept) {
  std::vector<runbook::PastRun> out;
  auto heads = LB_TRY(desk.log->runs(true));
  for (const auto& head : heads) {
    if (head.runbook != name) continue;
    auto one = std::make_unique<RunDesk>();
    one->run = head.id;
    one->runbook = name;
    auto read = read_run(*desk.log, *one);
    auto state = read.ok() ? runbook::fold(one->script, head.id, one->events)
                           : Result<runbook::RunState>(read.error());
    if (!state.ok()) {
      shell.console.warn(cat("run ", head.id, " is left out: ", state.error().text()));
      continue;
    }
    out.push_back({one->script, std::move(state).take()});
    kept.push_back(std::move(one));  // scripts point into their plans
  }
  return out;
}

std::string shown(const std::optional<Micros>& time) { return time ? human_duration(*time) : "–"; }

Result<ExitCode> run(const Shell& shell, const Args& args) {
  if (args.positionals.size() != 1)
    return Error(ErrorKind::invalid, "forecast takes the name of a runbook")
        .with_hint("lifeboat runbook ls lists them");
  auto desk = LB_TRY(open_run_desk(shell, args));
  const auto& plan = desk.session->plan.plan;
  const auto* found = plan.runbook(args.positionals[0]);
  std::map<std::string, std::string> given;
  if (found != nullptr) {
    for (const auto& parameter : found->parameters)
      given[parameter.name] = parameter.kind == "time"      ? "latest"
                              : parameter.kind == "boolean" ? "true"
                                                            : "0";
  }
  auto script = LB_TRY(runbook::make_script(plan, args.positionals[0], given));
  std::vector<std::unique_ptr<RunDesk>> kept;
  auto past = LB_TRY(past_of(shell, desk, args.positionals[0], kept));
  auto forecast = runbook::forecast(script, past);
  Json steps = Json::array();
  std::vector<std::vector<std::string>> rows = {{"NO", "STEP", "HALF", "NINE OF TEN", "MEASURED"}};
  for (const auto& step : forecast.steps) {
    rows.push_back({cat(step.number),
                    cat(printable(step.title), step.by_people ? " [a person]" : ""),
                    shown(step.half), shown(step.most), cat(step.measured, " times")});
    Json line = Json::object()
                    .set("step", static_cast<std::uint64_t>(step.number))
                    .set("title", step.title)
                    .set("measured", static_cast<std::uint64_t>(step.measured));
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
  shell.console.out(cat("predicted, one step after the other: ", human_duration(forecast.half),
                        " in half of all cases, ", human_duration(forecast.most),
                        " in nine of ten; ", forecast.unknown, " steps were never measured; from ",
                        forecast.runs, " runs, confidence ", forecast.confidence));
  if (script.plan->objective.rto && forecast.most > *script.plan->objective.rto)
    shell.console.warn(cat("the objective of ", human_duration(*script.plan->objective.rto),
                           " would be missed by more than one in ten"));
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
