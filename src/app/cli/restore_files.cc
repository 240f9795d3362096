#include "app/cli/restore_request.h"
#include "foundation/base/text.h"
#include "stores/files/store.h"

namespace lb::cli {

Result<Json> restore_files(const Shell& shell, Session& session, const Request& request,
                           const restore::Choice& choice) {
  auto& console = shell.console;
  auto snapshot = LB_TRY(session.repository->snapshot(choice.snapshot.id));
  files::RestoreOptions options;
  options.folder = request.folder;
  options.mode = request.exact ? files::RestoreMode::exact : files::RestoreMode::merge;
  options.only = request.only;
  options.owners = shell.uid == 0;
  options.progress = console.progress(cat("restore ", request.store->name));
  std::vector<std::string> deletions;
  if (request.exact) deletions = LB_TRY(files::plan_deletions(shell.world, *snapshot, options));
  for (const auto& path : deletions) console.note(cat("will delete  ", printable(path)));
  auto need = LB_TRY(files::space_needed(*snapshot));
  auto what = cat("point    ", choice.snapshot.id, " of ", format_time(choice.snapshot.meta.taken),
                  "\nwrites   up to ", human_size(need.bytes), "; deletes ", deletions.size(),
                  " items\n", loss_line(shell, request, choice));
  if (request.dry_run) {
    console.out(what);
    return dry_run_summary();
  }
  bool asks = request.original || !request.guarded.empty() || !deletions.empty();
  if (asks) LB_TRY(confirm(shell, session, request, what));
  auto started = shell.world.clock.steady();
  auto outcome = LB_TRY(files::restore(shell.world, *snapshot, options, deletions, shell.stop));
  auto took = shell.world.clock.steady() - started;
  console.end_progress();
  for (const auto& warning : outcome.warnings) console.warn(warning);
  if (!console.options().json) {
    console.out(cat("restored ", request.store->name, " as of ",
                    format_time(choice.snapshot.meta.taken), " to ", request.folder, ": ",
                    human_count(outcome.items), " items, ", human_size(outcome.bytes), " in ",
                    human_duration(took)));
  }
  return restore_summary(request, choice, outcome, took);
}

}  // namespace lb::cli
