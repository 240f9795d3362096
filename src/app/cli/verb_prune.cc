// prune: which points the plan's retain: keeps and why, then forgetting the others and freeing what
// none needs any more.
#include "app/cli/prune_work.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "model/plan/values.h"
#include "recovery/retain/facts.h"

namespace lb::cli {

namespace {

Result<Doomed> doom(const Session& session, Timestamp now) {
  const auto& plan = session.plan.plan;
  auto facts = LB_TRY(retain::read_facts(*session.repository, plan, now));
  std::set<std::string> stores;
  for (const auto& store : plan.stores) stores.insert(store.name);
  Doomed out;
  out.decided = retain::plan_prune(facts.points, plan.repository.retain, stores, now);
  for (const auto& each : out.decided.decisions) {
    if (!each.kept()) out.points.push_back(each.point.id);
  }
  out.log = retain::removable_log(facts.logs, out.decided, plan.repository.retain);
  return out;
}

std::string why_text(const retain::Decision& each) {
  if (!each.kept()) return "-";
  auto text = join(each.why, ", ");
  if (each.point.held && !each.point.held->why.empty()) {
    text += cat(" (", printable(each.point.held->why), ")");
  }
  return text;
}

void show_plan(Console& console, const Doomed& doomed, Timestamp now) {
  if (console.options().json) {
    Json points = Json::array();
    for (const auto& each : doomed.decided.decisions) {
      Json why = Json::array();
      for (const auto& reason : each.why) why.push(reason);
      points.push(Json::object()
                      .set("point", each.point.id)
                      .set("store", each.point.store)
                      .set("taken", format_time(each.point.taken))
                      .set("kept", each.kept())
                      .set("why", std::move(why)));
    }
    console.event(
        "lifeboat.prune-plan/1",
        Json::object().set("points", std::move(points)).set("log_segments", doomed.segments()));
    return;
  }
  std::vector<std::vector<std::string>> rows = {
      {"POINT", "STORE", "TAKEN", "AGE", "DECISION", "BECAUSE"}};
  for (const auto& each : doomed.decided.decisions) {
    rows.push_back({each.point.id, printable(each.point.store),
                    each.point.damaged ? "?" : format_time_seconds(each.point.taken),
                    each.point.damaged ? "?" : human_duration(now - each.point.taken),
                    each.kept() ? "keep" : "forget", why_text(each)});
  }
  if (rows.size() > 1) console.out(table(rows, {3}));
}

// A policy that takes more than half of a store away is more often a mistake than a wish.
Status guard(const Shell& shell, const Args& args, const Session& session, const Doomed& doomed) {
  auto halved = doomed.decided.halved();
  if (halved.empty()) return {};
  const auto& system = session.plan.plan.system;
  shell.console.note(cat("host        ", shell.host, "\nrepository  ",
                         session.repository->describe(), "\nforgets     more than half of the ",
                         "points of ", join(halved, ", "), ": ", doomed.points.size(),
                         " in all, for good"));
  auto answer = args.get("confirm");
  if (answer.empty()) {
    answer = shell.console.ask(cat("Type the system's name (", system, ") to go on:"));
  }
  if (answer == system) return {};
  return Error(ErrorKind::denied, answer.empty() ? "not confirmed: nothing was removed"
                                                 : "the name does not match: nothing was removed")
      .with_hint(cat("look at the list, then type ", system, ", or give --confirm ", system))
      .with_exit(ExitCode::refused);
}

Status read_budget(const std::string& text, repo::RepackOptions& out) {
  if (text.ends_with('%')) {
    out.budget_share =
        LB_TRY(plan::parse_percent(text).context("--repack-budget takes 10%, 5GB or 0"));
    if (out.budget_share == 0) out.budget_bytes = 0;
    return {};
  }
  out.budget_bytes = LB_TRY(parse_size(text).context("--repack-budget takes 10%, 5GB or 0"));
  return {};
}

Result<PruneOptions> read_options(const Args& args) {
  PruneOptions out;
  if (args.has("grace")) {
    auto& grace = out.collect.grace;
    grace = LB_TRY(parse_duration(args.get("grace")).context("--grace takes a time such as 24h"));
    if (grace < Micros(0)) return Error(ErrorKind::invalid, "--grace cannot be negative");
  }
  if (args.has("repack-below")) {
    out.repack.below = LB_TRY(plan::parse_percent(args.get("repack-below"))
                                  .context("--repack-below takes a percentage such as 50%"));
  }
  if (args.has("repack-budget")) LB_TRY(read_budget(args.get("repack-budget"), out.repack));
  return out;
}

// What repacking would do once these points are forgotten.
Status show_repack(const Shell& shell, const Session& session, const Doomed& doomed,
                   const repo::RepackOptions& options) {
  if (options.nothing()) return {};
  std::set<std::string> without(doomed.points.begin(), doomed.points.end());
  repo::Repacker repacker(*session.repository->core(), options, without, shell.stop);
  auto plan = LB_TRY(repacker.plan());
  if (shell.console.options().json) {
    shell.console.event("lifeboat.repack-plan/1",
                        Json::object()
                            .set("packs", static_cast<std::uint64_t>(plan.packs.size()))
                            .set("bytes", plan.bytes)
                            .set("bytes_rewritten", plan.live_bytes)
                            .set("packs_moved_already", plan.moved_already)
                            .set("packs_left", plan.beyond_budget));
    return {};
  }
  if (plan.nothing()) return {};
  auto text = cat(
      "would rewrite ", plan.packs.size(), " packs of ", human_size(plan.bytes), ", ",
      human_size(plan.live_bytes), " of which is needed, and so free ",
      human_size(plan.bytes - std::min(plan.bytes, plan.live_bytes) + plan.moved_already_bytes));
  if (plan.beyond_budget > 0)
    text += cat("; ", plan.beyond_budget, " more packs are left to later runs");
  shell.console.note(text);
  return {};
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto options = LB_TRY(read_options(args));
  auto session = LB_TRY(Session::open(shell, args));
  auto& console = shell.console;
  auto doomed = LB_TRY(doom(*session, shell.world.clock.now()));
  show_plan(console, doomed, shell.world.clock.now());
  options.repack.locked = session->plan.plan.repository.immutable;
  if (args.has("dry-run")) {
    LB_TRY(show_repack(shell, *session, doomed, options.repack));
    console.note(cat("would forget ", doomed.points.size(), " points and remove ",
                     doomed.segments(), " log segments; nothing was changed"));
    return ExitCode::ok;
  }
  LB_TRY(guard(shell, args, *session, doomed));
  auto started = shell.world.clock.steady();
  auto act = LB_TRY(state::Act::begin(
      shell.world, *session->journal, "prune", {},
      cat("Forgetting ", doomed.points.size(), " points"),
      Json::object().set("points", static_cast<std::uint64_t>(doomed.points.size()))));
  auto removed = remove_doomed(shell, *session, doomed, options, *act);
  if (!removed.ok()) {
    LB_TRY(act->finish(false, removed.error().text(), Json::object()));
    return std::move(removed).take_error();
  }
  LB_TRY(act->finish(true,
                     cat(removed->points, " points forgotten, ",
                         human_size(removed->collected.deleted_bytes), " freed"),
                     json_of(*removed)));
  if (auto mirrored = session->journal->mirror(*session->repository); !mirrored.ok()) {
    console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  if (console.options().json) {
    console.event("lifeboat.summary/1", json_of(*removed));
  } else {
    console.out(text_of(*removed, shell.world.clock.steady() - started));
  }
  return ExitCode::ok;
}

}  // namespace

Verb prune_verb() {
  return {
      {"prune",
       "Forgets the points that retain: does not keep, and frees what no point needs.",
       {"lifeboat prune -n   # what would be kept and why; changes nothing",
        "lifeboat prune      # do it; backups may run meanwhile",
        "lifeboat prune --repack-budget 100%   # also rewrite every pack that is partly unused"},
       "prune [-n] [--confirm NAME] [--grace TIME] [--repack-below P] [--repack-budget B]",
       {{"dry-run", 'n', "", "only show what would be kept and forgotten", false},
        {"confirm", 0, "NAME",
         "the system's name: go on though a store loses more than half of its points", false},
        {"grace", 0, "TIME",
         "abort a session that is older and shows no life, instead of waiting (default 24h)",
         false},
        {"repack-below", 0, "PERCENT", "rewrite packs of which less is still needed (default 75%)",
         false},
        {"repack-budget", 0, "SIZE",
         "write so much anew in one run at most: 10%, 5GB; 0 rewrites nothing (default 10%)",
         false}},
       0},
      run};
}

}  // namespace lb::cli
