#include "operations/incident/scheduled.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "model/plan/front_matter.h"

namespace lb::incident {

namespace {

// Of all tasks that one key gives.
std::string prefix_of(const std::string& key) {
  return cat("every-", to_hex(sha256(view_of(key))).substr(0, 8), "-");
}

}  // namespace

std::vector<Scheduled> scheduled_of(const plan::Plan& plan) {
  std::vector<Scheduled> out;
  for (const auto& runbook : plan.runbooks) {
    if (!runbook.review) continue;
    out.push_back({cat("runbook ", runbook.name), cat("review runbook ", runbook.name),
                   runbook.owner, *runbook.review, plan::front_matter_of(plan, runbook).updated});
  }
  for (const auto& person : plan.people) {
    const auto front = plan::front_matter_of(plan, person);
    if (!front.review) continue;
    out.push_back({cat("person ", person.name), cat("try how ", person.name, " is reached"),
                   person.name, *front.review, front.updated});
  }
  for (const auto& task : plan.tasks) {
    if (!task.every) continue;
    auto what =
        task.review.empty() ? cat("do ", task.name, ": ", task.run) : cat("review ", task.review);
    out.push_back({cat("task ", task.name), what, task.by, *task.every});
  }
  for (const auto& drill : plan.drills) {
    if (drill.review.empty() || !drill.every) continue;
    out.push_back({cat("drill ", drill.name),
                   cat("review ", join(drill.review, ", "), " (drill ", drill.name, ")"), "",
                   *drill.every});
  }
  return out;
}

std::optional<TaskState> next_of(const Scheduled& scheduled, const std::vector<TaskState>& known,
                                 Timestamp now) {
  auto prefix = prefix_of(scheduled.key);
  auto after = scheduled.last.value_or(now);
  bool first = true;
  for (const auto& task : known) {
    if (!task.id.starts_with(prefix)) continue;
    if (!task.done) return std::nullopt;
    auto ended = std::max(task.done->at, task.due.value_or(task.done->at));
    after = first && !scheduled.last ? ended : std::max(after, ended);
    first = false;
  }
  auto due = plan::next_time(scheduled.every, after);
  if (!due) return std::nullopt;
  TaskState out;
  auto date = format_time_seconds(*due);
  std::erase_if(date, [](char c) { return c == ':' || c == '-'; });
  out.id = cat(prefix, date);
  out.text = scheduled.text;
  out.owner = scheduled.owner;
  out.due = *due;
  return out;
}

}  // namespace lb::incident
