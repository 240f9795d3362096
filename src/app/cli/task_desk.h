// What is left to do afterwards: read, added, done; by the verbs task, postmortem and status.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/cli/session.h"
#include "operations/incident/overdue.h"
#include "operations/incident/scheduled.h"
#include "operations/incident/task_state.h"
#include "storage/state/fact_log.h"

namespace lb::cli {

state::FactLog tasks_of(const Session& session);

// All that can be read, oldest first; of the others a line in `unreadable`.
// What was said under a key that is not so is a line there too.
Result<std::vector<incident::TaskState>> all_tasks(const plan::Plan& plan, state::FactLog& log,
                                                   std::vector<std::string>& unreadable);

// Adds what the plan's schedules ask of people and is not there yet, to `tasks` too. Where it
// cannot be kept it is said, and nothing else fails.
void add_scheduled(const Shell& shell, const plan::Plan& plan, state::FactLog& log,
                   std::vector<incident::TaskState>& tasks);

// Tells whom alerts: names of those that are overdue, each once, and gives the messages some
// seconds to go. What hinders it is said, and nothing else fails.
void alert_overdue(const Shell& shell, Session& session, state::FactLog& log,
                   const std::vector<incident::TaskState>& tasks);
// The same with an outbox that is open, for who carries its messages anyway.
Status post_overdue(const Shell& shell, const Session& session, notify::Postman& postman,
                    state::FactLog& log, const std::vector<incident::TaskState>& tasks);

// False: it is there already. `task`: id (empty: a new one), text, owner, due, run.
Result<bool> add_task(const Shell& shell, const plan::Plan& plan, state::FactLog& log,
                      incident::TaskState& task);

}  // namespace lb::cli
