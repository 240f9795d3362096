// incident open, ack, note, assign, severity, close: what people say of an incident.
#include "app/cli/incident_desk.h"
#include "app/cli/incident_verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

using incident::IncidentState;
using notify::Letter;
using record::Fact;

constexpr Micros send_time = Seconds(10);

// What every verb of saying takes, and `more`.
std::vector<Flag> saying_flags(std::vector<Flag> more = {}) {
  more.push_back({"message", 'm', "TEXT", "note or reason", false});
  for (auto& flag : identity_flags()) more.push_back(std::move(flag));
  return more;
}

Result<PickedIncident> picked_in(const Shell& shell, IncidentDesk& desk, const Args& args,
                                 std::size_t position) {
  const bool named = args.positionals.size() > position;
  return pick_incident(shell, desk.plan(), *desk.log,
                       named ? args.positionals[position] : std::string(), Among::open);
}

Status say_in(const Shell& shell, IncidentDesk& desk, PickedIncident& picked, Fact fact) {
  return say(shell, desk.plan(), *desk.log, picked, std::move(fact),
             desk.signer ? &*desk.signer : nullptr);
}

Fact fact_of(const char* kind, const Args& args) {
  Fact out;
  out.kind = kind;
  out.text = args.get("message");
  out.data = Json::object();
  return out;
}

// Into the outbox, and some seconds for it to go. Who cannot be told keeps nothing from happening.
void post(const Shell& shell, IncidentDesk& desk, Letter letter,
          const std::vector<std::string>& to) {
  if (to.empty()) return;
  auto posted = desk.postman->post(std::move(letter), to);
  if (!posted.ok()) shell.console.warn(posted.error().text());
}

void send(const Shell& shell, IncidentDesk& desk) {
  auto carried = desk.postman->drain(send_time, shell.stop);
  if (!carried.ok()) {
    shell.console.warn(carried.error().text());
    return;
  }
  auto waiting = desk.outbox->waiting();
  if (carried->undelivered > 0 || (waiting.ok() && *waiting > 0)) {
    shell.console.warn(cat(carried->undelivered, " messages could not be delivered, ",
                           waiting.ok() ? *waiting : 0,
                           " wait in the outbox: lifeboat incident watch sends them, "
                           "lifeboat message ls shows them"));
  }
}

Result<ExitCode> finish(const Shell& shell, IncidentDesk& desk, const PickedIncident& picked,
                        const char* verb, const std::string& text) {
  const auto next = next_for(shell, desk.plan(), picked.state);
  if (!shell.console.options().json) shell.console.out(text);
  auto out = json_of(desk.plan(), picked, next, shell.world.clock.now());
  shell.console.event("lifeboat.summary/1", out.set("verb", verb).set("ok", true).set("exit", 0));
  return ExitCode::ok;
}

Result<Json> opening_of(const Shell& shell, const Args& args) {
  if (args.positionals.size() != 2 || !incident::is_severity(args.positionals[0])) {
    return Error(ErrorKind::invalid,
                 "incident open takes a severity, P0 (worst) to P3, and a title")
        .with_hint(
            "lifeboat incident open P0 \"no orders since 02:14\" --symptom \"queries fail\"");
  }
  Json symptoms = Json::array();
  const auto said = args.all("symptom");
  for (const auto& one : said) symptoms.push(one);
  if (said.empty()) symptoms.push(args.positionals[1]);
  auto out = Json::object()
                 .set("severity", args.positionals[0])
                 .set("title", args.positionals[1])
                 .set("symptoms", std::move(symptoms))
                 .set("affected", args.get("affected"));
  if (!args.has("failed-at")) return out;
  const auto failed = LB_TRY(parse_time(args.get("failed-at")).exit_as(ExitCode::usage));
  if (failed > shell.world.clock.now())
    return Error(ErrorKind::invalid, cat("--failed-at ", args.get("failed-at"), " is to come"));
  return out.set("failed_at", format_time(failed));
}

// The first step of the chain, as far as it is due now.
Status escalate_now(const Shell& shell, IncidentDesk& desk, const std::string& id) {
  auto carrier = carrier_for(shell, *desk.session, desk.plan(), *desk.postman, *desk.log);
  auto turn = LB_TRY(carrier.turn(id, true));
  if (!turn.told.empty()) shell.console.note(cat("told ", join(turn.told, ", ")));
  const auto text = text_of(turn.next, shell.world.clock.now());
  if (turn.next.level == nullptr) {
    shell.console.warn(text);
    return {};
  }
  shell.console.note(text);
  if (turn.next.plan.act == notify::EscalationPlan::Act::tell)
    shell.console.note(
        cat("as long as lifeboat incident watch, or a run of it, goes on somewhere"));
  return {};
}

