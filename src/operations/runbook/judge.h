// What people say to a run, judged: does it count, and what follows. Pure. One input is judged at
// a time, by the program that drives the run, in the order in which they came.
#pragma once

#include <string>

#include "operations/runbook/actor.h"

namespace lb::runbook {

// What a decision or a confirmation would be about if it were asked now.
struct Shown {
  Json what;         // an object; "facts", if it has them, are what is decided on
  std::string hash;  // of the facts, or of all of it
};
Shown shown_of(Json what);

struct Judgement {
  // The event to write: what was asked for took place, or `refused` with the reason.
  record::RunEvent event;
  // Of inputs that start something: it is done after the event is written.
  enum class Follow { nothing, undo, ask_again } follow = Follow::nothing;
  bool refused() const { return event.kind == record::RunEventKind::refused; }
};

// `now_shown`: of the step the input speaks of, when that is a decision or a confirmation.
Judgement judge(const plan::Plan& plan, const Script& script, const RunState& state,
                const record::RunInput& input, const Shown& now_shown, Timestamp now);

// Between machines. Where one went back further nobody can tell how old a decision or a question
// is.
inline constexpr Micros clocks_differ_max = std::chrono::minutes(5);
// A decision that was asked for by a clock that has been set back since: it would hold for too
// long.
bool asked_in_times_to_come(const StepState& step, Timestamp now);

// The step an input without a number speaks of: the first that waits for what it says. 0: none.
std::size_t addressed(const Script& script, const RunState& state, const record::RunInput& input);

// Who decides at a gate: its `approve`, or the accountable of its line of the RACI table.
std::set<std::string> deciders_of(const plan::Plan& plan, const plan::Step& gate);
// Who reports before: the responsible of that line.
std::set<std::string> reporters_of(const plan::Plan& plan, const plan::Step& gate);
// Of the same line: who is consulted before (C), or told afterwards (I).
std::set<std::string> raci_of(const plan::Plan& plan, const plan::Step& gate, char letter);
// Whether something destructive follows that no later gate is sure to stand before.
bool guards_destruction(const plan::Plan& plan, const Script& script, const RunState& state,
                        std::size_t gate);

}  // namespace lb::runbook
