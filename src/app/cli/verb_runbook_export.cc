#include "app/cli/past_runs.h"
#include "app/cli/runbook_pages.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

Status check_words(const Args& args) {
  bool all = args.has("all");
  auto usage = [](const char* text, const char* hint) {
    return Error(ErrorKind::invalid, text).with_hint(hint).with_exit(ExitCode::usage);
  };
  if (all != args.positionals.empty())
    return usage("give the name of one runbook, or --all",
                 "lifeboat runbook export --all --out DIR");
  auto format = args.get("format", "md");
  if (format != "md" && format != "html") return usage("unknown format", "md or html");
  if (args.has("store") && args.has("stored"))
    return usage("--store puts pages into the repository, --stored reads them from there",
                 "give one of them");
  if (args.has("store") && !all)
    return usage("--store keeps all runbooks of the plan together", "add --all");
  if (args.has("measured") && (args.has("store") || args.has("stored")))
    return usage(
        "--measured is for pages of now: what the repository holds is the same for all runs",
        "leave one of them out");
  return {};
}

std::string shown(const runbook::StepForecast& step) {
  auto most = step.measured > 1 ? cat(", nine of ten within ", human_duration(*step.most)) : "";
  return cat(human_duration(*step.half), most, " (", step.measured,
             step.measured == 1 ? " time" : " times", ", last on ",
             format_time_seconds(step.last).substr(0, 10), ")");
}

// Of the runbooks that were named, or of all.
Result<AllTimes> times_of(const Shell& shell, RunDesk& desk, const Args& args) {
  std::vector<std::string> names = args.positionals;
  if (names.empty()) {
    for (const auto& runbook : desk.session->plan.plan.runbooks) names.push_back(runbook.name);
  }
  AllTimes out;
  for (const auto& name : names) {
    if (desk.session->plan.plan.runbook(name) == nullptr) continue;
    auto made = LB_TRY(forecast_of(shell, desk, name));
    auto& times = out[name];
    for (const auto& step : made.forecast.steps) {
      if (step.measured > 0) times.steps[step.number] = shown(step);
    }
    times.whole = cat(human_duration(made.forecast.half), ", nine of ten within ",
                      human_duration(made.forecast.most), " (", made.forecast.runs, " runs; ",
                      made.forecast.unknown, " steps were never measured)");
    if (made.forecast.runs == 0) times.whole = "never measured: no run and no drill of it";
  }
  return out;
}

// What the repository holds, which may be younger or older than the plan.
Result<state::PageSet> stored(Session& session, const Args& args) {
  auto found = LB_TRY(state::newest_pages(*session.repository));
  if (!found) {
    return Error(ErrorKind::not_found, "the repository holds no pages of runbooks")
        .with_hint("lifeboat runbook export --all --store puts them there; so does each backup");
  }
  if (args.has("all")) return std::move(*found);
  std::vector<std::string> names;
  for (auto& page : found->pages) {
    names.push_back(page.runbook);
    if (page.runbook == args.positionals[0]) {
      auto only = std::move(page);
      found->pages.clear();
      found->pages.push_back(std::move(only));
      return std::move(*found);
    }
  }
  return Error(ErrorKind::not_found,
               cat("the repository holds no page of '", printable(args.positionals[0]), "'"))
      .with_hint(cat("it holds: ", join(names, ", ")));
}

void show(const Shell& shell, const state::PageSet& pages, const Args& args) {
  auto& console = shell.console;
  auto folder = args.get("out");
  if (console.options().json) {
    Json list = Json::array();
    for (const auto& page : pages.pages) {
      auto one = Json::object().set("runbook", page.runbook);
      if (folder.empty()) one.set("html", page.html).set("markdown", page.markdown);
      list.push(std::move(one));
    }
    console.event("lifeboat.runbook-pages/1", Json::object()
                                                  .set("system", pages.system)
                                                  .set("fingerprint", pages.fingerprint)
                                                  .set("made", format_time(pages.made))
                                                  .set("out", folder)
                                                  .set("pages", std::move(list)));
    return;
  }
  if (!folder.empty()) {
    console.out(cat("wrote ", pages.pages.size(), " runbooks as HTML and Markdown into ", folder));
    return;
  }
  bool html = args.get("format", "md") == "html";
  for (const auto& page : pages.pages) console.out(html ? page.html : page.markdown);
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  LB_TRY(check_words(args));
  bool needs_repository = args.has("store") || args.has("stored");
  if (args.has("measured")) {
    auto desk = LB_TRY(open_run_desk(shell, args));
    auto times = LB_TRY(times_of(shell, desk, args));
    auto pages =
        LB_TRY(make_pages(desk.session->plan, args.positionals, shell.world.clock.now(), times));
    if (args.has("out")) LB_TRY(write_pages(shell, args.get("out"), pages));
    show(shell, pages, args);
    return ExitCode::ok;
  }
  if (!needs_repository) {
    auto plan = LB_TRY(load_plan(shell, args));
    auto pages = LB_TRY(make_pages(plan, args.positionals, shell.world.clock.now()));
    if (args.has("out")) LB_TRY(write_pages(shell, args.get("out"), pages));
    show(shell, pages, args);
    return ExitCode::ok;
  }
  auto access = args.has("store") ? Access::write : Access::read;
  auto session = LB_TRY(Session::open(shell, args, Reading::plain, access));
  if (args.has("store")) {
    bool fresh = LB_TRY(store_pages(shell, *session));
    shell.console.note(fresh ? "the pages are in the repository now"
                             : "the repository has these pages already");
    if (!args.has("out")) return ExitCode::ok;
    auto pages = LB_TRY(make_pages(session->plan, {}, shell.world.clock.now()));
    LB_TRY(write_pages(shell, args.get("out"), pages));
    show(shell, pages, args);
    return ExitCode::ok;
  }
  auto pages = LB_TRY(stored(*session, args));
  if (args.has("out")) LB_TRY(write_pages(shell, args.get("out"), pages));
  show(shell, pages, args);
  return ExitCode::ok;
}

}  // namespace

Verb runbook_export_verb() {
  return {
      {"runbook export",
       "Prints a runbook as a page that people can follow by hand: who acts, commands, boxes to "
       "tick, decisions. Each backup also keeps the pages of all runbooks in the repository, "
       "sealed and, unless the plan says otherwise, in runbooks/ for people without a key.",
       {"lifeboat runbook export db-loss                     # Markdown, to read here",
        "lifeboat runbook export --all --out /srv/paper      # HTML to print, and Markdown",
        "lifeboat runbook export db-loss --measured          # with what each step took before",
        "lifeboat runbook export --all --stored --out ./now  # as the repository holds them"},
       "runbook export NAME|--all [--out FOLDER] [--format md|html] [--measured|--store|--stored]",
       {{"all", 0, "", "all runbooks of the plan", false},
        {"out", 'o', "FOLDER", "write NAME.html and NAME.md there, readable by everybody", false},
        {"format", 0, "FORMAT", "without --out: md (the default) or html", false},
        {"measured", 0, "", "say what each step took in runs and drills, how often, and when last",
         false},
        {"store", 0, "", "put the pages into the repository, unless it has them", false},
        {"stored", 0, "", "the pages the repository holds, instead of the plan's", false}},
       1},
      run};
}

}  // namespace lb::cli
