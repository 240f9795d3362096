#include "app/cli/postmortem_text.h"

#include "app/cli/incident_desk.h"
#include "app/cli/past_runs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

// What is known of the incident that the run answered; it may be more than the run lived to see.
Result<std::optional<runbook::IncidentStory>> incident_of(
    const Session& session, const std::vector<record::RunEvent>& events) {
  const auto id = events.empty() ? std::string() : events.front().data["incident"].string();
  if (id.empty()) return std::optional<runbook::IncidentStory>();
  state::FactLog log(*session.journal, session.repository.get(), "incident");
  const auto facts = LB_TRY(log.facts(id, true));
  const auto state = LB_TRY(incident::fold(session.plan.plan, id, facts));
  runbook::IncidentStory out;
  out.id = id;
  out.severity = state.severity;
  out.title = state.title;
  out.opened = state.opened;
  out.failed_at = state.failed_at;
  if (state.acknowledged) out.acknowledged = state.acknowledged->at;
  if (state.closed) out.closed = state.closed->at;
  for (const auto& fact : facts) out.lines.push_back({fact.at, fact.by, incident::line_of(fact)});
  return std::optional(std::move(out));
}

}  // namespace

Result<std::string> postmortem_text(const Shell& shell, const Session& session, state::RunLog& log,
                                    const WrittenRun& run) {
  runbook::Surroundings around;
  if (session.repository != nullptr) around.drills = LB_TRY(state::drills(*session.repository));
  if (auto found = incident_of(session, run.events); found.ok()) {
    around.incident = std::move(found).take();
  } else {
    shell.console.warn(cat("without the incident: ", found.error().text()));
  }
  if (auto made = forecast_of(shell, log, run.script, run.state.id); made.ok()) {
    around.forecast = std::move(made).take();
  } else {
    shell.console.warn(cat("what earlier runs took is not known: ", made.error().text()));
  }
  return runbook::post_mortem(run.plan, run.script, run.state, run.events, around);
}

}  // namespace lb::cli
