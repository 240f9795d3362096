#include "operations/incident/task_state.h"

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "operations/incident/proven.h"

namespace lb::incident {

Result<TaskState> fold_task(const std::string& id, const std::vector<record::Fact>& facts) {
  if (facts.empty() || facts.front().kind != kind::added)
    return Error(ErrorKind::corrupt, cat("task ", id, " has no beginning"));
  const auto& first = facts.front();
  TaskState out;
  out.id = id;
  out.text = first.data["text"].string();
  out.owner = first.data["owner"].string();
  out.run = first.data["run"].string();
  out.added_by = first.by;
  out.added = first.at;
  auto due = parse_time(first.data["due"].string());
  if (due.ok()) out.due = *due;
  for (const auto& fact : facts) {
    if (fact.kind == kind::told) out.told_overdue = true;
    if (fact.kind != kind::done || out.done) continue;
    out.done = Said{fact.at, fact.by};
    out.done_text = fact.text;
  }
  return out;
}

Result<TaskState> fold_task(const plan::Plan& plan, const std::string& id,
                            const std::vector<record::Fact>& facts) {
  auto proven = prove(plan, "task", id, facts);
  auto out = LB_TRY(fold_task(id, proven.facts));
  out.unproven = std::move(proven.refused);
  return out;
}

std::string task_id(const std::string& run, const std::string& text) {
  return cat(run, "-", to_hex(sha256(view_of(text))).substr(0, 8));
}

}  // namespace lb::incident
