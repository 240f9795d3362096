#include "operations/runbook/driver.h"

#include <algorithm>

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "operations/runbook/post_mortem.h"

namespace lb::runbook {

using record::RunEvent;
using record::RunEventKind;
using record::RunInput;

namespace {

constexpr Micros tick = std::chrono::milliseconds(100);
constexpr Micros far_interval = std::chrono::seconds(5);
constexpr std::uint64_t jumps_back_max = 20;
// Within this time a driver that was taken over from has looked at the repository, noticed, and
// ended what it had at work.
constexpr Micros notice_time = 3 * far_interval;

Error taken_over(const std::string& run, std::uint64_t number) {
  return Error(ErrorKind::conflict, cat("run ", run, " is driven by another program now: event ",
                                        number, " is there already"))
      .with_hint(cat("lifeboat run show ", run, " says who drives it"))
      .with_left("the run, as the other program leaves it; what was at work here was ended")
      .with_exit(ExitCode::locked);
}

}  // namespace

Driver::Driver(const DriverTools& tools, const DriverOptions& options, const plan::Plan& plan,
               const Script& script, std::string run)
    : tools_(tools),
      options_(options),
      plan_(plan),
      script_(script),
      run_(std::move(run)),
      act_(cat("run ", script.runbook)) {
  state_.id = run_;
  state_.runbook = script.runbook;
  state_.steps.resize(script.steps.size());
}

Driver::~Driver() {
  for (auto& [number, effect] : effects_) effect.thread.request_stop();
}

Status Driver::open(const NewRun& fresh) {
  RunEvent event;
  event.kind = RunEventKind::opened;
  event.by = actor_of(plan_, options_.user, options_.host).text();
  event.text = cat("run of ", script_.runbook, " by ", event.by);
  Json given = Json::object();
  for (const auto& [name, value] : fresh.given) given.set(name, value);
  event.data = Json::object()
                   .set("runbook", script_.runbook)
                   .set("mode", fresh.mode)
                   .set("given", std::move(given))
                   .set("system", plan_.system)
                   .set("incident", fresh.incident)
                   .set("version", fresh.version)
                   .set("plan_file", fresh.plan_file)
                   .set("plan_folder", fresh.plan_folder)
                   .set("plan_fingerprint", fresh.plan_fingerprint)
                   .set("plan", fresh.plan_text);
  return append(std::move(event));
}

Status Driver::take_up() {
  auto events = LB_TRY(tools_.log.events(run_));
  state_ = LB_TRY(fold(script_, run_, events));
  if (state_.closed) return {};
  if (state_.mode == "drill") {
    return Error(ErrorKind::denied, cat("run ", run_, " is one of a drill: its sandbox is gone"))
        .with_hint(cat("lifeboat drill NAME does it again in a sandbox; lifeboat run ",
                       script_.runbook, " does it in earnest"))
        .with_exit(ExitCode::refused);
  }
  look_at_who_drove(events);
  RunEvent event;
  event.kind = RunEventKind::driver;
  event.by = actor_of(plan_, options_.user, options_.host).text();
  event.text = cat("taken up on ", options_.host, " by ", options_.user);
  LB_TRY(append(std::move(event)));
  if (!events.empty()) LB_TRY(tell_what_was_left(events.back()));
  for (std::size_t number = 1; number <= state_.steps.size(); ++number) {
    if (!state_.at(number).undoing) continue;
    // Who looks how far it got must not see it go further.
    tools_.acts.end_left_running(act_of(number));
    RunEvent undone;
    undone.kind = RunEventKind::undone;
    undone.step = number;
    undone.text = "interrupted while it was taken back: look how far that got, then undo it again";
    undone.data = Json::object().set("result", "failed");
    LB_TRY(append(std::move(undone)));
  }
  return {};
}

Status Driver::give_up(const std::string& text) {
  return state_.closed ? Status() : close("failed", text);
}

// The one before may have died between writing down a decision or a question and telling people.
Status Driver::tell_what_was_left(const RunEvent& last) {
  tell_of_decision(last);
  const bool asked = last.kind == RunEventKind::asks && last.step != 0 &&
                     state_.at(last.step).need == Need::decision;
  // What another machine has put on its way cannot be seen from here; it is asked anew in its time.
  if (!asked || last.host != options_.host) return {};
  auto act = act_of(last.step);
  for (const auto& [person, mark] : last.data["links"].members()) {
    if (tools_.acts.invited_before(act, person, mark.string())) continue;
    auto again = ask_decision(last.step);
    return again.ok() ? Status() : Status(again.error());
  }
  return {};
}

void Driver::look_at_who_drove(const std::vector<RunEvent>& events) {
  bool left = false;
  for (const auto& event : events) {
    bool drives = event.kind == RunEventKind::driver || event.kind == RunEventKind::opened;
    if (!drives) continue;
    former_ = event.host;
    left = event.data["left"].boolean();
  }
  if (left || former_ == options_.host) return;
  quiet_until_ = tools_.world.clock.steady() + notice_time;
}

// On this machine what still works on a step is found and ended; elsewhere only who drove can end
// it, which takes as long as it takes them to notice.
bool Driver::may_be_at_work_elsewhere(std::size_t number) {
  if (!quiet_until_) return false;
  auto left = *quiet_until_ - tools_.world.clock.steady();
  if (left <= Micros(0)) return false;
  if (!former_.empty()) {
    tools_.console.note(cat("step ", number, " may be at work on ", former_,
                            ": it is looked at in ", human_duration(left)));
  }
  former_.clear();  // said once
  return true;
}

Status Driver::append(RunEvent event) {
  event.number = state_.events + 1;
  event.at = tools_.world.clock.now();
  event.host = options_.host;
  if (event.by.empty()) event.by = options_.user;
  bool was_behind = !tools_.log.behind().empty();
  LB_TRY(tools_.log.append(run_, act_, event));
  if (!was_behind && !tools_.log.behind().empty()) {
    tools_.console.warn(
        cat("the run is recorded on this machine only for now: ", tools_.log.behind()));
  }
  LB_TRY(advance(script_, state_, event));
  if (options_.changed) options_.changed(state_);
  return {};
}

Act Driver::act_of(std::size_t number) const {
  const auto& own = script_.at(number);
  const auto& step = state_.at(number);
  Act act{plan_,      script_,     own,
          run_,       state_.mode, std::max<std::uint64_t>(1, step.attempt),
          step.began, {},          step.pinned};
  act.variables = Names(script_, state_.variables).all(own.scope);
  return act;
}

Result<Driver::End> Driver::drive(std::stop_token stop) {
  while (!state_.closed) {
    if (stop.stop_requested()) break;
    auto changed = pass(stop);
    if (!changed.ok()) {
      for (auto& [number, effect] : effects_) effect.thread.request_stop();
      effects_.clear();
      return std::move(changed).take_error();
    }
    if (*changed) continue;
    if (!options_.wait && only_people_can_go_on()) break;
    if (options_.typed) {
      auto typed = options_.typed(state_);
      if (typed) {
        typed->at = tools_.world.clock.now();
        typed->host = options_.host;
        typed->user = options_.user;
        LB_TRY(tools_.log.put(run_, act_, *typed));
        continue;
      }
    }
    (void)tools_.world.clock.sleep(tick, stop);
  }
  for (auto& [number, effect] : effects_) effect.thread.request_stop();
  effects_.clear();
  // What ended meanwhile is written down even when the run is left now.
  if (!state_.closed) LB_TRY(take_ended());
  if (state_.closed) return End::closed;
  RunEvent event;
  event.kind = RunEventKind::driver;
  event.text = cat("left on ", options_.host, " by ", options_.user);
  event.data = Json::object().set("left", true);
  LB_TRY(append(std::move(event)));
  return stop.stop_requested() ? End::stopped : End::waits_for_people;
}

Result<bool> Driver::pass(std::stop_token stop) {
  bool ended = LB_TRY(take_ended());
  bool said = LB_TRY(take_inputs(stop));
  if (state_.closed) return true;
  if (state_.aborting) {
    if (!effects_.empty()) {
      for (auto& [number, effect] : effects_) cut_short(effect, "stopped: the run was ended");
      return ended || said;
    }
    LB_TRY(close("aborted", "ended by a person"));
    return true;
  }
  end_what_is_late();
  bool moved = LB_TRY(carry_on(stop));
  return ended || said || moved;
}

// Inputs of other machines cost a listing of the repository, so they are looked for seldom.
Result<bool> Driver::take_inputs(std::stop_token stop) {
  auto now = tools_.world.clock.steady();
  bool far = !looked_ || now - looked_far_ >= far_interval;
  auto inputs = LB_TRY(tools_.log.inputs(run_, far));
  if (far) {
    looked_far_ = now;
    looked_ = true;
  }
  // Not only when the next event is written: what is at work here must end before it is done there.
  if (tools_.log.furthest() > state_.events) return taken_over(run_, tools_.log.furthest());
  bool any = false;
  for (auto& input : inputs) {
    if (state_.taken.contains(input.id)) continue;
    LB_TRY(take(std::move(input), stop));
    any = true;
    if (state_.closed) break;
  }
  return any;
}

Status Driver::take(RunInput input, std::stop_token stop) {
  input.step = addressed(script_, state_, input);
  Shown shown;
  bool in_range = input.step >= 1 && input.step <= script_.steps.size();
  if (in_range && state_.at(input.step).status == StepStatus::asks) {
    auto need = state_.at(input.step).need;
    if (need == Need::decision || need == Need::confirmation) {
      auto act = act_of(input.step);
      auto what = tools_.acts.show(act);
      if (what.ok()) shown = shown_of(std::move(what).take());
    }
  }
  auto judged = judge(plan_, script_, state_, input, shown, tools_.world.clock.now());
  auto follow = judged.follow;
  if (judged.refused()) tools_.console.warn(judged.event.text);
  bool failed = judged.event.kind == record::RunEventKind::ended &&
                judged.event.data["result"].string() == "failed";
  if (failed) follow_failure(input.step, judged.event.data);
  auto said = judged.event;
  LB_TRY(append(std::move(judged.event)));
  tell_of_decision(said);
  if (follow == Judgement::Follow::ask_again) {
    auto need = state_.at(input.step).need;
    if (need == Need::decision) LB_TRY(ask_decision(input.step));
    if (need == Need::confirmation) LB_TRY(begin(input.step, stop));
  }
  if (follow == Judgement::Follow::undo) launch(input.step, true, tools_.world.clock.now());
  return {};
}

// Those the RACI table names are told afterwards; when the glass was broken, also all who should
// have decided.
void Driver::tell_of_decision(const RunEvent& event) {
  bool decided = event.kind == RunEventKind::ended && event.data["hash"].is_string();
  if (!decided) return;
  const auto& gate = *script_.at(event.step).step;
  auto people = raci_of(plan_, gate, 'I');
  auto text = cat("decided by ", event.by, ": ", event.text);
  if (event.data["break_glass"].boolean()) {
    auto deciders = deciders_of(plan_, gate);
    people.insert(deciders.begin(), deciders.end());
    text = cat("THE GLASS WAS BROKEN. ", text);
    tools_.console.warn(
        cat("THE GLASS WAS BROKEN at step ", event.step, " by ", event.by, ": ", event.text));
    auto kept =
        tools_.acts.review_later(act_of(event.step), review_of_broken_glass(script_, event));
    if (!kept.ok())
      tools_.console.warn(cat("the review of that is not kept as a task: ", kept.error().text()));
  }
  inform(event.step, people, text, event.data["break_glass"].boolean());
}

void Driver::inform(std::size_t gate, const std::set<std::string>& people, const std::string& text,
                    bool loud) {
  auto act = act_of(gate);
  for (const auto& person : people) {
    auto told = loud ? tools_.acts.alarm(act, person, text) : tools_.acts.inform(act, person, text);
    if (!told.ok()) tools_.console.warn(cat("could not reach ", person, ": ", told.error().text()));
  }
}

Result<bool> Driver::take_ended() {
  std::vector<Ended> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(ended_);
  }
  for (auto& each : ended) {
    auto effect = effects_.extract(each.step);
    if (each.stopped) {
      // The run is left: the outcome is not known, and nothing is claimed.
      if (effect.empty() || effect.mapped().cut.empty()) continue;
      each.end.text = cat(effect.mapped().cut, each.end.text.empty() ? "" : ": ", each.end.text);
      if (effect.mapped().cut_by != 0) each.end.data.set("cut_by", effect.mapped().cut_by);
    }
    if (!each.undo) {
      LB_TRY(finish(each.step, each.end));
      continue;
    }
    RunEvent event;
    event.kind = RunEventKind::undone;
    event.step = each.step;
    event.text = each.end.text;
    event.data = each.end.data;
    event.data.set("result", each.end.ok ? "done" : "failed");
    LB_TRY(append(std::move(event)));
  }
  return !ended.empty();
}

