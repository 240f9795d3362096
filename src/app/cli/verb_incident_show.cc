// incident ls, show, suggest.
#include "app/cli/incident_desk.h"
#include "app/cli/incident_verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

using incident::IncidentState;

std::string span(Micros time) { return human_duration(std::chrono::duration_cast<Seconds>(time)); }

Result<ExitCode> list(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_incident_desk(shell, args));
  const auto now = shell.world.clock.now();
  std::vector<std::vector<std::string>> rows = {
      {"INCIDENT", "", "STATE", "OPENED", "LASTED", "BY", "TITLE"}};
  Json lines = Json::array();
  const auto members = LB_TRY(desk.log->members(true));
  for (const auto& id : members) {
    auto facts = desk.log->facts(id, true);
    auto state =
        facts.ok() ? incident::fold(desk.plan(), id, *facts) : Result<IncidentState>(facts.error());
    if (!state.ok()) {
      rows.push_back({id, "", "unreadable", "", "", "", state.error().text()});
      lines.push(Json::object().set("incident", id).set("state", "unreadable"));
      continue;
    }
    const auto who = !state->assigned_to.empty() ? state->assigned_to
                     : state->acknowledged       ? state->acknowledged->by
                                                 : std::string("nobody yet");
    rows.push_back({id, state->severity, standing_of(*state), format_time_seconds(state->opened),
                    span(incident::lasted(*state, now)), who, printable(state->title)});
    const auto next = next_for(shell, desk.plan(), *state);
    lines.push(json_of(desk.plan(), {*state, *facts}, next, now));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.incidents/1", Json::object().set("incidents", std::move(lines)));
  } else {
    shell.console.out(rows.size() == 1 ? std::string("no incident yet") : table(rows));
  }
  return ExitCode::ok;
}

void add(std::vector<std::vector<std::string>>& rows, const char* name, const std::string& text) {
  if (!text.empty()) rows.push_back({name, printable(text)});
}

std::string countdown_text(const plan::Plan& plan, const IncidentState& state, Timestamp now) {
  const auto countdown = incident::countdown_of(plan, state, now);
  if (!countdown) return "no target RTO is known for it";
  const auto of = cat("target RTO ", human_duration(countdown->target), " of ", countdown->of);
  const auto since = state.failed_at ? "the failure" : "it was opened";
  if (countdown->left < Micros(0))
    return cat(of, ", from when ", state.failed_at ? "it failed" : since, ": missed by ",
               span(-countdown->left));
  return cat(of, ", counted from ", state.failed_at ? "the failure" : "the opening", ": ",
             span(countdown->left), state.closed ? " were left" : " left");
}

std::vector<std::vector<std::string>> facts_of(const plan::Plan& plan, const IncidentState& state,
                                               const incident::Next& next, Timestamp now) {
  std::vector<std::vector<std::string>> rows;
  const auto ago = [&](Timestamp time) {
    return state.closed ? std::string() : cat(", ", span(now - time), " ago");
  };
  if (state.failed_at)
    add(rows, "failed", cat(format_time_seconds(*state.failed_at), ago(*state.failed_at)));
  add(rows, "opened",
      cat(format_time_seconds(state.opened), " by ", state.opened_by, ago(state.opened)));
  add(rows, "symptoms", join(state.symptoms, "; "));
  add(rows, "affected", state.affected);
  add(rows, "acknowledged",
      state.acknowledged ? cat(format_time_seconds(state.acknowledged->at), " by ",
                               state.acknowledged->by, ago(state.acknowledged->at))
      : state.closed     ? std::string("never")
                         : std::string("not yet"));
  add(rows, "assigned", state.assigned_to);
  if (state.closed) {
    add(rows, "closed",
        cat(format_time_seconds(state.closed->at), " by ", state.closed->by, ": ",
            state.close_reason));
  } else {
    add(rows, "next", text_of(next, now));
  }
  add(rows, "lasted", span(incident::lasted(state, now)));
  add(rows, "clock", countdown_text(plan, state, now));
  for (const auto& run : state.runs)
    add(rows, "run", cat(run.run, " of ", run.runbook, ", since ", format_time_seconds(run.at)));
  for (const auto& line : state.unproven) add(rows, "unproven", line);
  if (!state.runs.empty() || state.closed) return rows;
  for (const auto& one : incident::suggest(plan, state.symptoms)) {
    add(rows, "may help",
        cat("lifeboat run ", one.runbook, " --incident ", state.id, "   (", join(one.words, ", "),
            ")"));
  }
  return rows;
}