std::string suggested(const plan::Plan& plan, const IncidentState& state) {
  const auto fitting = incident::suggest(plan, state.symptoms);
  if (fitting.empty()) return "no runbook has a symptom like these: lifeboat runbook ls";
  std::string out;
  for (const auto& one : fitting) {
    out += cat(out.empty() ? "" : "\n", "  lifeboat run ", one.runbook, " --incident ", state.id,
               "   # ", join(one.words, ", "), ": \"", one.symptom, "\"");
  }
  return cat("what may help:\n", out);
}

Result<ExitCode> open(const Shell& shell, const Args& args) {
  auto opening = LB_TRY(opening_of(shell, args));
  auto desk = LB_TRY(open_incident_desk(shell, args));
  PickedIncident picked;
  picked.state.id = desk.log->fresh_id();
  auto fact = fact_of(incident::kind::opened, args);
  fact.data = std::move(opening);
  fact.text = args.positionals[1];
  LB_TRY(say_in(shell, desk, picked, std::move(fact)));
  const auto& id = picked.state.id;
  shell.console.note(cat("incident ", id, " is open"));
  auto told = escalate_now(shell, desk, id);
  if (!told.ok()) {
    return std::move(told).take_error().with_left(
        cat("incident ", id, ", open; lifeboat incident watch tells people"));
  }
  send(shell, desk);
  picked = LB_TRY(pick_incident(shell, desk.plan(), *desk.log, id, Among::all));
  return finish(shell, desk, picked, "incident open",
                cat(picked.state.severity, " incident ", id, ": ", printable(picked.state.title),
                    "\n", suggested(desk.plan(), picked.state)));
}

Result<ExitCode> acknowledge(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_incident_desk(shell, args));
  auto picked = LB_TRY(picked_in(shell, desk, args, 0));
  LB_TRY(still_open(picked.state));
  const auto& state = picked.state;
  if (state.acknowledged) {
    const auto before = cat("acknowledged at ", format_time_seconds(state.acknowledged->at), " by ",
                            state.acknowledged->by, " already");
    if (!args.get("message").empty())
      LB_TRY(say_in(shell, desk, picked, fact_of(incident::kind::noted, args)));
    return finish(shell, desk, picked, "incident ack", before);
  }
  LB_TRY(say_in(shell, desk, picked, fact_of(incident::kind::acknowledged, args)));
  post(shell, desk, incident::follow_up(desk.plan(), state, notify::Event::acknowledge),
       state.told);
  send(shell, desk);
  return finish(shell, desk, picked, "incident ack",
                cat("incident ", state.id, " is acknowledged by ", state.acknowledged->by,
                    ": nobody else is told"));
}

Result<ExitCode> note(const Shell& shell, const Args& args) {
  if (trim(args.get("message")).empty())
    return Error(ErrorKind::invalid, "incident note takes the note as -m TEXT");
  auto desk = LB_TRY(open_incident_desk(shell, args));
  auto picked = LB_TRY(picked_in(shell, desk, args, 0));
  LB_TRY(say_in(shell, desk, picked, fact_of(incident::kind::noted, args)));
  return finish(shell, desk, picked, "incident note", cat("noted with incident ", picked.state.id));
}

Status known_person(const plan::Plan& plan, const std::string& name) {
  if (plan.person(name) != nullptr) return {};
  std::vector<std::string> names;
  for (const auto& person : plan.people) names.push_back(person.name);
  const auto near = nearest(name, names);
  return Error(ErrorKind::invalid, cat("people: of the plan has no '", printable(name), "'"))
      .with_hint(near.empty() ? cat("there are ", join(names, ", "))
                              : cat("did you mean ", near, "?"));
}

Result<ExitCode> assign(const Shell& shell, const Args& args) {
  if (args.positionals.empty())
    return Error(ErrorKind::invalid, "incident assign takes a person of the plan");
  auto desk = LB_TRY(open_incident_desk(shell, args));
  const auto& person = args.positionals[0];
  LB_TRY(known_person(desk.plan(), person));
  auto picked = LB_TRY(picked_in(shell, desk, args, 1));
  LB_TRY(still_open(picked.state));
  auto fact = fact_of(incident::kind::assigned, args);
  fact.data.set("to", person);
  LB_TRY(say_in(shell, desk, picked, std::move(fact)));
  auto letter = incident::letter_of(desk.plan(), picked.state, shell.world.clock.now());
  letter.key = cat(letter.about, "/assigned-", picked.facts.back().order, "-", person);
  letter.subject += " (assigned to you)";
  post(shell, desk, std::move(letter), {person});
  send(shell, desk);
  return finish(shell, desk, picked, "incident assign",
                cat("incident ", picked.state.id, " is assigned to ", person));
}

