// What the driver does with a step whose turn it is.
#include <algorithm>

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "operations/runbook/driver.h"

namespace lb::runbook {

using record::RunEvent;
using record::RunEventKind;

namespace {

const std::vector<std::string> no_files;

// What no check of the plan can see is watched by a person.
bool has_check(const plan::Plan& plan, const plan::Step& watch) {
  plan::View what(watch.what, no_files);
  for (const auto& suite : plan.suites) {
    for (const auto& check : suite.checks) {
      if (check.name == what.text("check")) return true;
    }
  }
  return false;
}

Json as_json(const Variables& variables) {
  auto out = Json::object();
  for (const auto& [name, value] : variables) out.set(name, value);
  return out;
}

std::string default_answer(const std::string& kind, Timestamp now) {
  if (kind == "time") return format_time(now);
  if (kind == "number") return "0";
  if (kind == "boolean") return "true";
  return "drill";
}

}  // namespace

Result<std::string> Act::expand(const std::string& text) const {
  return Names(script, variables).expand(text, own.scope);
}

Result<bool> Driver::carry_on(std::stop_token stop) {
  auto turn = frontier(script_, state_);
  if (turn.empty()) {
    auto failed = static_cast<std::size_t>(
        std::count_if(state_.steps.begin(), state_.steps.end(),
                      [](const auto& step) { return step.status == StepStatus::passed; }));
    LB_TRY(close("done", failed == 0 ? std::string("all steps have ended")
                                     : cat("all steps have ended, ", failed, " of them failed")));
    return true;
  }
  bool moved = false;
  for (auto number : turn) {
    bool stepped = LB_TRY(step_up(number, stop));
    moved = moved || stepped;
    if (state_.closed) return moved;
  }
  bool ended = LB_TRY(end_late_groups());
  return moved || ended;
}

Result<bool> Driver::step_up(std::size_t number, std::stop_token stop) {
  if (effects_.contains(number)) return false;
  const auto status = state_.at(number).status;
  // Nothing begins in a group whose time is over; what was at work there is looked for all the
  // same.
  if (status != StepStatus::running && late_around(number) != 0) return false;
  switch (status) {
    case StepStatus::pending:
      return begin(number, stop);
    case StepStatus::asks:
      return answered(number, stop);
    case StepStatus::running:
      return recover(number, stop);
    default:
      return false;
  }
}

// True: an answer is needed first and was asked for, or the step is left out.
Result<bool> Driver::decide_condition(std::size_t number) {
  const auto& own = script_.at(number);
  const auto& step = state_.at(number);
  if (own.step->when.empty()) return false;
  auto holds = step.condition;
  if (!holds) {
    const Names names(script_, state_.variables);
    auto decided = decide(own.step->when, names, own.scope);
    // What a step that was held would have given is not known in a drill, which tries the step.
    if (!decided.ok() && state_.mode == "drill") {
      decided = std::optional<bool>();
    } else if (!decided.ok()) {
      LB_TRY(finish(number, {false, decided.error().text(), Json::object(), {}}));
      return true;
    }
    holds = *decided;
  }
  if (!holds && !options_.attended) holds = true;  // a drill tries the step
  if (!holds) {
    LB_TRY(ask(number, Need::condition, Json::object().set("text", own.step->when)));
    return true;
  }
  if (*holds) return false;
  RunEvent event;
  event.kind = RunEventKind::ended;
  event.step = number;
  event.text = cat("left out: ", own.step->when, " does not hold");
  event.data = Json::object().set("result", "skipped");
  LB_TRY(append(std::move(event)));
  return true;
}

Result<bool> Driver::begin(std::size_t number, std::stop_token) {
  const auto& own = script_.at(number);
  const auto& step = state_.at(number);
  if (step.attempt > 0 && tools_.world.clock.now() < step.ended + wait_before_retry(number) &&
      tools_.world.clock.now() >= step.ended)
    return false;
  bool waits = LB_TRY(decide_condition(number));
  if (waits) return true;
  RunEvent event;
  event.kind = RunEventKind::began;
  event.step = number;
  event.attempt = step.attempt + 1;
  event.text = title_of(*own.step);
  if (own.is_group()) {
    if (own.step->limit)
      event.data.set("until", format_time(tools_.world.clock.now() + *own.step->limit));
    LB_TRY(append(std::move(event)));
    return true;
  }
  if (is_done_by_people(*own.step)) return ask_of_step(number);
  if (own.step->review && !step.reviewed && options_.attended)
    return ask(number, Need::review, Json::object().set("text", title_of(*own.step)));
  if (own.step->review && !step.reviewed) return hold(number);
  auto act = act_of(number);
  if (own.step->verb == "watch" && !has_check(plan_, *own.step)) {
    return options_.attended
               ? ask(number, Need::witness, Json::object().set("text", title_of(*own.step)))
               : hold(number);
  }
  auto word = state_.mode == "drill" ? std::string() : tools_.acts.word_to_type(act);
  bool approved = LB_TRY(still_approved(number));
  if (!approved) return true;
  if (!word.empty()) {
    auto what = tools_.acts.show(act);
    if (!what.ok()) {
      LB_TRY(finish(number, {false, what.error().text(), Json::object(), {}}));
      return true;
    }
    auto shown = shown_of(std::move(what).take());
    if (step.confirmed != shown.hash) {
      return ask(number, Need::confirmation,
                 Json::object().set("word", word).set("shown", shown.what).set("hash", shown.hash));
    }
  }
  auto at = act.expand(title_of(*own.step));
  event.data = Json::object().set("does", at.ok() ? *at : title_of(*own.step));
  auto until = end_of_wait(*own.step, tools_.world.clock.now());
  if (until) event.data.set("until", format_time(*until));
  act.pinned.clear();
  // Where it cannot be chosen the attempt itself fails, which counts it.
  auto pinned = tools_.acts.pin(act);
  if (pinned.ok() && !pinned->empty()) event.data.set("pinned", as_json(*pinned));
  LB_TRY(append(std::move(event)));
  launch(number, false, state_.at(number).began);
  return true;
}

// The last decision before a destructive step holds as long as its gate says, and only while what
// was shown is so. A no holds, whatever the plan says follows it (`fail: continue`).
Result<bool> Driver::still_approved(std::size_t number) {
  const auto& own = script_.at(number);
  const Names names(script_, state_.variables);
  plan::View what(own.step->what, no_files);
  auto target = names.expand(what.text("to"), own.scope);
  if (!is_destructive(plan_, *own.step, target.ok() ? *target : std::string())) return true;
  if (state_.mode == "drill") return true;
  std::size_t gate = 0;
  for (auto n = number - 1; n > 0 && gate == 0; --n) {
    auto status = state_.at(n).status;
    bool decided = status == StepStatus::done || status == StepStatus::passed;
    bool left = status == StepStatus::skipped && state_.at(n).gone_past;
    if (script_.at(n).step->verb == "gate" && (decided || left)) gate = n;
  }
  if (gate == 0) return true;
  if (state_.at(gate).status == StepStatus::passed) {
    LB_TRY(finish(number, {false,
                           cat("the decision of step ", gate, " was: ", state_.at(gate).text),
                           Json::object(),
                           {}}));
    return false;
  }
  plan::View asked(script_.at(gate).step->what, no_files);
  auto holds = asked.duration("expires").value_or(std::chrono::hours(1));
  std::string why;
  if (state_.at(gate).status == StepStatus::skipped)
    why = cat("nobody decided in step ", gate, ", which a failure has led past");
  // A step that failed half way goes on under the decision that began it.
  bool begun = state_.at(number).attempt > 0;
  if (why.empty() && !begun && tools_.world.clock.now() > state_.at(gate).ended + holds)
    why = cat("the decision of step ", gate, " is older than ", human_duration(holds));
  if (why.empty() && !begun && tools_.world.clock.now() + clocks_differ_max < state_.at(gate).ended)
    why = cat("the clock was set back since the decision of step ", gate);
  if (why.empty()) {
    auto act = act_of(gate);
    auto now = tools_.acts.show(act);
    bool same = now.ok() && shown_of(*now).hash == state_.at(gate).result["hash"].string();
    if (!same) why = cat("what was decided on in step ", gate, " has changed since");
  }
  if (why.empty()) return true;
  tools_.console.warn(cat(why, ": it is asked anew"));
  RunEvent event;
  event.kind = RunEventKind::noted;
  event.step = gate;
  event.text = why;
  event.data = Json::object().set("again", true);
  LB_TRY(append(std::move(event)));
  return false;
}

Result<bool> Driver::ask(std::size_t number, Need need, Json data) {
  RunEvent event;
  event.kind = RunEventKind::asks;
  event.step = number;
  event.text = title_of(*script_.at(number).step);
  event.data = std::move(data);
  event.data.set("need", name_of(need));
  LB_TRY(append(std::move(event)));
  return true;
}

Result<bool> Driver::ask_of_step(std::size_t number) {
  const auto& step = *script_.at(number).step;
  if (!options_.attended) return hold(number);
  if (step.verb == "gate") return ask_decision(number);
  auto text = title_of(step);
  auto act = act_of(number);
  auto shown = act.expand(text);
  auto data = Json::object().set("text", shown.ok() ? *shown : text);
  if (step.verb == "ask") {
    data.set("questions", to_json(step.what));
    return ask(number, Need::answers, std::move(data));
  }
  if (step.verb == "checklist") return ask(number, Need::ticks, std::move(data));
  return ask(number, Need::deed, std::move(data));
}

// Each decider gets a link of their own; what is kept of it proves the link, and does not give it.
Result<bool> Driver::ask_decision(std::size_t number) {
  auto act = act_of(number);
  auto what = tools_.acts.show(act);
  if (!what.ok()) {
    LB_TRY(finish(number, {false, what.error().text(), Json::object(), {}}));
    return true;
  }
  auto shown = shown_of(std::move(what).take());
  plan::View asked(script_.at(number).step->what, no_files);
  auto holds = asked.duration("expires").value_or(std::chrono::hours(1));
  Json links = Json::object();
  std::vector<std::pair<std::string, std::string>> tokens;
  for (const auto& person : deciders_of(plan_, *script_.at(number).step)) {
    auto token = to_hex(tools_.world.random.bytes(24));
    links.set(person, link_mark(token));
    tokens.emplace_back(person, token);
  }
  LB_TRY(ask(number, Need::decision,
             Json::object()
                 .set("shown", shown.what)
                 .set("hash", shown.hash)
                 .set("expires", format_time(tools_.world.clock.now() + holds))
                 .set("links", std::move(links))));
  for (const auto& [person, token] : tokens) {
    auto told = tools_.acts.invite(act, person, token, shown.what);
    if (!told.ok()) tools_.console.warn(cat("could not reach ", person, ": ", told.error().text()));
  }
  inform(number, raci_of(plan_, *script_.at(number).step, 'C'),
         "your view is wanted before a decision: lifeboat step note -m TEXT");
  return true;
}

// A drill that nobody attends goes past what only people do, and says so.
Result<bool> Driver::hold(std::size_t number) {
  const auto& step = *script_.at(number).step;
  RunEvent event;
  event.kind = RunEventKind::ended;
  event.step = number;
  event.text = "held: a person's step, not exercised by this drill";
  event.data = Json::object().set("result", "skipped").set("held", true);
  if (step.verb == "ask") {
    Json set = Json::object();
    for (const auto& question : step.what.entries) {
      auto known = options_.answers.find(question.key.text);
      set.set(question.key.text,
              known != options_.answers.end()
                  ? known->second
                  : default_answer(question.value.text, tools_.world.clock.now()));
    }
    event.text = "answered by the drill";
    event.data = Json::object().set("result", "done").set("set", std::move(set));
  }
  LB_TRY(append(std::move(event)));
  return true;
}

// While a step waits for people: what they said may be enough by now, or came too late.
Result<bool> Driver::answered(std::size_t number, std::stop_token stop) {
  const auto& own = script_.at(number);
  const auto& step = state_.at(number);
  auto now = tools_.world.clock.now();
  if (step.need == Need::condition && step.condition) return begin(number, stop);
  if (step.need == Need::review && step.reviewed) return begin(number, stop);
  if (step.need == Need::confirmation && !step.confirmed.empty()) return begin(number, stop);
  bool wants_skip = !step.skip_by.empty() && step.need != Need::skip_approval;
  if (wants_skip) {
    return ask(number, Need::skip_approval,
               Json::object().set("by", step.skip_by).set("reason", step.skip_reason));
  }
  if (step.need == Need::ticks) {
    bool all = std::all_of(own.step->what.items.begin(), own.step->what.items.end(),
                           [&](const auto& each) {
                             const auto* text = each.find("item");
                             return step.ticks.contains(text != nullptr ? text->text : each.text);
                           });
    if (all) {
      LB_TRY(finish(number, {true, "all items are ticked or left out", Json::object(), {}}));
      return true;
    }
  }
  bool decides = step.need == Need::decision;
  bool may_end = decides || step.need == Need::deed || step.need == Need::ticks ||
                 step.need == Need::answers || step.need == Need::witness;
  auto since = decides ? step.first_asked : step.asked;
  if (may_end && own.step->limit && spent_since(number, since) > *own.step->limit) {
    auto what = decides ? "nobody decided within " : "nobody did it within ";
    LB_TRY(
        finish(number, {false, cat(what, human_duration(*own.step->limit)), Json::object(), {}}));
    return true;
  }
  auto until = parse_time(step.asks["expires"].string());
  bool over = (until.ok() && now > *until) || asked_in_times_to_come(step, now);
  if (decides && over) return ask_decision(number);
  return false;
}

// The intent is written, and who wrote it is gone: it happened, or it did not.
Result<bool> Driver::recover(std::size_t number, std::stop_token stop) {
  const auto& own = script_.at(number);
  if (own.is_group()) return end_group(number);
  if (may_be_at_work_elsewhere(number)) return false;
  auto act = act_of(number);
  const auto late = late_around(number);
  if (late != 0 && tools_.acts.repeats_safely(act)) {
    tools_.acts.end_left_running(act);
    LB_TRY(give_up(number, late, "it had been interrupted"));
    return true;
  }
  if (tools_.acts.repeats_safely(act)) {
    tools_.console.note(cat("step ", number, " goes on: ", title_of(*own.step)));
    launch(number, false, state_.at(number).began);
    return true;
  }
  auto happened = tools_.acts.happened(act, stop);
  if (stop.stop_requested()) return false;
  auto began = format_time_seconds(state_.at(number).began);
  if (happened.ok() && happened->happened) {
    if (*happened->happened) {
      LB_TRY(
          finish(number, {true, cat("it had happened before the interruption (began ", began, ")"),
                          Json::object().set("probed", true), std::move(happened->set)}));
    } else if (late != 0) {
      LB_TRY(give_up(number, late, "it had been interrupted, and had not happened"));
    } else {
      tools_.console.note(cat("step ", number, " had not happened: it is done now"));
      RunEvent event;
      event.kind = RunEventKind::began;
      event.step = number;
      event.attempt = state_.at(number).attempt + 1;
      event.text = title_of(*own.step);
      event.data = Json::object().set("probed", false);
      if (!act.pinned.empty()) event.data.set("pinned", as_json(act.pinned));
      LB_TRY(append(std::move(event)));
      launch(number, false, state_.at(number).began);
    }
    return true;
  }
  auto data = Json::object().set("text", title_of(*own.step)).set("began", began);
  if (!happened.ok()) data.set("probe", happened.error().text());
  return ask(number, Need::outcome, std::move(data));
}

}  // namespace lb::runbook
