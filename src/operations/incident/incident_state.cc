#include "operations/incident/incident_state.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "operations/incident/proven.h"

namespace lb::incident {

using record::Fact;
using Kind = notify::IncidentEvent::Kind;

namespace {

std::vector<std::string> texts(const Json& json) {
  std::vector<std::string> out;
  for (const auto& item : json.items()) out.push_back(item.string());
  return out;
}

void begin_escalation(IncidentState& state, Timestamp at) {
  ++state.round;
  state.acknowledged.reset();
  state.escalation.push_back({Kind::opened, at, {}});
}

void take_opened(IncidentState& state, const Fact& fact) {
  state.title = fact.data["title"].string();
  state.severity = fact.data["severity"].string();
  state.affected = fact.data["affected"].string();
  state.symptoms = texts(fact.data["symptoms"]);
  state.opened = fact.at;
  state.opened_by = fact.by;
  auto failed = parse_time(fact.data["failed_at"].string());
  if (failed.ok()) state.failed_at = *failed;
  begin_escalation(state, fact.at);
}

void take_severity(IncidentState& state, const Fact& fact) {
  const auto to = fact.data["to"].string();
  if (!is_severity(to) || to == state.severity) return;
  const bool raised = to < state.severity;
  state.severity = to;
  if (state.closed) return;
  if (raised || !state.acknowledged) begin_escalation(state, fact.at);
}

void take_told(IncidentState& state, const Fact& fact) {
  state.escalation.push_back({Kind::told, fact.at, fact.data["step"].string()});
  for (auto& person : texts(fact.data["people"])) {
    if (std::find(state.told.begin(), state.told.end(), person) == state.told.end())
      state.told.push_back(std::move(person));
  }
}

void take_end(IncidentState& state, const Fact& fact) {
  if (state.closed) return;
  const Said said{fact.at, fact.by};
  if (fact.kind == kind::closed) {
    state.closed = said;
    state.close_reason = fact.text;
    state.escalation.push_back({Kind::closed, fact.at, {}});
  } else if (!state.acknowledged) {
    state.acknowledged = said;
    state.escalation.push_back({Kind::acknowledged, fact.at, {}});
  }
}

void take(IncidentState& state, const Fact& fact) {
  if (fact.kind == kind::opened) take_opened(state, fact);
  if (fact.kind == kind::acknowledged || fact.kind == kind::closed) take_end(state, fact);
  if (fact.kind == kind::severity_changed) take_severity(state, fact);
  if (fact.kind == kind::told) take_told(state, fact);
  if (fact.kind == kind::assigned) state.assigned_to = fact.data["to"].string();
  if (fact.kind == kind::linked)
    state.runs.push_back({fact.data["run"].string(), fact.data["runbook"].string(), fact.at});
}

}  // namespace

bool is_severity(std::string_view text) {
  return text.size() == 2 && text[0] == 'P' && text[1] >= '0' && text[1] <= '3';
}

Result<IncidentState> fold(const std::string& id, const std::vector<Fact>& facts) {
  if (facts.empty() || facts.front().kind != kind::opened ||
      !is_severity(facts.front().data["severity"].string())) {
    return Error(ErrorKind::corrupt, cat("incident ", id, " has no beginning"))
        .with_hint("the machine that opened it may still have it: lifeboat incident show there");
  }
  IncidentState state;
  state.id = id;
  for (const auto& fact : facts) {
    if (fact.kind == kind::opened && state.round > 0) continue;  // opened once
    take(state, fact);
  }
  return state;
}

Result<IncidentState> fold(const plan::Plan& plan, const std::string& id,
                           const std::vector<Fact>& facts) {
  auto proven = prove(plan, "incident", id, facts);
  auto state = LB_TRY(fold(id, proven.facts));
  state.unproven = std::move(proven.refused);
  return state;
}

std::string line_of(const Fact& fact) {
  const auto& data = fact.data;
  const auto text = printable(fact.text);
  const auto with = [&](std::string line) {
    return text.empty() ? line : cat(std::move(line), ": ", text);
  };
  if (fact.kind == kind::opened)
    return cat(data["severity"].string(), " opened: ", printable(data["title"].string()));
  if (fact.kind == kind::noted) return text;
  if (fact.kind == kind::assigned) return with(cat("assigned to ", data["to"].string()));
  if (fact.kind == kind::severity_changed)
    return with(cat("severity ", data["from"].string(), " became ", data["to"].string()));
  if (fact.kind == kind::linked)
    return cat("runbook ", data["runbook"].string(), " began as run ", data["run"].string());
  if (fact.kind == kind::told)
    return cat("told ", join(texts(data["people"]), ", "), " (", data["step"].string(), ")");
  return with(fact.kind);
}

}  // namespace lb::incident
