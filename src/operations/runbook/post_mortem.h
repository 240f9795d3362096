// The draft of a post-mortem, written from the events of a run: what is known stands there, what
// only people know is asked for. Blameless: roles, not names. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/record/drill_record.h"
#include "operations/runbook/forecast.h"

namespace lb::runbook {

inline constexpr Micros review_within = std::chrono::hours(24 * 7);

struct FollowUp {
  std::string text, owner;  // owner: a role of the plan; may be empty
  Timestamp due{};
};
// What has to be looked at afterwards, as far as the events say.
std::vector<FollowUp> follow_ups(const plan::Plan& plan, const Script& script,
                                 const RunState& state,
                                 const std::vector<record::RunEvent>& events);

// The task of it, the same whoever makes it.
std::string review_of_broken_glass(const Script& script, const record::RunEvent& event);

// What was done otherwise than the runbook says: left out, failed, repeated, taken back.
std::vector<std::string> deviations(const Script& script, const RunState& state,
                                    const std::vector<record::RunEvent>& events);

// The incident that a run answered, as far as a post-mortem speaks of it.
struct IncidentStory {
  struct Line {
    Timestamp at{};
    std::string by, text;  // by: "ada (lead)"; empty: Lifeboat
  };
  std::string id, severity, title;
  Timestamp opened{};
  std::optional<Timestamp> failed_at, acknowledged, closed;
  std::vector<Line> lines;
};

// What else is known when it is written.
struct Surroundings {
  std::vector<record::DrillRecord> drills;  // of the system, oldest first
  std::optional<IncidentStory> incident;
  std::optional<Forecast> forecast;  // by the runs and drills of the runbook but this one
};

// Markdown.
std::string post_mortem(const plan::Plan& plan, const Script& script, const RunState& state,
                        const std::vector<record::RunEvent>& events,
                        const Surroundings& surroundings = {});

}  // namespace lb::runbook
