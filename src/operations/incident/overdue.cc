#include "operations/incident/overdue.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::incident {

namespace {

constexpr const char* event = "review overdue";
constexpr unsigned claims_max = 1000;

bool is_void(const std::string& claim, Timestamp now) {
  const auto at = claim.rfind('@');
  const auto made =
      at == std::string::npos ? Result<Timestamp>(Timestamp{}) : parse_time(claim.substr(at + 1));
  return !made.ok() || now - *made > overdue_claim_time;
}

// The first claim that is ours or that nobody has; those before it are void.
bool mine(const OverdueTools& tools, const std::string& task) {
  const auto now = tools.world.clock.now();
  for (unsigned number = 1; number <= claims_max; ++number) {
    const auto claim =
        tools.log.claim(task, cat("overdue.", number), cat(tools.holder, "@", format_time(now)));
    // Better told twice than not at all.
    if (!claim.ok() || claim->starts_with(cat(tools.holder, "@"))) return true;
    if (!is_void(*claim, now)) return false;
  }
  return true;
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
    if (std::find(rule.on.begin(), rule.on.end(), event) == rule.on.end()) continue;
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
