#include "app/cli/incident_desk.h"

#include "app/cli/run_desk.h"
#include "foundation/base/text.h"
#include "operations/runbook/actor.h"

namespace lb::cli {

using incident::IncidentState;
using incident::Next;
using notify::EscalationPlan;
using record::Fact;

namespace {

Error none_fits(const std::string& named, Among among) {
  if (named.empty()) {
    return Error(ErrorKind::not_found,
                 among == Among::open ? "no incident is open" : "there was no incident yet")
        .with_hint("lifeboat incident open P0 \"what fails\" opens one");
  }
  return Error(ErrorKind::not_found, cat("there is no incident '", printable(named), "'"))
      .with_hint("lifeboat incident ls lists them");
}

Json texts(const std::vector<std::string>& from) {
  Json out = Json::array();
  for (const auto& one : from) out.push(one);
  return out;
}

Json json_of(const Next& next) {
  if (next.level == nullptr) return Json();
  static constexpr const char* names[] = {"tell", "wait", "silent", "over"};
  Json out = Json::object().set("state", names[static_cast<std::size_t>(next.plan.act)]);
  if (next.plan.act == EscalationPlan::Act::tell)
    out.set("to", texts(next.plan.to)).set("step", next.plan.step);
  if (next.plan.act != EscalationPlan::Act::over) out.set("due", format_time(next.plan.due));
  return out;
}

Json json_of(const std::optional<incident::Said>& said) {
  if (!said) return Json();
  return Json::object().set("at", format_time(said->at)).set("by", said->by);
}

}  // namespace

Result<IncidentDesk> open_incident_desk(const Shell& shell, const Args& args) {
  IncidentDesk out;
  out.signer = LB_TRY(signer_of(shell, args));
  // Only a plan that cannot be read stops it; what is wrong with it is said once.
  LB_TRY(load_plan(shell, args));
  auto opened = Session::open(shell, args);
  if (opened.ok()) {
    out.session = std::move(opened).take();
  } else {
    out.session = LB_TRY(session_without_repository(shell, args));
    shell.console.warn(cat("going on without the repository: ", opened.error().text()));
  }
  auto& session = *out.session;
  out.log =
      std::make_unique<state::FactLog>(*session.journal, session.repository.get(), "incident");
  const auto path = path_join(session.state_folder, "journal.sqlite");
  out.outbox = LB_TRY(state::Outbox::open(shell.world, *session.journal, path));
  out.postman = std::make_unique<notify::Postman>(
      shell.world, session.plan.plan, *session.references, *session.journal, *out.outbox);
  return out;
}

Result<PickedIncident> pick_incident(const Shell& shell, const plan::Plan& plan,
                                     state::FactLog& log, const std::string& named, Among among) {
  std::vector<PickedIncident> fitting;
  const auto members = LB_TRY(log.members(true));
  for (const auto& id : members) {
    if (!named.empty() && !id.starts_with(named) && !id.ends_with(named)) continue;
    PickedIncident one;
    one.facts = LB_TRY(log.facts(id, true));
    auto state = incident::fold(plan, id, one.facts);
    // One that another machine is about to open; named, it is said.
    if (!state.ok() && named.empty()) continue;
    one.state = LB_TRY(std::move(state));
    if (named.empty() && among == Among::open && one.state.closed) continue;
    fitting.push_back(std::move(one));
  }
  if (fitting.empty()) return none_fits(named, among);
  if (named.empty() && among == Among::all) fitting = {std::move(fitting.back())};
  if (fitting.size() == 1) {
    for (const auto& line : fitting.front().state.unproven)
      shell.console.warn(cat("incident ", fitting.front().state.id, ": ", line));
    return std::move(fitting.front());
  }
  std::vector<std::string> shown;
  for (const auto& one : fitting) shown.push_back(cat(one.state.id, " (", one.state.title, ")"));
  return Error(ErrorKind::invalid, cat(fitting.size(), " incidents fit: say which"))
      .with_hint(join(shown, ", "));
}

Status still_open(const IncidentState& state) {
  if (!state.closed) return {};
  return Error(ErrorKind::invalid,
               cat("incident ", state.id, " was closed at ", format_time_seconds(state.closed->at),
                   " by ", state.closed->by))
      .with_hint("lifeboat incident open begins another one");
}

Status say(const Shell& shell, const plan::Plan& plan, state::FactLog& log, PickedIncident& picked,
           Fact fact, const Signer* signer) {
  fact.order = record::next_order(picked.facts);
  fact.at = shell.world.clock.now();
  // Signed with its id: said once, it cannot be said again in another place.
  fact.id = log.fresh_id();
  LB_TRY(say_who(shell, plan, signer, "incident", picked.state.id, fact));
  LB_TRY(log.put(picked.state.id, fact));
  if (!log.behind().empty()) {
    shell.console.warn(cat("said on this machine only for now: ", log.behind(),
                           "; the next lifeboat incident show or watch here sends it"));
  }
  picked.facts.push_back(std::move(fact));
  picked.state = LB_TRY(incident::fold(plan, picked.state.id, picked.facts));
  return {};
}

incident::Carrier carrier_for(const Shell& shell, const Session& session, const plan::Plan& plan,
                              notify::Postman& postman, state::FactLog& log) {
  incident::Carrier out(
      {shell.world, plan, postman, log, shell.host, cat(shell.host, ":", session.state_folder)});
  if (!out.zone_trouble().empty()) shell.console.warn(out.zone_trouble());
  return out;
}

Next next_for(const Shell& shell, const plan::Plan& plan, const IncidentState& state) {
  std::string trouble;
  const auto work = notify::work_times(shell.world.files, plan.hours, trouble);
  if (!trouble.empty()) shell.console.warn(trouble);
  return incident::next_of(plan, state, shell.world.clock.now(), work);
}

std::string text_of(const Next& next, Timestamp now) {
  if (next.level == nullptr)
    return "nobody is told: escalation: of the plan says nothing of this severity";
  const auto when = [&] {
    if (next.plan.due <= now) return std::string("now");
    return cat(format_time_seconds(next.plan.due), ", in ",
               human_duration(std::chrono::ceil<Seconds>(next.plan.due - now)));
  };
  switch (next.plan.act) {
    case EscalationPlan::Act::tell:
      return cat(join(next.plan.to, ", "), " is told next: ", when());
    case EscalationPlan::Act::wait:
      return cat("everybody was told; they have until ", when());
    case EscalationPlan::Act::silent:
      return "everybody was told as often as the plan says, and nobody answered";
    case EscalationPlan::Act::over:
      break;
  }
  return "nobody else is told";
}

std::string standing_of(const IncidentState& state) {
  if (state.closed) return "closed";
  return state.acknowledged ? "acknowledged" : "open";
}

Json json_of(const plan::Plan& plan, const PickedIncident& picked, const Next& next,
             Timestamp now) {
  const auto& state = picked.state;
  Json out =
      Json::object()
          .set("incident", state.id)
          .set("state", standing_of(state))
          .set("severity", state.severity)
          .set("title", state.title)
          .set("symptoms", texts(state.symptoms))
          .set("affected", state.affected)
          .set("opened",
               Json::object().set("at", format_time(state.opened)).set("by", state.opened_by))
          .set("failed_at", state.failed_at ? Json(format_time(*state.failed_at)) : Json())
          .set("acknowledged", json_of(state.acknowledged))
          .set("closed", json_of(state.closed))
          .set("reason", state.close_reason)
          .set("assigned_to", state.assigned_to)
          .set("told", texts(state.told))
          .set("unproven", texts(state.unproven))
          .set("next", json_of(next))
          .set("lasted_us", incident::lasted(state, now).count());
  if (auto countdown = incident::countdown_of(plan, state, now)) {
    out.set("rto", Json::object()
                       .set("of", countdown->of)
                       .set("target_us", countdown->target.count())
                       .set("left_us", countdown->left.count()));
  }
  Json runs = Json::array(), fitting = Json::array();
  for (const auto& run : state.runs)
    runs.push(Json::object().set("run", run.run).set("runbook", run.runbook));
  for (const auto& one : incident::suggest(plan, state.symptoms))
    fitting.push(Json::object().set("runbook", one.runbook).set("words", texts(one.words)));
  return out.set("runs", std::move(runs)).set("fitting", std::move(fitting));
}

}  // namespace lb::cli
