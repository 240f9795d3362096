#include "operations/runbook/run_state.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"

namespace lb::runbook {

using record::RunEvent;
using record::RunEventKind;

namespace {

constexpr std::array<std::string_view, 8> statuses = {"pending", "asks",   "running", "done",
                                                      "failed",  "passed", "skipped", "undone"};
constexpr std::array<std::string_view, 11> needs = {
    "condition", "review",  "answers", "decision",      "confirmation", "ticks",
    "deed",      "outcome", "way-on",  "skip-approval", "witness"};

void take_ended(const Script& script, RunState& state, const RunEvent& event) {
  auto& step = state.at(event.step);
  step.ended = event.at;
  step.text = event.text;
  step.by = event.by;
  step.result = event.data;
  const auto result = event.data["result"].string();
  const auto then = event.data["then"].string();
  step.status = StepStatus::done;
  if (result == "skipped") step.status = StepStatus::skipped;
  if (result == "failed") step.status = then.empty() ? StepStatus::failed : StepStatus::passed;
  bool again = result == "failed" && then == "retry";
  if (again) step.status = StepStatus::pending;
  // What people are asked for has no beginning that counts its tries.
  if (again && step.began == Timestamp{})
    step.attempt = std::max<std::uint64_t>(1, step.attempt) + 1;
  for (const auto& [name, value] : event.data["set"].members()) {
    state.variables[name] = value.string();
  }
  // Leaving a group out leaves out what is in it.
  const auto& own = script.at(event.step);
  if (own.is_group() && result != "done") {
    for (auto n = own.number + 1; n <= own.last; ++n) {
      auto& inner = state.at(n);
      if (inner.finished()) continue;
      inner.status = inner.status == StepStatus::failed ? StepStatus::passed : StepStatus::skipped;
      inner.left_with = own.number;
      inner.gone_past = result == "failed";
    }
  }
  auto jump = static_cast<std::size_t>(event.data["jump"].integer());
  if (jump == 0 || jump > script.steps.size() + 1) return;
  for (auto n = event.step + 1; n < jump; ++n) {
    auto& between = state.at(n);
    if (between.finished()) continue;
    between.status = StepStatus::skipped;
    between.gone_past = true;
  }
  // The way back leads past the one that failed, too.
  for (auto n = jump; n <= std::max(event.step, own.last); ++n) {
    auto attempt = state.at(n).attempt;
    state.at(n) = {};
    state.at(n).attempt = attempt;
  }
}

// A group that is tried again goes on where it was ended: what is done in it stays done.
void take_up_again(const ScriptStep& group, RunState& state) {
  for (auto n = group.number + 1; n <= group.last; ++n) {
    auto& inner = state.at(n);
    bool cut = static_cast<std::size_t>(inner.result["cut_by"].integer()) == group.number;
    if (!cut && inner.left_with != group.number) continue;
    auto attempt = inner.attempt;
    inner = {};
    inner.attempt = attempt;
  }
}

// What stands in a group that has ended is reached through it: it is open again, with its time
// anew.
void reopen_around(const Script& script, RunState& state, const RunEvent& event) {
  for (auto parent = script.at(event.step).parent; parent != 0; parent = script.at(parent).parent) {
    auto& group = state.at(parent);
    if (!group.finished()) continue;
    group.status = StepStatus::running;
    group.began = event.at;
    for (auto n = parent + 1; n <= script.at(parent).last; ++n) {
      auto& result = state.at(n).result;
      if (static_cast<std::size_t>(result["cut_by"].integer()) == parent) result = Json();
    }
  }
}

void take_noted(const Script& script, RunState& state, const RunEvent& event) {
  const auto& data = event.data;
  if (!event.text.empty() && data["note"].boolean())
    state.notes.push_back({event.at, event.by, event.text, event.step});
  if (data["abort"].boolean()) state.aborting = true;
  if (event.step == 0) return;
  auto& step = state.at(event.step);
  if (data.find("condition") != nullptr) step.condition = data["condition"].boolean();
  if (data["reviewed"].boolean()) step.reviewed = true;
  if (data["confirmed"].is_string()) step.confirmed = data["confirmed"].string();
  if (data["item"].is_string()) step.ticks[data["item"].string()] = data["ticked"].boolean();
  if (data["report"].is_string()) step.reports.push_back(data["report"].string());
  if (data["skip"].boolean()) {
    step.skip_by = event.by;
    step.skip_reason = data["reason"].string();
  }
  // What was decided is asked anew from here on.
  if (data["again"].boolean()) {
    auto attempt = step.attempt;
    step = {};
    step.attempt = attempt;
    reopen_around(script, state, event);
  }
}

// Taking back what failed does not make it done: how to go on is still open.
void take_undone(RunState& state, const RunEvent& event) {
  auto& step = state.at(event.step);
  step.undoing = false;
  if (event.data["result"].string() != "done") return;
  bool open = step.status == StepStatus::failed || step.status == StepStatus::asks;
  step.status = open ? StepStatus::failed : StepStatus::undone;
  step.text = cat("taken back: ", event.text);
}

void take_asks(RunState& state, const RunEvent& event) {
  auto& step = state.at(event.step);
  step.status = StepStatus::asks;
  step.asked = event.at;
  if (step.first_asked == Timestamp{}) step.first_asked = event.at;
  step.asks = event.data;
  step.need = need_of(event.data["need"].string()).value_or(Need::deed);
}

class Frontier {
 public:
  Frontier(const Script& script, const RunState& state) : script_(script), state_(state) {}

