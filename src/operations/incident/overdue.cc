#include "operations/incident/overdue.h"

#include "foundation/base/text.h"
#include "operations/incident/claims.h"

namespace lb::incident {

namespace {

constexpr const char* event = "review overdue";

bool mine(const OverdueTools& tools, const std::string& task) {
  return claimed(tools.log, tools.world.clock, {task, "overdue", tools.holder});
}

Status note_told(const OverdueTools& tools, const TaskState& task,
                 const std::vector<std::string>& to) {
  const auto known = LB_TRY(tools.log.facts(task.id, false));
  record::Fact fact;
  fact.order = record::next_order(known);
  fact.at = tools.world.clock.now();
  fact.host = tools.host;
  fact.kind = kind::told;
  Json people = Json::array();
  for (const auto& person : to) people.push(person);
  fact.data = Json::object().set("step", "overdue").set("people", std::move(people));
  return tools.log.put(task.id, fact);
}

}  // namespace

std::vector<std::string> told_of_overdue(const plan::Plan& plan) {
  std::vector<std::string> out;
  for (const auto& rule : plan.alerts) {
    if (!rule.names(event)) continue;
    out.insert(out.end(), rule.to.begin(), rule.to.end());
  }
  return out;
}

notify::Letter overdue_letter(const plan::Plan& plan, const TaskState& task, Timestamp now) {
  notify::Letter out;
  // A review comes again as a task of its own, so each time has its key.
  out.key = cat("task/", task.id, "/overdue");
  out.system = plan.system;
  out.severity = notify::Severity::warning;
  out.shareable = true;
  out.at = now;
  out.subject = cat(plan.system, ": overdue: ", task.text);
  out.text = cat("Due ", task.due ? format_time_seconds(*task.due) : std::string("some time ago"),
                 task.owner.empty() ? std::string(", of nobody") : cat(", of ", task.owner),
                 task.run.empty() ? std::string() : cat(", after run ", task.run), ".\n\n",
                 "lifeboat task done ", task.id, " -m TEXT   says that it is done\n");
  return out;
}

Result<std::vector<std::string>> tell_overdue(const OverdueTools& tools,
                                              const std::vector<TaskState>& tasks) {
  std::vector<std::string> out;
  const auto to = told_of_overdue(tools.plan);
  if (to.empty()) return out;
  const auto now = tools.world.clock.now();
  for (const auto& task : tasks) {
    if (!task.overdue(now) || task.told_overdue || !mine(tools, task.id)) continue;
    LB_TRY(tools.postman.post(overdue_letter(tools.plan, task, now), to));
    LB_TRY(note_told(tools, task, to));
    out.push_back(task.text);
  }
  return out;
}

}  // namespace lb::incident
