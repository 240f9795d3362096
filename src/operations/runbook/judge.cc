#include "operations/runbook/judge.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"

namespace lb::runbook {

using record::RunEvent;
using record::RunEventKind;
using record::RunInput;
using record::RunInputKind;

namespace {

// Critical ones cannot be left out by one person alone.
bool is_critical(const plan::Step& checklist, const std::string& item) {
  for (const auto& each : checklist.what.items) {
    const auto* text = each.find("item");
    const auto* critical = each.find("critical");
    if (text == nullptr || text->text != item) continue;
    return critical != nullptr && critical->boolean().value_or(false);
  }
  return false;
}

bool has_item(const plan::Step& checklist, const std::string& item) {
  return std::any_of(checklist.what.items.begin(), checklist.what.items.end(),
                     [&](const auto& each) {
                       const auto* text = each.find("item");
                       return (text != nullptr ? text->text : each.text) == item;
                     });
}

Status check_answer(const std::string& name, const std::string& kind, const Json& value) {
  if (!value.is_string()) return Error(ErrorKind::invalid, cat(name, " has no answer"));
  const auto text = value.string();
  if (kind == "time") {
    auto time = parse_time(text);
    if (!time.ok()) return time.status().context(name);
  }
  if (kind == "number") {
    auto number = parse_double(text);
    if (!number.ok()) return number.status().context(name);
  }
  if (kind == "boolean" && text != "true" && text != "false")
    return Error(ErrorKind::invalid, cat(name, ": true or false"));
  if (trim(text).empty()) return Error(ErrorKind::invalid, cat(name, " is empty"));
  return {};
}

class Judge {
 public:
  Judge(const plan::Plan& plan, const Script& script, const RunState& state, const RunInput& input,
        const Shown& shown, Timestamp now)
      : plan_(plan), script_(script), state_(state), input_(input), shown_(shown), now_(now) {}

  Judgement decide() {
    auto actor = actor_of(plan_, state_, input_);
    if (!actor.ok()) return refuse(actor.error().text());
    actor_ = std::move(actor).take();
    if (state_.closed) return refuse("the run has ended");
    if (input_.kind == RunInputKind::note) return note();
    if (input_.kind == RunInputKind::abort) return abort();
    if (input_.step == 0) return refuse("nothing in the run waits for that now");
    if (input_.step > script_.steps.size())
      return refuse(cat("the run has ", script_.steps.size(), " steps"));
    if (input_.kind == RunInputKind::undo) return undo();
    if (input_.kind == RunInputKind::skip) return skip();
    if (at().status == StepStatus::failed) return way_on();
    if (at().status != StepStatus::asks)
      return refuse(
          cat("step ", input_.step, " does not wait for people, it is ", name_of(at().status)));
    if (expired()) return refuse(cat("the time for it ended at ", at().asks["expires"].string()));
    if (asked_in_times_to_come(at(), now_))
      return refuse(cat("the clock was set back since it was asked at ", format_time(at().asked)));
    return of_need();
  }

 private:
  const StepState& at() const { return state_.at(input_.step); }
  const plan::Step& step() const { return *script_.at(input_.step).step; }
  bool says(RunInputKind kind) const { return input_.kind == kind; }

  bool expired() const {
    auto until = parse_time(at().asks["expires"].string());
    return until.ok() && now_ > *until;
  }

  RunEvent event(RunEventKind kind) const {
    RunEvent out;
    out.kind = kind;
    out.step = input_.step;
    out.by = actor_.user.empty() ? input_.user : actor_.text();
    out.data = Json::object().set("input", input_.id);
    if (!actor_.proof.empty()) out.data.set("proof", actor_.proof);
    return out;
  }

  Judgement refuse(const std::string& why) const {
    Judgement out;
    out.event = event(RunEventKind::refused);
    if (input_.step > script_.steps.size()) out.event.step = 0;
    out.event.text = cat(record::name_of(input_.kind), " by ", input_.user, ": ", why);
    return out;
  }

  Judgement ended(const std::string& result, const std::string& text) const {
    Judgement out;
    out.event = event(RunEventKind::ended);
    out.event.text = text;
    out.event.data.set("result", result);
    return out;
  }

  Judgement noted(const char* name, Json value, const std::string& text) const {
    Judgement out;
    out.event = event(RunEventKind::noted);
    out.event.text = text;
    out.event.data.set(name, std::move(value));
    return out;
  }

  std::string said(const std::string& otherwise) const {
    return input_.text.empty() ? otherwise : input_.text;
  }

