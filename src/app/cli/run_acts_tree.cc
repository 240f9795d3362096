// Steps that exchange a file tree for a restored one, and take that back: restore_tree_swap.cc.
#include "app/cli/protected_places.h"
#include "app/cli/restore_request.h"
#include "app/cli/run_acts.h"
#include "app/cli/service_command.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "recovery/swap/folder_swap.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

const std::vector<std::string> no_files;

// The commands of the service that uses the tree, as far as the step names them.
swap::FolderActs acts_of(const Shell& shell, const Session& session, const plan::View& what) {
  swap::FolderActs out;
  if (what.has("stop")) out.stop = service_command(shell, session, what.text("stop"));
  if (what.has("start")) out.start = service_command(shell, session, what.text("start"));
  return out;
}

}  // namespace

Result<ActEnd> RunActs::replace_tree(const Act& act, const Shell& shell, Session& from,
                                     const plan::Store& store, const RestorePlace& place,
                                     const restore::Choice& choice) {
  plan::View what(act.step().what, no_files);
  Request request;
  request.store = &store;
  request.folder = place.folder;
  request.original = place.original;
  LB_TRY(guard(act, protected_folder(shell, session_, place.folder), request));
  // What this run lives from, also when it reads a copy.
  LB_TRY(check_tree_apart(shell.world.files, session_, place.folder));
  Replacement replacement;
  replacement.run = swap_id_of(act, store.name);
  replacement.keep = what.duration("keep_old").value_or(keep_old_default);
  replacement.stop = what.text("stop");
  replacement.start = what.text("start");
  request.replacement = std::move(replacement);
  auto data = LB_TRY(restore_tree_swap(shell, from, request, choice));
  ActEnd out;
  out.ok = true;
  out.text = cat(store.name, " exchanged; the old tree is ", data["old"].string(), ", kept until ",
                 data["kept_until"].string());
  // Gone on with after a crash, it is the point it was filled from, whatever is newest now.
  out.set[cat("point_", store.name)] = data["point"].string();
  out.set[cat("restored_", store.name)] = place.folder;
  out.data = std::move(data);
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