Status Driver::finish(std::size_t number, const ActEnd& end) {
  RunEvent event;
  event.kind = RunEventKind::ended;
  event.step = number;
  event.attempt = state_.at(number).attempt;
  event.text = end.text;
  event.data = end.data;
  event.data.set("result", end.ok ? "done" : "failed");
  if (!end.set.empty()) {
    Json set = Json::object();
    for (const auto& [name, value] : end.set) set.set(name, value);
    event.data.set("set", std::move(set));
  }
  if (!end.ok && !state_.aborting) follow_failure(number, event.data);
  return append(std::move(event));
}

// A step's own word counts first, then that of the `use` it came by. What stands side by side is
// brought to its end before the word of its group counts: nothing at work is left behind. What ends
// with its group is followed by what that says.
void Driver::follow_failure(std::size_t number, Json& data) const {
  const auto& own = script_.at(number);
  const auto& fail = own.step->fail;
  using Way = plan::OnFailure::Way;
  if (data["cut_by"].integer() != 0) {
    data.set("then", "continue");
    return;
  }
  if (tries_again(number)) {
    data.set("then", "retry");
    return;
  }
  if (fail.way == Way::go_on) data.set("then", "continue");
  if (fail.way == Way::jump) jump_to(number, number, fail.jump, data);
  if (fail.way != Way::stop && fail.way != Way::retry) return;
  std::size_t beside = 0, branch = number;  // the nearest `parallel`, and what of it failed
  for (auto parent = own.parent; parent != 0; parent = script_.at(parent).parent) {
    const auto& group = script_.at(parent);
    const auto& outer = group.step->fail;
    if (beside == 0 && group.step->verb == "parallel") beside = parent;
    if (beside == 0) branch = parent;
    if (outer.way != Way::go_on && outer.way != Way::jump) continue;
    if (beside != 0) {
      data.set("then", "continue").set("of_group", static_cast<std::uint64_t>(beside));
      if (branch != number)
        data.set("jump", static_cast<std::uint64_t>(script_.at(branch).last + 1));
    } else if (outer.way == Way::jump) {
      jump_to(number, parent, outer.jump, data);
    } else {
      data.set("then", "continue").set("jump", static_cast<std::uint64_t>(group.last + 1));
    }
    return;
  }
}