Result<ExitCode> severity(const Shell& shell, const Args& args) {
  if (args.positionals.empty() || !incident::is_severity(args.positionals[0]))
    return Error(ErrorKind::invalid, "incident severity takes P0 (worst), P1, P2 or P3");
  auto desk = LB_TRY(open_incident_desk(shell, args));
  auto picked = LB_TRY(picked_in(shell, desk, args, 1));
  LB_TRY(still_open(picked.state));
  const auto from = picked.state.severity, to = args.positionals[0];
  if (from == to)
    return finish(shell, desk, picked, "incident severity", cat("it is ", to, " already"));
  auto fact = fact_of(incident::kind::severity_changed, args);
  fact.data.set("from", from).set("to", to);
  LB_TRY(say_in(shell, desk, picked, std::move(fact)));
  LB_TRY(escalate_now(shell, desk, picked.state.id));
  send(shell, desk);
  return finish(shell, desk, picked, "incident severity",
                cat("incident ", picked.state.id, " was ", from, " and is ", to));
}

Result<ExitCode> close(const Shell& shell, const Args& args) {
  if (trim(args.get("message")).empty())
    return Error(ErrorKind::invalid, "closing an incident needs a reason: -m TEXT");
  auto desk = LB_TRY(open_incident_desk(shell, args));
  auto picked = LB_TRY(picked_in(shell, desk, args, 0));
  LB_TRY(still_open(picked.state));
  LB_TRY(say_in(shell, desk, picked, fact_of(incident::kind::closed, args)));
  post(shell, desk, incident::follow_up(desk.plan(), picked.state, notify::Event::resolve),
       picked.state.told);
  send(shell, desk);
  const auto took = incident::lasted(picked.state, shell.world.clock.now());
  return finish(shell, desk, picked, "incident close",
                cat("incident ", picked.state.id, " is closed after ",
                    human_duration(std::chrono::duration_cast<Seconds>(took))));
}

}  // namespace

std::vector<Verb> incident_saying_verbs() {
  return {
      {{"incident open",
        "Opens an incident: people are told, one after the other until somebody answers.",
        {"lifeboat incident open P0 \"no orders\" --symptom \"queries fail\"",
         "lifeboat incident open P2 \"slow reports\" --failed-at 2026-01-13T02:14:00Z"},
        "incident open P0|P1|P2|P3 TITLE [--symptom TEXT …] [--failed-at TIME] [--affected TEXT]",
        {{"symptom", 's', "TEXT", "what people see; finds the runbooks that fit", true},
         {"failed-at", 0, "TIME", "when it began; clocks count from then", false},
         {"affected", 0, "TEXT", "who or what is affected", false}},
        2},
       open},
      {{"incident ack",
        "Acknowledges an incident: you look after it, and nobody else is told.",
        {"lifeboat incident ack                    # the one that is open",
         "lifeboat incident ack 9k2m4x7q -m \"on it\" # the end of its id is enough"},
        "incident ack [ID] [-m TEXT] [--key FILE --as PERSON]",
        saying_flags(),
        1},
       acknowledge},
      {{"incident note",
        "Writes a note into the record of an incident.",
        {"lifeboat incident note -m \"the provider says 30 minutes\"",
         "lifeboat incident note 9k2m4x7q -m \"customers called\""},
        "incident note [ID] -m TEXT [--key FILE --as PERSON]",
        saying_flags(),
        1},
       note},
      {{"incident assign",
        "Says who looks after an incident from now on, and tells that person.",
        {"lifeboat incident assign dba",
         "lifeboat incident assign dba 9k2m4x7q -m \"it is the index\""},
        "incident assign PERSON [ID] [-m TEXT] [--key FILE --as PERSON]",
        saying_flags(),
        2},
       assign},
      {{"incident severity",
        "Changes how severe an incident is; a worse one is told anew, to those who answer for it.",
        {"lifeboat incident severity P0 -m \"payments fail too\"",
         "lifeboat incident severity P2 9k2m4x7q"},
        "incident severity P0|P1|P2|P3 [ID] [-m TEXT] [--key FILE --as PERSON]",
        saying_flags(),
        2},
       severity},
      {{"incident close",
        "Closes an incident; everybody who was told hears of it.",
        {"lifeboat incident close -m \"restored to 02:13:58, all checks pass\"",
         "lifeboat incident close 9k2m4x7q -m \"false alarm\""},
        "incident close [ID] -m REASON [--key FILE --as PERSON]",
        saying_flags(),
        1},
       close},
  };
}

}  // namespace lb::cli
