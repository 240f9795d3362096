// IncidentState: where an incident stands, as the fold of its facts. Pure: the same facts give the
// same state on every machine, in whatever order they arrived.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/record/fact.h"
#include "operations/notify/escalation.h"

namespace lb::incident {

// Kinds of facts. Data: opened {severity, title, symptoms, affected, failed_at}, assigned {to},
// severity {from, to}, linked {run, runbook}, told {step, people}.
namespace kind {
inline constexpr const char* opened = "opened";
inline constexpr const char* acknowledged = "acknowledged";
inline constexpr const char* noted = "noted";
inline constexpr const char* assigned = "assigned";
inline constexpr const char* severity_changed = "severity";
inline constexpr const char* linked = "linked";
inline constexpr const char* told = "told";
inline constexpr const char* closed = "closed";
}  // namespace kind

// "P0" to "P3"; smaller is worse.
bool is_severity(std::string_view text);

struct LinkedRun {
  std::string run, runbook;
  Timestamp at{};
};

struct Said {
  Timestamp at{};
  std::string by;
};

struct IncidentState {
  std::string id, title, severity, affected, opened_by, assigned_to, close_reason;
  std::vector<std::string> symptoms;
  Timestamp opened{};
  std::optional<Timestamp> failed_at;
  std::optional<Said> acknowledged;  // the first answer since escalation last began
  std::optional<Said> closed;
  std::vector<LinkedRun> runs;
  std::vector<std::string> told;      // people, each once, in order
  std::vector<std::string> unproven;  // what was said under a key that was not so; see proven.h
  // What escalation is planned from. `round`: how often it began; a severity that is raised begins
  // it anew, since others answer for it, and a lowered one if nobody has answered yet.
  std::vector<notify::IncidentEvent> escalation;
  unsigned round = 0;

  // Since when users suffer, as far as anybody said.
  Timestamp since() const { return failed_at.value_or(opened); }
};

// Of facts as they were read: what was signed is checked first. corrupt when nothing opens it.
Result<IncidentState> fold(const plan::Plan& plan, const std::string& id,
                           const std::vector<record::Fact>& facts);
// Of facts that are known to be true. Those of unknown kinds are passed over.
Result<IncidentState> fold(const std::string& id, const std::vector<record::Fact>& facts);

// One line for people, without the time and without who did it.
std::string line_of(const record::Fact& fact);

}  // namespace lb::incident
