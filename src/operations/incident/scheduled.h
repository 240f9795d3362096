// What the plan asks people to do again and again: reviews of runbooks and of how people are
// reached (review:), of documents (tasks: with review: and every:), of what a drill names. Each
// time is an ordinary task with its date; the next one comes when that is done. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/plan/plan.h"
#include "operations/incident/task_state.h"

namespace lb::incident {

struct Scheduled {
  std::string key;  // "runbook db-loss", "task review-logs": the same as long as the plan names it
  std::string text, owner;
  plan::Schedule every;
  // When it was last done as far as the plan says; without it the time it is first seen counts.
  std::optional<Timestamp> last = {};
};
std::vector<Scheduled> scheduled_of(const plan::Plan& plan);

// The task to add now: nothing while one of its times is open. The first is due at its first time
// after `last`, or after `now` when the plan does not say; a later one after the last was done, or
// after its date if it was done early, or after `last` if that is later. The id is made of key and
// date, so that two machines that add it at once add one. `known`: all tasks.
std::optional<TaskState> next_of(const Scheduled& scheduled, const std::vector<TaskState>& known,
                                 Timestamp now);

}  // namespace lb::incident
