// incident watch: carries the escalation on, in the foreground, until it is stopped.
#include <set>
#include <thread>

#include "app/cli/incident_desk.h"
#include "app/cli/incident_verbs.h"
#include "app/cli/task_desk.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

using notify::EscalationPlan;

constexpr Micros near_interval = Seconds(1), far_interval = Seconds(5), last_wait = Seconds(10);
constexpr Micros tasks_interval = Seconds(60), around_interval = Seconds(300);

class Watch {
 public:
  Watch(const Shell& shell, IncidentDesk& desk, incident::Carrier carrier, std::string only)
      : shell_(shell), desk_(desk), carrier_(std::move(carrier)), only_(std::move(only)) {}

  // One look at every incident that is not closed. False: nothing is left to watch.
  Result<bool> look(bool far) {
    std::vector<std::string> ids = {only_};
    if (only_.empty()) ids = LB_TRY(desk_.log->members(far));
    bool over = true;
    for (const auto& id : ids) {
      if (closed_.contains(id)) continue;
      const bool goes_on = look_at(id, far);
      over = over && !goes_on;
    }
    return only_.empty() || !over;
  }

 private:
  // What cannot be read now keeps nobody from watching the others.
  bool look_at(const std::string& id, bool far) {
    auto turn = carrier_.turn(id, far);
    if (!turn.ok()) {
      say(id, cat("incident ", id, ": ", turn.error().text()), true);
      return true;
    }
    const auto facts = desk_.log->facts(id, false);
    if (!facts.ok()) return true;
    const auto state = incident::fold(desk_.plan(), id, *facts);
    if (!state.ok()) return true;
    if (state->closed) closed_.insert(id);
    const auto now = shell_.world.clock.now();
    const bool over = turn->next.plan.act == EscalationPlan::Act::over && turn->next.level;
    const bool silent = turn->next.plan.act == EscalationPlan::Act::silent;
    if (!turn->told.empty())
      shell_.console.note(
          cat(state->severity, " ", printable(state->title), ": told ", join(turn->told, ", ")));
    if (state->closed && !known_.contains(id)) return false;  // of old
    known_.insert(id);
    const auto standing = over ? standing_of(*state) : stand_text(*turn, now);
    say(id, cat(state->severity, " ", printable(state->title), ": ", standing), silent);
    return !over && !state->closed;
  }

  std::string stand_text(const incident::Turn& turn, Timestamp now) const {
    if (turn.elsewhere) return cat(join(turn.next.plan.to, ", "), " is told by another machine");
    if (turn.next.level == nullptr || turn.next.plan.due <= now) return text_of(turn.next, now);
    auto then = turn.next.plan;
    // Without "in 5 min", which changes each second.
    return then.act == EscalationPlan::Act::tell
               ? cat(join(then.to, ", "), " is told at ", format_time_seconds(then.due),
                     " unless somebody answers")
               : cat("everybody was told; they have until ", format_time_seconds(then.due));
  }

  void say(const std::string& id, const std::string& line, bool warn) {
    auto& last = said_[id];
    if (last == line) return;
    last = line;
    warn ? shell_.console.warn(line) : shell_.console.note(line);
  }

  const Shell& shell_;
  IncidentDesk& desk_;
  incident::Carrier carrier_;
  const std::string only_;
  std::set<std::string> closed_, known_;
  std::map<std::string, std::string> said_;
};

// Tasks and reviews whose date has passed. What cannot be read now is looked at again.
void look_at_tasks(const Shell& shell, IncidentDesk& desk) {
  auto looked = [&]() -> Status {
    auto log = tasks_of(*desk.session);
    std::vector<std::string> unreadable;
    auto tasks = LB_TRY(all_tasks(desk.plan(), log, unreadable));
    add_scheduled(shell, desk.plan(), log, tasks);
    for (const auto& line : unreadable) shell.console.warn(line);
    return post_overdue(shell, *desk.session, *desk.postman, log, tasks);
  }();
  if (!looked.ok())
    shell.console.warn(cat("not everybody was told of what is overdue: ", looked.error().text()));
}

