// The step that looks how much is damaged, before anything is restored. It changes nothing, and
// finding damage is no failure: the run goes on, and people and later steps know what was found.
#include <algorithm>

#include "app/cli/damage.h"
#include "app/cli/run_acts.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

const std::vector<std::string> no_files;

}  // namespace

// The point that an earlier step chose for the store, else the newest.
Result<repo::SnapshotInfo> RunActs::assessed_point(const Act& act, const plan::Store& store) const {
  auto wanted = act.pinned.find(store.name);
  auto chosen = act.variables.find(cat("point_", store.name));
  std::string id = wanted != act.pinned.end()      ? wanted->second
                   : chosen != act.variables.end() ? chosen->second
                                                   : std::string();
  std::optional<repo::SnapshotInfo> out;
  for (auto& snapshot : LB_TRY(session_.repository->snapshots())) {
    if (snapshot.meta.store != store.name || snapshot.meta.kind == "damaged") continue;
    if (id.empty() || snapshot.id == id) out = std::move(snapshot);
  }
  if (out) return std::move(*out);
  return Error(ErrorKind::not_found, id.empty() ? cat("there is no recovery point of ", store.name)
                                                : cat("point ", id, " is gone"))
      .with_hint("lifeboat ls lists the points that are left")
      .with_exit(ExitCode::point_unreachable);
}

// The same points when it is gone on with after a crash.
Result<runbook::Variables> RunActs::pin_assessed(const Act& act) const {
  LB_TRY(need_repository());
  std::vector<const plan::Store*> not_built;
  runbook::Variables out;
  for (const auto* store : LB_TRY(stores_of(act, &not_built))) {
    auto point = assessed_point(act, *store);
    // Of a store without one the step itself tells.
    if (point.ok()) out[store->name] = point->id;
  }
  return out;
}

Result<RestorePlace> RunActs::assessed_place(const Act& act, const plan::Store& store) const {
  plan::View what(act.step().what, no_files);
  if (!what.has("against")) return live_place(session_, store);
  auto name = LB_TRY(act.expand(what.text("against")));
  const auto* target = plan_.target(name);
  if (target == nullptr) return Error(ErrorKind::invalid, cat("the plan has no target ", name));
  return place_of(session_, store, *target);
}

Result<std::string> RunActs::assess_one(const Act& act, const plan::Store& store, ActEnd& out,
                                        bool& differs, std::stop_token stop) {
  auto point = LB_TRY(assessed_point(act, store));
  auto place = LB_TRY(assessed_place(act, store));
  auto damage = LB_TRY(
      assess_store(shell_, session_, store, point, place, place.original, {}, std::move(stop)));
  differs = differs || damage.any;
  out.data.set(store.name, std::move(damage.data));
  return cat(damage.text, " (point ", point.id, " of ", format_time_seconds(point.meta.taken), ")");
}

Result<ActEnd> RunActs::assess(const Act& act, std::stop_token stop) {
  LB_TRY(need_repository());
  std::vector<const plan::Store*> not_built;
  auto stores = LB_TRY(stores_of(act, &not_built));
  ActEnd out;
  out.ok = true;
  bool differs = false;
  std::vector<std::string> lines, by_hand;
  // What is not reached in one store says nothing of the others.
  for (const auto* store : stores) {
    auto seen = assess_one(act, *store, out, differs, stop);
    if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped while looking");
    if (seen.ok()) {
      lines.push_back(cat(store->name, ": ", *seen));
      continue;
    }
    lines.push_back(cat(store->name, ": could not be looked at: ", seen.error().text()));
    out.data.set(store->name, Json::object().set("error", redactor_.clean(seen.error().text())));
    by_hand.push_back(store->name);
  }
  for (const auto* store : not_built) {
    lines.push_back(
        cat(store->name, ": not built, look yourself (a ", plan::name_of(store->kind), " store)"));
    by_hand.push_back(store->name);
  }
  out.text = join(lines, "; ");
  out.set["damage"] = differs || !by_hand.empty() ? redactor_.clean(out.text) : "no";
  if (by_hand.empty()) return out;
  // A person looks at the rest, or says that it does not matter.
  out.ok = false;
  out.data.set("hint", cat("look at ", join(by_hand, ", "),
                           " by hand and say done, or try again: lifeboat step retry"));
  return out;
}

}  // namespace lb::cli
