#include "app/cli/copies.h"
#include "app/cli/repair_view.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

// Where is mended, and where whole objects may be found.
struct Places {
  CopyPlace target;
  bool is_copy = false;
  std::vector<CopyPlace> sources;
  std::vector<repair::Source> for_engine() const { return sources_of(sources); }
};

class Opening {
 public:
  Opening(const Shell& shell, const LoadedPlan& loaded, const References& references)
      : shell_(shell), plan_(loaded.plan), references_(references) {}

  Result<Places> open(const Args& args) {
    Places out;
    const plan::Copy* on = nullptr;
    if (args.has("on")) on = LB_TRY(pick_copies(plan_, {args.get("on")})).front();
    out.is_copy = on != nullptr;
    out.target =
        LB_TRY(on != nullptr ? open_copy_place(shell_, references_, *on, MissingFolder::refuse)
                             : open_repository_place());
    if (args.has("from")) {
      const auto* from = LB_TRY(pick_copies(plan_, {args.get("from")})).front();
      if (from == on) return Error(ErrorKind::invalid, "--from and --on name the same copy");
      out.sources.push_back(
          LB_TRY(open_copy_place(shell_, references_, *from, MissingFolder::refuse)));
      return out;
    }
    if (on != nullptr) {
      auto own = open_repository_place();
      if (own.ok()) {
        out.sources.push_back(std::move(own).take());
      } else {
        shell_.console.warn(cat("not asked: ", own.error().text()));
      }
    }
    for (auto& place : open_copies(shell_, references_, plan_.repository, on)) {
      out.sources.push_back(std::move(place));
    }
    return out;
  }

 private:
  Result<CopyPlace> open_repository_place() {
    auto place = LB_TRY(open_place(shell_, references_, plan_.repository));
    return CopyPlace{plan_.repository.at.text(), std::move(place.blobs)};
  }

  const Shell& shell_;
  const plan::Plan& plan_;
  const References& references_;
};

// Exits as the run does, or as one would after a dry run.
Result<ExitCode> finish(const Shell& shell, const repair::RepairPlan& plan,
                        const repair::RepairReport& report,
                        const std::vector<repair::Step>& opening, bool dry_run) {
  bool mended = all_mended(report);
  auto exit = mended ? ExitCode::ok : ExitCode::warnings;
  auto& console = shell.console;
  if (console.options().json) {
    auto steps = opening;
    steps.insert(steps.end(), plan.steps.begin(), plan.steps.end());
    auto json =
        Json::object().set("verb", "repair").set("ok", mended).set("exit", static_cast<int>(exit));
    if (dry_run) json.set("dry_run", true);
    add_repair(json, report);
    json.set("healed", report.healed + opening.size()).set("steps", json_of(steps));
    console.event("lifeboat.summary/1", std::move(json));
    return exit;
  }
  if (plan.nothing() && opening.empty()) {
    console.out("nothing to repair");
  } else if (dry_run) {
    auto all = report;
    all.healed += opening.size();
    console.out(promise_of(all));
  } else {
    console.out(text_of(report));
  }
  return exit;
}

void show(const Shell& shell, const std::vector<repair::Step>& opening,
          const repair::RepairPlan& plan) {
  for (const auto& unread : plan.sources_unread) shell.console.warn(cat("not asked: ", unread));
  if (shell.console.options().json) return;
  std::string text;
  for (const auto& step : opening) text += line_of(step);
  for (const auto& step : plan.steps) text += line_of(step);
  if (!text.empty()) shell.console.out(text);
}

Result<repair::RepairReport> apply(const Shell& shell, const LoadedPlan& loaded,
                                   repo::Repository& repository, const repair::RepairPlan& plan,
                                   const Places& places) {
  auto journal = LB_TRY(state::Journal::open(
      shell.world, path_join(state_folder(shell, loaded.plan.system), "journal.sqlite")));
  auto act = LB_TRY(state::Act::begin(shell.world, *journal, cat("repair ", places.target.name), {},
                                      cat("Repairing ", places.target.name),
                                      Json::object().set("steps", json_of(plan.steps))));
  auto report = repair::apply_repair(repository, plan, places.for_engine(), shell.stop, {});
  if (!report.ok()) {
    LB_TRY(act->finish(false, report.error().text(), Json::object()));
    return report;
  }
  bool mended = report->failed.empty() && report->lost.empty();
  LB_TRY(act->finish(mended, cat("Healed ", report->healed, ", set aside ", report->set_aside),
                     Json::object().set("lost", json_of(report->lost))));
  // What only a copy had in its journal would be taken for mirrored.
  if (places.is_copy) return report;
  if (auto mirrored = journal->mirror(repository); !mirrored.ok()) {
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  return report;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto loaded = LB_TRY(load_plan(shell, args));
  References references(shell.world, shell.environment, loaded.folder);
  bool dry_run = args.has("dry-run");
  auto places = LB_TRY(Opening(shell, loaded, references).open(args));
  auto opening = LB_TRY(repair::heal_opening(*places.target.blobs, places.for_engine(), dry_run));
  if (dry_run && !opening.empty()) {
    show(shell, opening, {});
    shell.console.note("more may show when these are healed: run without --dry-run");
    return finish(shell, {}, {}, opening, true);
  }
  auto key = LB_TRY(references.secret(loaded.plan.repository.key));
  auto repository =
      LB_TRY(repo::open_repository(*places.target.blobs, shell.world.clock, shell.world.random, key)
                 .context(cat("open ", places.target.name)));
  auto sink = shell.console.progress("look for damage");
  auto plan = repair::plan_repair(*repository, places.for_engine(), shell.stop,
                                  [&](std::uint64_t done, std::uint64_t total) {
                                    if (sink) sink({done, total, {}, 0, {}});
                                  });
  shell.console.end_progress();
  auto steps = LB_TRY(std::move(plan));
  show(shell, opening, steps);
  if (dry_run) return finish(shell, steps, promised(steps.steps), opening, true);
  if (steps.nothing()) return finish(shell, steps, {}, opening, false);
  auto report = LB_TRY(apply(shell, loaded, *repository, steps, places));
  return finish(shell, steps, report, opening, false);
}

}  // namespace

Verb repair_verb() {
  return {{"repair",
           "Mends what is damaged: from a copy, from the packs themselves, or by putting it out of "
           "use.",
           {"lifeboat repair -n          # say what is damaged and what would be done",
            "lifeboat repair --from 1    # bring damaged objects back from the first copy"},
           "repair [-n] [--from COPY] [--on COPY]",
           {{"from", 0, "COPY", "where whole objects are looked for (default: every copy)", false},
            {"on", 0, "COPY", "mend this copy instead, from the repository and the other copies",
             false},
            {"dry-run", 'n', "", "say what would be done; change nothing", false}},
           0},
          run};
}

}  // namespace lb::cli
