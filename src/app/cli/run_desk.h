// RunDesk: a run and what is needed to speak to it or to carry it on: its own version of the plan,
// its script, its log.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/session.h"
#include "operations/runbook/driver.h"

namespace lb::cli {

struct RunDesk {
  std::unique_ptr<Session> session;  // its repository may be null: it cannot be reached
  std::unique_ptr<state::RunLog> log;
  std::string act() const { return "run " + runbook; }

  // Of the run that was picked.
  std::string run, runbook;
  plan::Plan plan;
  runbook::Script script;
  std::vector<record::RunEvent> events;
};

// Its state lies on this machine: people can go on while the repository cannot be reached.
Result<std::unique_ptr<Session>> session_without_repository(const Shell& shell, const Args& args);

// What this machine alone knows; nothing where it never knew a run.
Result<std::optional<RunDesk>> run_desk_of_this_machine(const Shell& shell, const Args& args);

// A repository that does not answer is said and does without: the run goes on where it can.
Result<RunDesk> open_run_desk(const Shell& shell, const Args& args);

// The plan in the form that a run keeps of it: its defaults written out. Steps read from it alone,
// also by the program that begins the run, so that all see the same.
Result<plan::Plan> plan_for_run(const std::string& text, const std::string& file);

// Reads the run named (a unique beginning or ending of its id, or its runbook), or the only one
// that is not closed. `open`: closed ones do not count.
Status pick_run(const Shell& shell, RunDesk& desk, const std::string& named, bool open);

// Events, plan and script of the run `desk.run` of `desk.runbook`.
Status read_run(state::RunLog& log, RunDesk& desk);

// What a person says: into the log. Prints what became of it when somebody drives the run.
Status say(const Shell& shell, RunDesk& desk, record::RunInput input);

}  // namespace lb::cli
