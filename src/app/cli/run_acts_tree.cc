// A file tree that takes the place of the live one: restored beside it, exchanged in one act of the
// file system, put back by undo. Nothing is merged: what the point has not is not in the new tree.
#include "app/cli/folder_way.h"
#include "app/cli/protected_places.h"
#include "app/cli/restore_request.h"
#include "app/cli/run_acts.h"
#include "app/cli/service_command.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "recovery/swap/folder_swap.h"
#include "stores/files/store.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

const std::vector<std::string> no_files;
constexpr std::size_t shown_max = 5;

// The commands of the service that uses the tree, as far as the step names them.
swap::FolderActs acts_of(const Shell& shell, const Session& session, const plan::View& what) {
  swap::FolderActs out;
  if (what.has("stop")) out.stop = service_command(shell, session, what.text("stop"));
  if (what.has("start")) out.start = service_command(shell, session, what.text("start"));
  return out;
}

// A tree of which the point has only a part would take the rest out of use.
Status check_whole(repo::SnapshotReader& snapshot, const std::string& store) {
  auto missing = LB_TRY(files::left_out(snapshot));
  if (missing.empty()) return {};
  auto count = missing.size();
  if (count > shown_max) missing.resize(shown_max);
  for (auto& each : missing) each = printable(each);
  return Error(ErrorKind::denied,
               cat("the point holds only a part of ", store, "; it lacks ", join(missing, ", "),
                   count > shown_max ? ", …" : "", ": exchanged, the tree would lack it too"))
      .with_left("nothing was restored")
      .with_hint("restore with how: in-place, which keeps what the point has no say about")
      .with_exit(ExitCode::refused);
}

// What this program itself lives from would go away with the old tree.
Status check_apart(Files& files, const Session& session, const std::string& live) {
  auto tree = LB_TRY(FolderWay::of(files, live));
  for (const auto& own : {session.repository_folder, session.state_folder, session.sandbox_root}) {
    if (own.empty()) continue;
    auto way = LB_TRY(FolderWay::of(files, own));
    if (!tree.contains(way)) continue;
    return Error(ErrorKind::denied, cat(printable(own), " lies in ", printable(live),
                                        ": it would be exchanged with it"))
        .with_left("nothing was restored")
        .with_hint("keep repository, state and sandboxes out of the tree, or use how: in-place")
        .with_exit(ExitCode::refused);
  }
  return {};
}

}  // namespace

Result<ActEnd> RunActs::replace_tree(const Act& act, const Shell& shell, Session& from,
                                     const plan::Store& store, const RestorePlace& place,
                                     const restore::Choice& choice) {
  plan::View what(act.step().what, no_files);
  auto& world = shell.world;
  LB_TRY(refuse_alias(act, protected_folder(shell, session_, place.folder)));
  LB_TRY(check_apart(world.files, session_, place.folder));
  LB_TRY(check_apart(world.files, from, place.folder));
  auto snapshot = LB_TRY(from.repository->snapshot(choice.snapshot.id));
  LB_TRY(check_whole(*snapshot, store.name));
  swap::FolderSwap swapped{world.files, world.clock, {}};
  swapped.wish.live = place.folder;
  swapped.wish.id = swap_id_of(act, store.name);
  swapped.wish.keep = what.duration("keep_old").value_or(keep_old_default);
  swapped.wish.point = choice.snapshot.id;
  swapped.wish.as_of = choice.snapshot.meta.taken;
  auto acts = acts_of(shell, session_, what);
  acts.fill = [&](const std::string& folder) {
    Request request;
    request.store = &store;
    request.folder = folder;
    // What a killed one left there and the point has not is deleted.
    request.exact = true;
    request.confirmed = session_.plan.plan.system;
    return restore_files(shell, from, request, choice).status();
  };
  auto state = LB_TRY(swap::look_at_folder_swap(swapped));
  while (state.stage != swap::FolderStage::swapped) {
    if (shell.stop.stop_requested())
      return Error(ErrorKind::cancelled, "stopped between two steps");
    state = LB_TRY(swap::advance_folder_swap(swapped, acts));
    shell.console.note(cat("swap     ", swapped.wish.id, ": ", swap::name_of(state.stage)));
  }
  ActEnd out;
  out.ok = true;
  auto until = format_time_seconds(state.until.value());
  out.text = cat(store.name, " exchanged; the old tree is ", state.beside, ", kept until ", until);
  // Gone on with after a crash, it is the point it was filled from, whatever is newest now.
  out.set[cat("point_", store.name)] = state.point;
  out.set[cat("restored_", store.name)] = place.folder;
  out.data.set("swap", swapped.wish.id).set("old", state.beside).set("kept_until", until);
  return out;
}

Result<std::string> RunActs::undo_tree(const Act& act, const plan::Store& store,
                                       const std::string& folder) {
  plan::View what(act.step().what, no_files);
  swap::FolderSwap swapped{
      shell_.world.files, shell_.world.clock, {folder, swap_id_of(act, store.name), {}}};
  auto state = LB_TRY(swap::undo_folder_swap(swapped, acts_of(shell_, session_, what)));
  return cat(store.name, ": ", swap::name_of(state.stage),
             state.beside.empty() ? "" : cat(", put aside is ", state.beside));
}

}  // namespace lb::cli