  Judgement note() const {
    if (trim(input_.text).empty()) return refuse("the note is empty");
    return noted("note", true, input_.text);
  }

  Judgement abort() const {
    if (trim(input_.text).empty()) return refuse("ending a run needs a reason");
    return noted("abort", true, input_.text);
  }

  // Only who is named, when the plan says how they are recognised.
  std::string not_its_turn() const {
    const auto& by = step().by;
    if (by.empty() || !can_be_recognised(plan_, by) || actor_.is(by)) return "";
    return cat("step ", input_.step, " is done by ", by, ", and ", input_.user,
               " is not known as that");
  }

  Judgement of_need() {
    auto wrong = not_its_turn();
    auto need = at().need;
    bool decides = need == Need::decision || need == Need::skip_approval;
    if (!wrong.empty() && !decides) return refuse(wrong);
    switch (need) {
      case Need::condition:
        return condition();
      case Need::review:
        if (!says(RunInputKind::done) && !says(RunInputKind::approve)) return other();
        return noted("reviewed", true, said("read and found right"));
      case Need::answers:
        return answers();
      case Need::decision:
        return decision();
      case Need::confirmation:
        return confirmation();
      case Need::ticks:
        return tick();
      case Need::deed:
      case Need::witness:
        return says(RunInputKind::done) ? ended("done", said("done")) : other();
      case Need::outcome:
      case Need::way_on:
        return way_on();
      case Need::skip_approval:
        return approve_skip();
    }
    return other();
  }

  Judgement other() const {
    return refuse(cat("step ", input_.step, " waits for something else: ", name_of(at().need)));
  }

  Judgement condition() const {
    if (!says(RunInputKind::answer) || !input_.data["holds"].is_bool()) return other();
    bool holds = input_.data["holds"].boolean();
    return noted("condition", holds, cat(step().when, ": ", holds ? "yes" : "no"));
  }

  Judgement answers() const {
    if (!says(RunInputKind::answer)) return other();
    Json set = Json::object();
    for (const auto& question : step().what.entries) {
      const auto& value = input_.data["values"][question.key.text];
      auto right = check_answer(question.key.text, question.value.text, value);
      if (!right.ok()) return refuse(right.error().text());
      set.set(question.key.text, value);
    }
    for (const auto& [name, value] : input_.data["values"].members()) {
      if (step().what.find(name) == nullptr)
        return refuse(cat("nobody asked for ", printable(name)));
    }
    auto out = ended("done", "answered");
    out.event.data.set("set", std::move(set));
    return out;
  }

  Judgement tick() const {
    if (!says(RunInputKind::tick)) return other();
    auto item = input_.data["item"].string();
    bool ticked = input_.data["ticked"].boolean(true);
    if (!has_item(step(), item)) return refuse(cat("the list has no '", printable(item), "'"));
    if (!ticked && trim(input_.text).empty()) return refuse("leaving out an item needs a reason");
    if (!ticked && is_critical(step(), item))
      return refuse(
          cat("'", item, "' is critical: leave out the step instead, which needs an approver"));
    auto out = noted("item", item, ticked ? said("") : input_.text);
    out.event.data.set("ticked", ticked);
    return out;
  }

  Judgement confirmation() const {
    if (!says(RunInputKind::confirm)) return other();
    if (at().asks["hash"].string() != shown_.hash) return changed();
    if (input_.data["word"].string() != at().asks["word"].string())
      return refuse(cat("the name typed is not ", at().asks["word"].string()));
    return noted("confirmed", shown_.hash, "confirmed by its name");
  }

  // What was shown is no longer so: it is asked anew, and nothing said before counts.
  Judgement changed() const {
    auto out = refuse("what was shown has changed since; it is shown anew");
    out.follow = Judgement::Follow::ask_again;
    return out;
  }

  std::string may_not_decide(const std::set<std::string>& deciders, bool guards) const {
    bool is_one = std::any_of(deciders.begin(), deciders.end(),
                              [&](const auto& role) { return actor_.is(role); });
    bool emergency = input_.data["break_glass"].boolean();
    if (!is_one && !emergency)
      return cat("the decision is with ",
                 join(std::vector<std::string>(deciders.begin(), deciders.end()), ", "), ", and ",
                 input_.user, " is not known as that");
    if (emergency && !is_one && trim(input_.text).empty())
      return "breaking the glass needs a reason";
    if (guards && is_requester())
      return "who asked for a run does not approve what it destroys, not even in an emergency";
    if (actor_.roles.empty())
      return cat(input_.user,
                 " is nobody the plan knows: even in an emergency somebody of people: approves");
    return "";
  }

