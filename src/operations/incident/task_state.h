// TaskState: something that is left to do afterwards, as the fold of its facts: "added" {text,
// owner, due, run}, "told" when it was overdue, "done". Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operations/incident/incident_state.h"

namespace lb::incident {

struct TaskState {
  std::string id, text, owner, run, added_by, done_text;
  Timestamp added{};
  std::optional<Timestamp> due;
  std::optional<Said> done;           // the first who said so
  std::vector<std::string> unproven;  // what was said under a key that was not so; see proven.h
  bool told_overdue = false;          // people were told that its date has passed
  bool overdue(Timestamp now) const { return !done && due && *due < now; }
};

namespace kind {
inline constexpr const char* added = "added";
inline constexpr const char* done = "done";
}  // namespace kind

// Of facts as they were read: what was signed is checked first.
Result<TaskState> fold_task(const plan::Plan& plan, const std::string& id,
                            const std::vector<record::Fact>& facts);
// corrupt when nothing adds it. Added twice, by two machines at once, it is the first.
Result<TaskState> fold_task(const std::string& id, const std::vector<record::Fact>& facts);

// The same for the same task of the same run, so that it is added once.
std::string task_id(const std::string& run, const std::string& text);

}  // namespace lb::incident
