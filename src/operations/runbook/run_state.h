// RunState: where a run stands, as the fold of its events. Pure: the same events give the same
// state on every machine.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/record/run_record.h"
#include "operations/runbook/script.h"
#include "operations/runbook/variables.h"

namespace lb::runbook {

enum class StepStatus {
  pending,
  asks,     // waits for people; StepState::asks says what
  running,  // its intent is written; whether the effect happened only who runs it knows
  done,
  failed,  // and somebody must decide how to go on
  passed,  // failed, and the run went on as the plan says
  skipped,
  undone,
};
std::string_view name_of(StepStatus status);

// What a step that asks waits for.
enum class Need {
  condition,      // does `when:` hold?
  review,         // a command that nobody has read yet
  answers,        // of ask:
  decision,       // of a gate
  confirmation,   // the name of what is overwritten
  ticks,          // of a checklist
  deed,           // manual, document
  outcome,        // did it happen, before the crash?
  way_on,         // it failed: once more, leave it out, take it back, end
  skip_approval,  // somebody wants to leave out a critical step
  witness,        // watch: that it stayed so
};
std::string_view name_of(Need need);
std::optional<Need> need_of(std::string_view name);

struct StepState {
  StepStatus status = StepStatus::pending;
  std::uint64_t attempt = 0;
  Timestamp asked{}, began{}, ended{};  // of the last attempt
  Timestamp first_asked{};              // an expired decision is asked for again
  Variables pinned;                     // of it: what was chosen when it began
  Need need = Need::deed;               // while it asks
  Json asks;                      // data of the last `asks`: shown, hash, expires, questions …
  std::optional<bool> condition;  // as a person or the variables decided
  bool reviewed = false;
  std::string confirmed;              // hash of what was confirmed
  std::map<std::string, bool> ticks;  // item -> done, or left out with a reason
  std::vector<std::string> reports;   // roles that reported to a gate
  std::string skip_by, skip_reason;
  std::string text, by;       // of the end
  Json result;                // data of the end
  bool undoing = false;       // an undo was begun and not ended
  std::size_t left_with = 0;  // the group it was left out with; 0: none
  bool gone_past = false;     // left out because something else failed: nobody chose to
  bool finished() const {
    return status == StepStatus::done || status == StepStatus::passed ||
           status == StepStatus::skipped || status == StepStatus::undone;
  }
};

struct RunNote {
  Timestamp at{};
  std::string by, text;
  std::uint64_t step = 0;
};

enum class RunResult { done, failed, aborted };

struct RunState {
  std::string id, runbook, requester, host;
  Timestamp opened{}, last_event{};
  std::string mode = "earnest";  // earnest, drill
  std::vector<StepState> steps;
  Variables variables;
  std::set<std::string> taken;  // inputs that were taken up or refused
  std::vector<RunNote> notes;
  std::uint64_t events = 0;
  std::string driver, driver_text;  // who took it up last
  std::optional<RunResult> closed;
  bool aborting = false;

  const StepState& at(std::size_t number) const { return steps.at(number - 1); }
  StepState& at(std::size_t number) { return steps.at(number - 1); }
};

// Events of a script with fewer steps than they speak of are corrupt.
Result<RunState> fold(const Script& script, const std::string& run,
                      const std::vector<record::RunEvent>& events);
// The same, one event further.
Status advance(const Script& script, RunState& state, const record::RunEvent& event);

// The steps whose turn it is, in order: several where they stand side by side. A group is among
// them when it begins and when all inside it has ended. Empty: all steps have ended.
std::vector<std::size_t> frontier(const Script& script, const RunState& state);

}  // namespace lb::runbook