Result<ExitCode> show(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_incident_desk(shell, args));
  const auto named = args.positionals.empty() ? std::string() : args.positionals[0];
  const auto picked = LB_TRY(pick_incident(shell, desk.plan(), *desk.log, named, Among::all));
  const auto& state = picked.state;
  const auto next = next_for(shell, desk.plan(), state);
  const auto now = shell.world.clock.now();
  if (shell.console.options().json) {
    auto out = json_of(desk.plan(), picked, next, now);
    Json facts = Json::array();
    for (const auto& fact : picked.facts) facts.push(record::encode(fact));
    shell.console.event("lifeboat.incident/1", out.set("facts", std::move(facts)));
    return ExitCode::ok;
  }
  shell.console.out(cat(state.severity, " incident ", state.id, ", ", standing_of(state), ": ",
                        printable(state.title), "\n"));
  shell.console.out(table(facts_of(desk.plan(), state, next, now)));
  std::vector<std::vector<std::string>> lines = {{"AT", "BY", "WHAT"}};
  for (const auto& fact : picked.facts)
    lines.push_back({format_time_seconds(fact.at), fact.by.empty() ? fact.host : fact.by,
                     incident::line_of(fact)});
  shell.console.out(cat("\n", table(lines)));
  return ExitCode::ok;
}

Result<ExitCode> suggest(const Shell& shell, const Args& args) {
  if (args.positionals.empty())
    return Error(ErrorKind::invalid, "incident suggest takes what people see, in words");
  const auto loaded = LB_TRY(load_plan(shell, args));
  const auto fitting = incident::suggest(loaded.plan, args.positionals);
  std::vector<std::vector<std::string>> rows = {{"RUNBOOK", "WORDS", "SYMPTOM OF THE PLAN"}};
  Json lines = Json::array();
  for (const auto& one : fitting) {
    rows.push_back({one.runbook, join(one.words, ", "), one.symptom});
    Json words = Json::array();
    for (const auto& word : one.words) words.push(word);
    lines.push(Json::object()
                   .set("runbook", one.runbook)
                   .set("words", std::move(words))
                   .set("symptom", one.symptom));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.suggestions/1",
                        Json::object().set("suggestions", std::move(lines)));
  } else {
    shell.console.out(fitting.empty()
                          ? std::string("no runbook has a symptom with one of these words; "
                                        "lifeboat runbook ls lists all")
                          : table(rows));
  }
  return fitting.empty() ? ExitCode::failed : ExitCode::ok;
}

constexpr std::size_t words_max = 100;

}  // namespace

std::vector<Verb> incident_showing_verbs() {
  return {{{"incident ls",
            "Lists the incidents of this system, from every machine that shares the repository.",
            {"lifeboat incident ls", "lifeboat incident ls --json   # for a script"},
            "incident ls",
            {},
            0},
           list},
          {{"incident show",
            "Shows an incident: its clocks, who was told and is told next, what was said and done.",
            {"lifeboat incident show            # the newest one",
             "lifeboat incident show 9k2m4x7q --json"},
            "incident show [ID]",
            {},
            1},
           show},
          {{"incident suggest",
            "Names the runbooks whose symptoms fit what people see. Exit 1 when none does.",
            {"lifeboat incident suggest \"queries fail\"",
             "lifeboat incident suggest \"files missing\" \"disk full\" --json"},
            "incident suggest TEXT …",
            {},
            words_max},
           suggest}};
}

}  // namespace lb::cli