// A way back that never leads further would go round for ever: then a person decides.
void Driver::jump_to(std::size_t failed, std::size_t whose, const std::string& name,
                     Json& data) const {
  auto target = script_.reached_from(whose, name);
  bool round = target <= failed && state_.at(failed).attempt >= jumps_back_max;
  if (target == 0 || round) return;
  data.set("then", cat("goto ", name)).set("jump", static_cast<std::uint64_t>(target));
}

Status Driver::close(const std::string& result, const std::string& text) {
  RunEvent event;
  event.kind = RunEventKind::closed;
  event.text = text;
  event.data = Json::object().set("result", result);
  return append(std::move(event));
}

void Driver::launch(std::size_t number, bool undo, Timestamp began) {
  auto act = act_of(number);
  act.began = began;
  auto& effect = effects_[number];
  effect.undo = undo;
  effect.begun = tools_.world.clock.steady();
  effect.cut.clear();
  effect.waits_for_people = false;
  act.waits_for_people = &effect.waits_for_people;
  effect.thread = std::jthread([this, number, undo, own = act](std::stop_token token) {
    auto end = undo ? tools_.acts.undo(own, token) : tools_.acts.act(own, token);
    bool stopped = token.stop_requested() && !end.ok;
    const std::lock_guard lock(mutex_);
    ended_.push_back({number, undo, stopped, std::move(end)});
  });
}

bool Driver::only_people_can_go_on() {
  for (const auto& [number, effect] : effects_) {
    if (!effect.waits_for_people) return false;
  }
  auto turn = frontier(script_, state_);
  return std::all_of(turn.begin(), turn.end(), [&](auto number) {
    auto status = state_.at(number).status;
    bool waits = status == StepStatus::asks || status == StepStatus::failed;
    return waits || effects_.contains(number) || late_around(number) != 0;
  });
}

}  // namespace lb::runbook
