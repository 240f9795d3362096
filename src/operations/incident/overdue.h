// Tells of tasks and reviews whose date has passed: each once, to whom alerts: of the plan names
// for "review overdue". Whoever looks at the tasks calls it, on any machine, as often as it likes.
//
// On one machine the outbox stores each message once. Between machines a task is claimed in the
// repository before it is told, and the task then says that it was; a claim whose machine has not
// said so after ten minutes is void, and another one tells. While the repository cannot be reached
// each machine tells by itself.
#pragma once

#include <string>
#include <vector>

#include "operations/incident/task_state.h"
#include "operations/notify/postman.h"
#include "storage/state/fact_log.h"

namespace lb::incident {

// Whom alerts: names for it; empty: nobody is told.
std::vector<std::string> told_of_overdue(const plan::Plan& plan);
// What they read. Pure.
notify::Letter overdue_letter(const plan::Plan& plan, const TaskState& task, Timestamp now);

struct OverdueTools {
  World& world;
  const plan::Plan& plan;
  notify::Postman& postman;
  state::FactLog& log;  // of tasks
  std::string host;
  std::string holder;  // names the outbox: of the machine and of its state folder
};

// `tasks`: as they were just read. Into the outbox; gives those that were told of now.
Result<std::vector<std::string>> tell_overdue(const OverdueTools& tools,
                                              const std::vector<TaskState>& tasks);

}  // namespace lb::incident