  // Also who holds the key or the link of somebody that the requester is known as: a second pair of
  // eyes must be a second person.
  bool is_requester() const { return stands_for(state_.requester); }

  bool stands_for(const std::string& shown) const {
    if (same_person(shown)) return true;
    if (actor_.proof == "system user") return false;
    auto known = actor_of(plan_, shown.substr(0, shown.find(' ')), state_.host);
    return std::any_of(actor_.roles.begin(), actor_.roles.end(), [&](const auto& role) {
      const auto* person = plan_.person(role);
      return known.is(role) && person != nullptr && person->members.empty();
    });
  }

  // "ada (lead)" and "ada" are one.
  bool same_person(const std::string& shown) const {
    return shown.substr(0, shown.find(' ')) == input_.user;
  }

  // What somebody signed counts for the question it was the answer to: written down again by
  // somebody else it would count for a later one, of which the same is shown.
  bool speaks_of_this_question() const {
    const bool is_signed = input_.data["signature"].is_string();
    auto same = [&](const char* name) {
      const auto& said = input_.data[name];
      return said.is_string() ? said.string() == at().asks[name].string() : !is_signed;
    };
    return same("hash") && same("expires");
  }

  Judgement decision() const {
    if (says(RunInputKind::report)) return report();
    if (!says(RunInputKind::approve) && !says(RunInputKind::deny)) return other();
    if (!speaks_of_this_question())
      return refuse("it speaks of something that was shown before; look at what is shown now");
    if (at().asks["hash"].string() != shown_.hash) return changed();
    bool guards = guards_destruction(plan_, script_, state_, input_.step);
    auto wrong = may_not_decide(deciders_of(plan_, step()), guards);
    if (!wrong.empty()) return refuse(wrong);
    bool emergency = input_.data["break_glass"].boolean();
    auto missing = missing_report();
    if (says(RunInputKind::approve) && !missing.empty() && !emergency)
      return refuse(cat(missing, " has to report before: lifeboat step report"));
    if (says(RunInputKind::deny) && trim(input_.text).empty()) return refuse("a no needs a reason");
    auto out = ended(says(RunInputKind::approve) ? "done" : "failed",
                     cat(says(RunInputKind::approve) ? "go" : "no-go",
                         input_.text.empty() ? "" : ": ", input_.text));
    out.event.data.set("hash", shown_.hash).set("shown", shown_.what);
    if (emergency) out.event.data.set("break_glass", true);
    return out;
  }

  Judgement report() const {
    auto reporters = reporters_of(plan_, step());
    for (const auto& role : reporters) {
      if (actor_.is(role)) {
        if (trim(input_.text).empty()) return refuse("the report is empty");
        auto out = noted("report", role, input_.text);
        out.event.data.set("note", true);
        return out;
      }
    }
    return refuse(cat(input_.user, " is not known as one who reports to this decision"));
  }

  std::string missing_report() const {
    for (const auto& role : reporters_of(plan_, step())) {
      const auto& there = at().reports;
      if (!can_be_recognised(plan_, role)) continue;
      if (std::find(there.begin(), there.end(), role) == there.end()) return role;
    }
    return "";
  }

  // After a failure, or a crash whose end nobody knows.
  Judgement way_on() const {
    auto wrong = not_its_turn();
    if (!wrong.empty()) return refuse(wrong);
    bool gate = step().verb == "gate";
    if (gate && says(RunInputKind::done))
      return refuse("a decision is not done by hand: retry asks those who decide once more");
    if (says(RunInputKind::done)) return ended("done", said("done by hand"));
    if (says(RunInputKind::retry)) return noted("again", true, said("once more"));
    return refuse(cat("step ", input_.step, " waits for: done, retry, skip, undo or abort"));
  }

  Judgement skip() const {
    const auto& own = at();
    if (own.finished())
      return refuse(cat("step ", input_.step, " has ended: ", name_of(own.status)));
    if (own.status == StepStatus::running) return refuse(cat("step ", input_.step, " is running"));
    if (own.status == StepStatus::pending)
      return refuse(cat("it is not the turn of step ", input_.step));
    if (trim(input_.text).empty()) return refuse("leaving out a step needs a reason");
    bool gate = step().verb == "gate";
    if (gate) return refuse("a decision cannot be left out: approve or deny");
    if (!step().critical && !has_critical_item()) return ended("skipped", input_.text);
    if (own.need == Need::skip_approval)
      return refuse("leaving it out waits for an approver already");
    auto out = noted("skip", true, cat("wants to leave out a critical step: ", input_.text));
    out.event.data.set("reason", input_.text);
    return out;
  }

