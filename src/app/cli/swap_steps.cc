#include "app/cli/swap_steps.h"

#include "foundation/base/text.h"
#include "stores/postgres/database_rescue.h"
#include "stores/postgres/database_swap.h"

namespace lb::cli {

Status confirm_swap(const Shell& shell, const std::string& confirmed,
                    const swap::DestructiveAct& act) {
  auto typed = confirmed;
  if (typed.empty())
    typed = shell.console.ask(cat("Type the name of the target (", act.target, ") to go on:"));
  return swap::check_typed_name(act, typed);
}

Status choose_swap_run(const Shell& shell, const Session& session, const Request& request,
                       swap::FolderWish& wish) {
  const auto& given = request.replacement->run;
  auto fresh = session.repository->fresh_id();
  wish.id = lower(given.empty() ? fresh.substr(fresh.size() - 8) : given);
  if (!given.empty()) return {};
  auto kept = LB_TRY(swap::kept_folders(shell.world.files, shell.world.clock, wish.live));
  for (const auto& each : kept) {
    bool settled = each.stage == swap::FolderStage::swapped ||
                   each.stage == swap::FolderStage::undone || !each.trouble.empty();
    if (settled) continue;
    return Error(ErrorKind::denied, cat("swap ", each.id, " of ", printable(wish.live),
                                        " is not finished (", swap::name_of(each.stage), ")"))
        .with_hint(cat("go on with --run ", each.id, ", or end it: lifeboat swap undo ", each.id))
        .with_exit(ExitCode::refused);
  }
  return {};
}

static bool is_database_filled(const Session& session, const Rescue& rescue,
                               const std::string& run) {
  auto state = [&]() -> Result<pg::SwapState> {
    auto into = LB_TRY(session.references->secret(rescue.into));
    auto maintenance = LB_TRY(pg::conninfo_to(into, "postgres"));
    auto connection = LB_TRY(pg::Connection::open(maintenance));
    return pg::look_at_swap(*connection, {rescue.database, run, {}});
  }();
  return state.ok() && state->stage != pg::SwapStage::none &&
         state->stage != pg::SwapStage::unfinished;
}

bool is_under_way(const Shell& shell, const Session& session, const Request& request) {
  if (!request.replacement || request.replacement->run.empty()) return false;
  auto run = lower(request.replacement->run);
  if (request.rescue) return is_database_filled(session, *request.rescue, run);
  auto state =
      swap::look_at_folder_swap({shell.world.files, shell.world.clock, {request.folder, run, {}}});
  return state.ok() && !is_to_fill(*state);
}

static Error left_behind(const FolderExchange& exchange, Error error) {
  auto state = swap::look_at_folder_swap(exchange.folder);
  if (!state.ok()) return error;
  if (state->stage == swap::FolderStage::none)
    return std::move(error).with_left("the target, unchanged");
  const auto& id = exchange.folder.wish.id;
  const auto& noun = exchange.noun;
  bool exchanged = state->stage == swap::FolderStage::exchanged;
  bool down = state->stopped && (!exchange.is_down || exchange.is_down());
  auto what = exchanged ? cat("the restored ", noun, " in place, not in use; the old one is ")
              : down ? cat("the live ", noun, " as it was, ", exchange.user, " stopped; beside it ")
                     : cat("the live ", noun, " as it was, and beside it ");
  bool needs_commands = state->stopped || (exchanged && exchange.with_commands);
  auto commands = needs_commands ? " --stop … --start …" : "";
  auto undoes = exchanged ? " puts the old one back"
                : down    ? " starts the live one and removes it"
                          : " removes it";
  return std::move(error)
      .with_left(cat(what, printable(state->beside)))
      .with_hint(cat("the same command with --run ", id, " goes on; lifeboat swap undo ", id,
                     commands, undoes));
}

Status carry_out(const FolderExchange& exchange, const swap::FolderActs& acts,
                 swap::FolderState& state, std::stop_token stop) {
  while (state.stage != swap::FolderStage::swapped) {
    if (stop.stop_requested())
      return left_behind(exchange, Error(ErrorKind::cancelled, "stopped between two steps"));
    auto next = swap::advance_folder_swap(exchange.folder, acts);
    if (!next.ok()) return left_behind(exchange, std::move(next).take_error());
    state = *next;
    exchange.shell.console.note(
        cat("swap     ", exchange.folder.wish.id, ": ", swap::name_of(state.stage)));
  }
  return {};
}

}  // namespace lb::cli
