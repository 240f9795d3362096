// What the driver does with groups of steps, `use` and `parallel`, and with what takes too long.
#include <algorithm>

#include "foundation/base/text.h"
#include "operations/runbook/driver.h"

namespace lb::runbook {

using Way = plan::OnFailure::Way;

void Driver::cut_short(Effect& effect, const std::string& why) {
  if (!effect.cut.empty()) return;
  effect.cut = why;
  effect.thread.request_stop();
}

// Commands and waits end by themselves at their own limit, and say what they had printed by then; a
// switch says who still writes to the old place.
void Driver::end_what_is_late() {
  static const std::set<std::string> keep_theirs = {"run", "provision", "task", "wait", "switch"};
  auto now = tools_.world.clock.steady();
  for (auto& [number, effect] : effects_) {
    if (effect.undo) continue;
    const auto group = late_around(number);
    if (group != 0) {
      if (effect.cut.empty()) effect.cut_by = group;
      cut_short(effect, why_late(group));
      continue;
    }
    const auto& step = *script_.at(number).step;
    if (!step.limit || keep_theirs.contains(step.verb)) continue;
    if (now - effect.begun >= *step.limit)
      cut_short(effect, cat("did not end within ", human_duration(*step.limit)));
  }
}

// Counted from the beginning that was written down, so that a crash gives no time anew; from there
// on by the steady clock, so that setting the clock neither ends what is in time nor gives it a
// day.
Micros Driver::spent_since(std::size_t number, Timestamp began) {
  const auto& clock = tools_.world.clock;
  const auto attempt = state_.at(number).attempt;
  auto [known, is_new] = since_.try_emplace(number);
  auto& since = known->second;
  if (is_new || since.attempt != attempt || since.written != began) {
    auto before = std::max(Micros(0), clock.now() - began);
    since = {attempt, began, clock.steady() - before};
  }
  return clock.steady() - since.began;
}

bool Driver::was_cut(std::size_t group) const {
  for (auto n = group + 1; n <= script_.at(group).last; ++n) {
    if (static_cast<std::size_t>(state_.at(n).result["cut_by"].integer()) == group) return true;
  }
  return false;
}

// Once something inside was ended for it, it is late whatever the clock says later.
bool Driver::is_late(std::size_t group) {
  const auto& own = script_.at(group);
  bool open = own.is_group() && state_.at(group).status == StepStatus::running;
  if (!open || !own.step->limit) return false;
  return was_cut(group) || spent_since(group, state_.at(group).began) >= *own.step->limit;
}

// The outermost group around the step whose time is over; 0: none.
std::size_t Driver::late_around(std::size_t number) {
  std::size_t out = 0;
  for (auto parent = script_.at(number).parent; parent != 0; parent = script_.at(parent).parent) {
    if (is_late(parent)) out = parent;
  }
  return out;
}

std::string Driver::why_late(std::size_t group) const {
  const auto& step = *script_.at(group).step;
  return cat("step ", group, " (", title_of(step), ") did not end within ",
             human_duration(*step.limit));
}

Status Driver::give_up(std::size_t number, std::size_t group, const std::string& text) {
  auto data = Json::object().set("cut_by", static_cast<std::uint64_t>(group));
  return finish(number, {false, cat(why_late(group), ": ", text), std::move(data), {}});
}

// Also when nobody knows whether something inside happened: that is not gone past unsaid.
bool Driver::is_at_work(std::size_t group) const {
  for (auto n = group + 1; n <= script_.at(group).last; ++n) {
    const auto& step = state_.at(n);
    bool begun = step.status == StepStatus::running && !script_.at(n).is_group();
    bool unknown = step.status == StepStatus::asks && step.need == Need::outcome;
    if (begun || unknown || effects_.contains(n)) return true;
  }
  return false;
}

Result<bool> Driver::end_late_groups() {
  bool any = false;
  for (const auto& own : script_.steps) {
    const auto group = own.number;
    if (!is_late(group) || late_around(group) != 0 || is_at_work(group)) continue;
    std::string where;
    for (auto n = group + 1; n <= own.last && where.empty(); ++n) {
      const auto& step = state_.at(n);
      if (script_.at(n).is_group() || (step.finished() && step.result["cut_by"].integer() == 0))
        continue;
      bool waits = step.status == StepStatus::asks || step.status == StepStatus::failed;
      where = cat(": it was at step ", n, " (", title_of(*script_.at(n).step), ")",
                  waits ? ", which waited for people" : "");
    }
    LB_TRY(finish(group, {false,
                          cat("did not end within ", human_duration(*own.step->limit), where),
                          Json::object().set("limit", true),
                          {}}));
    any = true;
  }
  return any;
}

// All inside it has ended.
Result<bool> Driver::end_group(std::size_t number) {
  if (was_cut(number)) return end_late_groups();
  std::size_t failed = 0;
  for (auto n = number + 1; n <= script_.at(number).last; ++n) {
    const auto& step = state_.at(n);
    bool of_it = static_cast<std::size_t>(step.result["of_group"].integer()) == number;
    if (of_it && step.status == StepStatus::passed) ++failed;
  }
  auto text = failed == 0 ? std::string("all of it has ended")
                          : cat("all of it has ended, ", failed, " failed");
  LB_TRY(finish(number, {failed == 0, text, Json::object(), {}}));
  return true;
}

namespace {

// Whose `fail: retry` counts for the step: its own, or that of the nearest group around it, for
// each step inside as often. A no of somebody who decides is not asked for again by a group.
const plan::OnFailure* retry_of(const Script& script, std::size_t number) {
  const auto& own = script.at(number);
  if (own.step->fail.way == Way::retry) return &own.step->fail;
  if (own.step->fail.way != Way::stop || own.step->verb == "gate") return nullptr;
  for (auto parent = own.parent; parent != 0; parent = script.at(parent).parent) {
    const auto& outer = script.at(parent).step->fail;
    if (outer.way == Way::retry) return &outer;
    if (outer.way != Way::stop) return nullptr;
  }
  return nullptr;
}

}  // namespace

bool Driver::tries_again(std::size_t number) const {
  const auto* fail = retry_of(script_, number);
  return fail != nullptr && std::max<std::uint64_t>(1, state_.at(number).attempt) <= fail->retries;
}

Micros Driver::wait_before_retry(std::size_t number) const {
  const auto* fail = retry_of(script_, number);
  return fail == nullptr ? Micros(0) : fail->wait;
}

}  // namespace lb::runbook