  std::vector<std::size_t> find() {
    sequence(1, script_.steps.size());
    return std::move(out_);
  }

 private:
  // True when all of it has ended.
  bool sequence(std::size_t first, std::size_t last) {
    for (auto n = first; n <= last; n = after(n)) {
      if (!one(n)) return false;
    }
    return true;
  }

  bool one(std::size_t n) {
    const auto& own = script_.at(n);
    const auto& step = state_.at(n);
    if (step.finished()) return true;
    bool open_group = own.is_group() && step.status == StepStatus::running;
    if (!open_group) {
      out_.push_back(n);
      return false;
    }
    bool ended = own.step->verb == "parallel" ? all_inside(own) : sequence(n + 1, own.last);
    if (ended) out_.push_back(n);
    return false;
  }

  bool all_inside(const ScriptStep& group) {
    bool ended = true;
    for (auto n = group.number + 1; n <= group.last; n = after(n)) {
      bool child = one(n);
      ended = ended && child;
    }
    return ended;
  }

  std::size_t after(std::size_t n) const { return std::max(n, script_.at(n).last) + 1; }

  const Script& script_;
  const RunState& state_;
  std::vector<std::size_t> out_;
};

}  // namespace

std::string_view name_of(StepStatus status) { return statuses[static_cast<std::size_t>(status)]; }
std::string_view name_of(Need need) { return needs[static_cast<std::size_t>(need)]; }
std::optional<Need> need_of(std::string_view name) {
  auto found = std::find(needs.begin(), needs.end(), name);
  if (found == needs.end()) return std::nullopt;
  return static_cast<Need>(found - needs.begin());
}

Status advance(const Script& script, RunState& state, const RunEvent& event) {
  if (event.step > script.steps.size()) {
    return Error(ErrorKind::corrupt, cat("event ", event.number, " speaks of step ", event.step,
                                         " of ", script.steps.size()));
  }
  bool needs_step = event.kind == RunEventKind::asks || event.kind == RunEventKind::began ||
                    event.kind == RunEventKind::ended || event.kind == RunEventKind::undo_began ||
                    event.kind == RunEventKind::undone;
  if (needs_step && event.step == 0)
    return Error(ErrorKind::corrupt, cat("event ", event.number, " names no step"));
  state.events = event.number;
  state.last_event = event.at;
  if (event.data["input"].is_string()) state.taken.insert(event.data["input"].string());
  switch (event.kind) {
    case RunEventKind::opened:
      state.requester = event.by;
      state.host = event.host;
      state.opened = event.at;
      state.mode = event.data["mode"].string("earnest");
      break;
    case RunEventKind::driver:
      state.driver = event.host;
      state.driver_text = event.text;
      break;
    case RunEventKind::asks:
      take_asks(state, event);
      break;
    case RunEventKind::began:
      state.at(event.step).status = StepStatus::running;
      state.at(event.step).attempt = event.attempt;
      state.at(event.step).began = event.at;
      state.at(event.step).pinned.clear();
      for (const auto& [name, value] : event.data["pinned"].members())
        state.at(event.step).pinned[name] = value.string();
      take_up_again(script.at(event.step), state);
      break;
    case RunEventKind::ended:
      take_ended(script, state, event);
      break;
    case RunEventKind::undo_began:
      state.at(event.step).undoing = true;
      break;
    case RunEventKind::undone:
      take_undone(state, event);
      break;
    case RunEventKind::noted:
      take_noted(script, state, event);
      break;
    case RunEventKind::refused:
      break;
    case RunEventKind::closed: {
      auto result = event.data["result"].string();
      state.closed = result == "done"      ? RunResult::done
                     : result == "aborted" ? RunResult::aborted
                                           : RunResult::failed;
      break;
    }
  }
  return {};
}

Result<RunState> fold(const Script& script, const std::string& run,
                      const std::vector<RunEvent>& events) {
  RunState out;
  out.id = run;
  out.runbook = script.runbook;
  out.steps.resize(script.steps.size());
  for (const auto& event : events) LB_TRY(advance(script, out, event).context(cat("run ", run)));
  return out;
}

std::vector<std::size_t> frontier(const Script& script, const RunState& state) {
  return Frontier(script, state).find();
}

}  // namespace lb::runbook
