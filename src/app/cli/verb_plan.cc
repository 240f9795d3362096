#include <algorithm>

#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "model/plan/alert_bounds.h"
#include "model/plan/never_passing.h"
#include "model/plan/score.h"
#include "storage/state/journal.h"

namespace lb::cli {

namespace {

std::string counted(std::size_t count, const char* what) {
  return cat(count, " ", what, count == 1 ? "" : "s");
}

Json json_of(const plan::Mistake& mistake) {
  return Json::object()
      .set("file", mistake.place.file)
      .set("line", static_cast<std::uint64_t>(mistake.place.line))
      .set("column", static_cast<std::uint64_t>(mistake.place.column))
      .set("text", mistake.text)
      .set("suggestion", mistake.suggestion);
}

// Names of the links whose file is not there, beside the plan. Of a pattern its folder is looked
// for.
std::vector<std::string> missing_links(const Shell& shell, const plan::Plan& plan,
                                       const std::string& path) {
  std::vector<std::string> out;
  const auto slash = path.rfind('/');
  const auto folder = slash == std::string::npos ? shell.folder
                      : path[0] == '/'           ? path.substr(0, slash)
                                                 : path_join(shell.folder, path.substr(0, slash));
  for (const auto& [name, address] : plan::links_to_files(plan)) {
    auto place = address.substr(0, address.find('*'));
    if (place.size() < address.size()) place = place.substr(0, place.rfind('/') + 1);
    if (!place.starts_with('/')) place = path_join(folder, place);
    auto there = path_exists(shell.world.files, place);
    if (there.ok() && !*there) out.push_back(name);
  }
  return out;
}

Result<ExitCode> show_score(const Shell& shell, const plan::Plan& plan, const std::string& path) {
  auto& console = shell.console;
  const auto items =
      plan::score_of(plan, missing_links(shell, plan, path), shell.world.clock.now());
  const auto met = static_cast<std::size_t>(
      std::count_if(items.begin(), items.end(), [](const auto& item) { return item.met(); }));
  const auto exit = met == items.size() ? ExitCode::ok : ExitCode::check_not_met;
  if (console.options().json) {
    Json list = Json::array();
    for (const auto& item : items) {
      Json missing = Json::array();
      for (const auto& line : item.missing) missing.push(line);
      list.push(Json::object()
                    .set("what", item.what)
                    .set("met", item.met())
                    .set("found", item.found)
                    .set("missing", std::move(missing)));
    }
    console.event("lifeboat.plan-score/1", Json::object()
                                               .set("file", path)
                                               .set("met", static_cast<std::uint64_t>(met))
                                               .set("of", static_cast<std::uint64_t>(items.size()))
                                               .set("items", std::move(list)));
    return exit;
  }
  for (const auto& item : items) {
    console.out(cat(item.met() ? console.colored("met    ", 32) : console.colored("missing", 31),
                    "  ", item.what, ": ", printable(item.found)));
    for (const auto& line : item.missing) console.out(cat("           - ", printable(line)));
  }
  console.out(cat(path, ": ", met, " of ", items.size(), " met"));
  return exit;
}

Result<ExitCode> check(const Shell& shell, const Args& args) {
  auto path = args.positionals.empty() ? plan_path(shell, args) : args.positionals[0];
  auto outcome = LB_TRY(read_plan_file(shell, path));
  if (args.has("score") && outcome.ok()) return show_score(shell, outcome.plan, path);
  auto& console = shell.console;
  std::vector<plan::Mistake> notes;
  if (outcome.ok()) {
    notes = plan::never_passing(outcome.plan);
    for (auto& note : plan::bounds_of_nothing(outcome.plan)) notes.push_back(std::move(note));
    const auto gone = missing_links(shell, outcome.plan, path);
    for (const auto& [name, address] : plan::links_to_files(outcome.plan)) {
      if (std::find(gone.begin(), gone.end(), name) == gone.end()) continue;
      notes.push_back({{},
                       cat("links: ", name, ": ", address, " is not there"),
                       "write where the document is, or leave it out",
                       ""});
    }
  }
  if (console.options().json) {
    Json mistakes = Json::array(), noted = Json::array();
    for (const auto& mistake : outcome.mistakes) mistakes.push(json_of(mistake));
    for (const auto& note : notes) noted.push(json_of(note));
    console.event("lifeboat.plan-check/1", Json::object()
                                               .set("file", path)
                                               .set("ok", outcome.ok())
                                               .set("mistakes", std::move(mistakes))
                                               .set("notes", std::move(noted)));
  } else if (outcome.ok()) {
    console.out(cat(path, ": ok: system ", outcome.plan.system, ", ",
                    counted(outcome.plan.stores.size(), "store"), ", ",
                    counted(outcome.plan.suites.size(), "check suite"), ", ",
                    counted(outcome.plan.drills.size(), "drill")));
    for (const auto& section : outcome.plan.not_acted_on) {
      console.note(
          cat(section.place.text(), ": ", section.name, ": read and checked; not acted on yet"));
    }
    for (const auto& note : notes) {
      const auto where = note.place.file.empty() ? path : note.place.text();
      console.warn(cat(where, ": ", note.text, "; ", note.suggestion));
    }
  } else {
    console.out(plan::format_mistakes(outcome.mistakes, console.options().color));
  }
  return outcome.ok() ? ExitCode::ok : ExitCode::usage;
}

// What earlier backups and drills took, from the journal of this machine; none is fine.
std::vector<plan::Measured> measured(const Shell& shell, const plan::Plan& plan) {
  std::vector<plan::Measured> out;
  auto path = path_join(state_folder(shell, plan.system), "journal.sqlite");
  auto there = path_exists(shell.world.files, path);
  if (!there.ok() || !*there) return out;
  auto journal = state::Journal::open(shell.world, path);
  if (!journal.ok()) return out;
  auto entries = (*journal)->entries(1000);
  if (!entries.ok()) return out;
  for (const auto& store : plan.stores) {
    plan::Measured line{store.name, std::nullopt, std::nullopt};
    for (const auto& entry : *entries) {
      if (entry.phase != record::JournalEntry::Phase::outcome || !entry.ok ||
          entry.store != store.name)
        continue;
      auto took = entry.details["took_us"].integer();
      if (took <= 0) continue;
      if (entry.act.starts_with("backup ")) line.backup_took = Micros(took);
      if (entry.act.starts_with("restore ")) line.restore_took = Micros(took);
    }
    out.push_back(std::move(line));
  }
  return out;
}

Json json_of(const plan::Explanation::Line& line) {
  Json out = Json::object()
                 .set("store", line.store)
                 .set("why", line.worst_loss_why)
                 .set("meets_rpo", line.meets_rpo);
  auto put = [&](const char* name, const std::optional<Micros>& value) {
    if (value) out.set(name, static_cast<double>(value->count()) / 1e6);
  };
  put("worst_case_loss_seconds", line.worst_loss);
  put("target_rpo_seconds", line.target_rpo);
  put("target_rto_seconds", line.target_rto);
  put("goal_seconds", line.goal);
  put("predicted_restore_seconds", line.predicted_restore);
  out.set("remark", line.remark);
  return out;
}

std::string or_dash(const std::optional<Micros>& value) {
  return value ? human_duration(*value) : "–";
}

Result<ExitCode> explain(const Shell& shell, const Args& args) {
  auto loaded = LB_TRY(load_plan(shell, args));
  auto explanation =
      plan::explain(loaded.plan, measured(shell, loaded.plan), shell.world.clock.now());
  auto& console = shell.console;
  if (console.options().json) {
    Json lines = Json::array();
    for (const auto& line : explanation.lines) lines.push(json_of(line));
    Json remarks = Json::array();
    for (const auto& remark : explanation.remarks) remarks.push(remark);
    console.event("lifeboat.plan-explain/1", Json::object()
                                                 .set("plan", explanation.yaml)
                                                 .set("stores", std::move(lines))
                                                 .set("remarks", std::move(remarks)));
    return ExitCode::ok;
  }
  console.out(explanation.yaml);
  std::vector<std::vector<std::string>> rows = {{"STORE", "WORST-CASE LOSS", "TARGET RPO", "GOAL",
                                                 "PREDICTED RESTORE", "TARGET RTO", "VERDICT"}};
  for (const auto& line : explanation.lines) {
    bool judged = line.target_rpo.has_value();
    rows.push_back({line.store, line.worst_loss ? human_duration(*line.worst_loss) : "everything",
                    or_dash(line.target_rpo), or_dash(line.goal), or_dash(line.predicted_restore),
                    or_dash(line.target_rto),
                    !judged          ? "no objective"
                    : line.meets_rpo ? "meets the RPO"
                                     : "misses the RPO"});
  }
  std::string text;
  for (const auto& line : split(table(rows), '\n')) {
    if (!line.empty()) text += cat("# ", line, "\n");
  }
  for (const auto& line : explanation.lines) {
    text += cat("# ", line.store, ": ", line.worst_loss_why, "\n");
    if (!line.remark.empty()) text += cat("#   ", line.remark, "\n");
  }
  for (const auto& remark : explanation.remarks) text += cat("# ", remark, "\n");
  console.out("\n" + text);
  return ExitCode::ok;
}

Result<ExitCode> schema(const Shell& shell, const Args& args) {
  shell.console.out(args.has("markdown") ? plan::language_reference() : plan::json_schema());
  return ExitCode::ok;
}

}  // namespace

Verb plan_check_verb() {
  return {{"plan check",
           "Reads the plan and lists every mistake at once; --score says how ready it is, and what "
           "is missing.",
           {"lifeboat plan check                     # the plan in this folder",
            "lifeboat plan check --score             # targets, scenarios, drills, documents, ...",
            "lifeboat plan check --json prod.yaml    # mistakes as JSON, for an editor"},
           "plan check [FILE] [--score]",
           {{"score", 0, "",
             "against what a recovery handbook needs; exit 4 when anything is missing", false}},
           1},
          check};
}

Verb plan_explain_verb() {
  return {
      {"plan explain",
       "Prints the plan with every default, and what each schedule can lose against its objective.",
       {"lifeboat plan explain                   # defaults and worst-case loss per store",
        "lifeboat plan explain --json            # the same for a script"},
       "plan explain",
       {},
       0},
      explain};
}

Verb plan_schema_verb() {
  return {{"plan schema",
           "Prints the JSON Schema of the plan language, for editors.",
           {"lifeboat plan schema > lifeboat.schema.json   # let an editor complete the plan",
            "lifeboat plan schema | jq '.properties|keys'  # the sections of a plan",
            "lifeboat plan schema --markdown | less        # every key, to read"},
           "plan schema [--markdown]",
           {{"markdown", 0, "", "the same for people: every key and what it means", false}},
           0},
          schema};
}

}  // namespace lb::cli
