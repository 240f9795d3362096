#include <algorithm>

#include "app/cli/copies.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "storage/repair/repair.h"

namespace lb::cli {

namespace {

const char* name_of(repair::Remedy remedy) {
  switch (remedy) {
    case repair::Remedy::heal:
      return "heal";
    case repair::Remedy::index:
      return "index";
    case repair::Remedy::set_aside:
      return "set aside";
    case repair::Remedy::remove:
      return "remove";
    case repair::Remedy::lost:
      return "lost";
  }
  return "";
}

// Where is mended, and where whole objects may be found.
struct Places {
  CopyPlace target;
  bool is_copy = false;
  std::vector<CopyPlace> sources;
  std::vector<repair::Source> for_engine() const {
    std::vector<repair::Source> out;
    for (const auto& place : sources) out.push_back({place.name, place.blobs.get()});
    return out;
  }
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
    if (on != nullptr) take(open_repository_place(), out);
    for (const auto& copy : plan_.repository.copies) {
      if (&copy != on) take(open_copy_place(shell_, references_, copy, MissingFolder::refuse), out);
    }
    return out;
  }

 private:
  Result<CopyPlace> open_repository_place() {
    auto place = LB_TRY(open_place(shell_, references_, plan_.repository));
    return CopyPlace{plan_.repository.at.text(), std::move(place.blobs)};
  }
  void take(Result<CopyPlace> place, Places& out) {
    if (place.ok()) {
      out.sources.push_back(std::move(place).take());
    } else {
      shell_.console.warn(cat("not asked: ", place.error().text()));
    }
  }

  const Shell& shell_;
  const plan::Plan& plan_;
  const References& references_;
};

Json json_of(const std::vector<repair::Step>& steps) {
  Json list = Json::array();
  for (const auto& step : steps) {
    Json affected = Json::array();
    for (const auto& line : step.affected) affected.push(line);
    list.push(Json::object()
                  .set("remedy", name_of(step.remedy))
                  .set("object", step.key)
                  .set("problem", step.problem)
                  .set("from", step.from)
                  .set("affected", std::move(affected)));
  }
  return list;
}

std::string line_of(const repair::Step& step) {
  auto text = cat(name_of(step.remedy), "  ", step.key, ": ", step.problem);
  if (!step.from.empty()) text += cat("; whole in ", step.from);
  if (step.remedy == repair::Remedy::set_aside) {
    text += "; no copy has it whole: the next backup stores again what it held";
  }
  text += "\n";
  if (step.remedy == repair::Remedy::heal || step.remedy == repair::Remedy::index) return text;
  for (const auto& line : step.affected) text += cat("    affects ", printable(line), "\n");
  return text;
}

std::string text_of(const repair::RepairReport& report) {
  auto text =
      cat("healed ", report.healed, " objects (", human_size(report.healed_bytes), "), indexed ",
          report.indexed, " packs, set aside ", report.set_aside, ", removed ", report.removed,
          "; ", report.failed.size(), " failed, ", report.lost.size(), " lost for good\n");
  for (const auto& step : report.failed)
    text += cat("failed  ", step.key, ": ", step.problem, "\n");
  if (report.set_aside + report.lost.size() > 0) {
    text += "next: lifeboat backup, so that what can be read at its source is stored again\n";
  }
  return text;
}

Result<ExitCode> finish(const Shell& shell, const repair::RepairPlan& plan,
                        const repair::RepairReport& report,
                        const std::vector<repair::Step>& opening) {
  bool mended = report.failed.empty() && report.lost.empty() && report.set_aside == 0;
  auto exit = mended ? ExitCode::ok : ExitCode::warnings;
  auto& console = shell.console;
  if (console.options().json) {
    auto steps = opening;
    steps.insert(steps.end(), plan.steps.begin(), plan.steps.end());
    console.event("lifeboat.summary/1", Json::object()
                                            .set("verb", "repair")
                                            .set("ok", mended)
                                            .set("exit", static_cast<int>(exit))
                                            .set("healed", report.healed + opening.size())
                                            .set("indexed", report.indexed)
                                            .set("set_aside", report.set_aside)
                                            .set("removed", report.removed)
                                            .set("failed", json_of(report.failed))
                                            .set("lost", json_of(report.lost))
                                            .set("steps", json_of(steps)));
    return exit;
  }
  if (plan.nothing() && opening.empty()) {
    console.out("nothing to repair");
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
    return finish(shell, {}, {}, opening);
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
  if (dry_run || steps.nothing()) return finish(shell, steps, {}, opening);
  auto report = LB_TRY(apply(shell, loaded, *repository, steps, places));
  return finish(shell, steps, report, opening);
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