// Slow channels must not hold up who is told next.
void deliver(const Shell& shell, IncidentDesk& desk, std::stop_token stop) {
  while (!stop.stop_requested()) {
    auto carried = desk.postman->deliver_due(stop);
    if (!carried.ok()) {
      shell.console.warn(carried.error().text());
    } else if (carried->undelivered > 0) {
      shell.console.warn(cat(carried->undelivered,
                             " messages could not be delivered; lifeboat message ls says which"));
    }
    (void)shell.world.clock.sleep(near_interval, stop);
  }
}

// Without `tasks` they are nobody's matter here.
Status watch_until_over(const Shell& shell, Watch& watch, IncidentDesk* tasks) {
  Micros looked_far{0}, looked_at_tasks{0};
  for (bool first = true, goes_on = true; goes_on; first = false) {
    const auto now = shell.world.clock.steady();
    const bool far = first || now - looked_far >= far_interval;
    if (far) looked_far = now;
    if (tasks != nullptr && (first || now - looked_at_tasks >= tasks_interval)) {
      looked_at_tasks = now;
      look_at_tasks(shell, *tasks);
    }
    goes_on = LB_TRY(watch.look(far));
    if (goes_on && !shell.world.clock.sleep(near_interval, shell.stop)) {
      return Error(ErrorKind::cancelled, "stopped watching")
          .with_left("open incidents, which nobody escalates from here any more");
    }
  }
  return {};
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  return watch_people(shell, args, "incident watch", nullptr);
}

}  // namespace

Result<ExitCode> watch_people(const Shell& shell, const Args& args, const char* verb,
                              const LookAround& look_around) {
  auto desk = LB_TRY(open_incident_desk(shell, args));
  std::string only;
  if (!args.positionals.empty())
    only = LB_TRY(pick_incident(shell, desk.plan(), *desk.log, args.positionals[0], Among::all))
               .state.id;
  auto carrier = carrier_for(shell, *desk.session, desk.plan(), *desk.postman, *desk.log);
  Watch watch(shell, desk, std::move(carrier), only);
  if (args.has("once")) {
    LB_TRY(watch.look(true));
    if (only.empty()) look_at_tasks(shell, desk);
    if (look_around) look_around();
  } else {
    std::jthread post([&](std::stop_token stop) { deliver(shell, desk, stop); });
    // Servers and copies that do not answer must not hold it up either.
    std::jthread around([&](std::stop_token stop) {
      while (look_around && !stop.stop_requested()) {
        look_around();
        (void)shell.world.clock.sleep(around_interval, stop);
      }
    });
    LB_TRY(watch_until_over(shell, watch, only.empty() ? &desk : nullptr));
  }
  auto carried = LB_TRY(desk.postman->drain(last_wait, shell.stop));
  const auto waiting = LB_TRY(desk.outbox->waiting());
  shell.console.event("lifeboat.summary/1",
                      Json::object()
                          .set("verb", verb)
                          .set("ok", true)
                          .set("exit", 0)
                          .set("undelivered", std::uint64_t{carried.undelivered})
                          .set("waiting", std::uint64_t{waiting}));
  return ExitCode::ok;
}

Verb incident_watch_verb() {
  return {{"incident watch",
           "Tells people, one after the other, until somebody acknowledges; and of reviews and "
           "tasks that "
           "are overdue. Several may run at once.",
           {"lifeboat incident watch                # all incidents, until it is stopped",
            "lifeboat incident watch 9k2m4x7q       # one, until it is acknowledged",
            "lifeboat incident watch --once         # what is due now, for cron"},
           "incident watch [ID] [--once]",
           {{"once", 0, "", "does what is due now and ends", false}},
           1},
          run};
}

std::vector<Verb> incident_verbs() {
  auto out = incident_saying_verbs();
  for (auto& verb : incident_showing_verbs()) out.push_back(std::move(verb));
  out.push_back(incident_watch_verb());
  return out;
}

}  // namespace lb::cli