  bool has_critical_item() const {
    if (step().verb != "checklist") return false;
    return std::any_of(step().what.items.begin(), step().what.items.end(), [&](const auto& each) {
      const auto* text = each.find("item");
      return text != nullptr && is_critical(step(), text->text) && !at().ticks.contains(text->text);
    });
  }

  Judgement approve_skip() const {
    if (says(RunInputKind::deny)) return noted("again", true, said("it is not left out"));
    if (!says(RunInputKind::approve)) return other();
    if (actor_.roles.empty())
      return refuse(cat(input_.user, " is nobody the plan knows under people:"));
    if (stands_for(at().skip_by)) return refuse("who wants to leave it out does not approve that");
    auto out = ended("skipped", at().skip_reason);
    out.event.data.set("asked_by", at().skip_by);
    return out;
  }

  Judgement undo() const {
    const auto& own = at();
    bool tried = own.status == StepStatus::done || own.status == StepStatus::failed ||
                 own.status == StepStatus::passed;
    bool unknown =
        own.status == StepStatus::asks && (own.need == Need::outcome || own.need == Need::way_on);
    if (!tried && !unknown)
      return refuse(cat("step ", input_.step, " is ", name_of(own.status),
                        ": there is nothing to take back"));
    bool engine = step().verb == "restore" || step().verb == "switch";
    if (step().undo.empty() && !engine)
      return refuse(cat("step ", input_.step, " has no undo: in the plan"));
    auto wrong = not_its_turn();
    if (!wrong.empty()) return refuse(wrong);
    Judgement out;
    out.event = event(RunEventKind::undo_began);
    out.event.text = said("taken back");
    out.follow = Judgement::Follow::undo;
    return out;
  }

  const plan::Plan& plan_;
  const Script& script_;
  const RunState& state_;
  const RunInput& input_;
  const Shown& shown_;
  const Timestamp now_;
  Actor actor_;
};

bool waits_for(const StepState& step, RunInputKind kind) {
  bool stuck = step.status == StepStatus::failed ||
               (step.status == StepStatus::asks &&
                (step.need == Need::outcome || step.need == Need::way_on));
  if (kind == RunInputKind::retry) return stuck;
  if (kind == RunInputKind::skip) return stuck || step.status == StepStatus::asks;
  if (step.status != StepStatus::asks) return stuck && kind == RunInputKind::done;
  switch (kind) {
    case RunInputKind::answer:
      return step.need == Need::answers || step.need == Need::condition;
    case RunInputKind::tick:
      return step.need == Need::ticks;
    case RunInputKind::confirm:
      return step.need == Need::confirmation;
    case RunInputKind::approve:
    case RunInputKind::deny:
      return step.need == Need::decision || step.need == Need::skip_approval ||
             step.need == Need::review;
    case RunInputKind::report:
      return step.need == Need::decision;
    case RunInputKind::done:
      return step.need == Need::deed || step.need == Need::witness || step.need == Need::review ||
             step.need == Need::outcome || step.need == Need::way_on;
    default:
      return false;
  }
}

}  // namespace

Shown shown_of(Json what) {
  Shown out;
  const auto* facts = what.find("facts");
  out.hash = to_hex(sha256(view_of(facts != nullptr ? facts->dump() : what.dump())));
  out.what = std::move(what);
  return out;
}

bool asked_in_times_to_come(const StepState& step, Timestamp now) {
  return step.need == Need::decision && now + clocks_differ_max < step.asked;
}

Judgement judge(const plan::Plan& plan, const Script& script, const RunState& state,
                const RunInput& input, const Shown& now_shown, Timestamp now) {
  return Judge(plan, script, state, input, now_shown, now).decide();
}

std::size_t addressed(const Script& script, const RunState& state, const RunInput& input) {
  if (input.step != 0) return input.step;
  for (auto number : frontier(script, state)) {
    if (waits_for(state.at(number), input.kind)) return number;
  }
  if (input.kind != RunInputKind::undo) return 0;
  for (auto number = script.steps.size(); number > 0; --number) {
    if (state.at(number).status == StepStatus::done && !script.at(number).step->undo.empty())
      return number;
  }
  return 0;
}

}  // namespace lb::runbook
