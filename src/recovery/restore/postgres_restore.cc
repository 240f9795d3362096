#include "recovery/restore/postgres_restore.h"

#include "foundation/base/text.h"
#include "recovery/restore/sandbox_folder.h"

namespace lb::restore {

Result<PostgresRestored> restore_postgres(World& world, repo::Repository& repository,
                                          const Choice& choice, const PostgresWishes& wishes,
                                          Sandbox& sandbox, std::stop_token stop) {
  LB_ASSERT(choice.details && choice.target);
  PostgresRestored out;
  out.snapshot = LB_TRY(repository.snapshot(choice.snapshot.id));
  pg::LayoutOptions layout;
  layout.folder = wishes.place.data_folder;
  layout.owner = wishes.owner;
  layout.over_present = wishes.over_present;
  layout.tablespaces = wishes.tablespaces;
  layout.workers = wishes.workers;
  layout.write_behind = !wishes.throwaway;
  layout.progress = wishes.progress;
  out.layout = LB_TRY(
      pg::lay_out(world, *out.snapshot, layout, stop).context(cat("restore ", choice.store)));
  if (wishes.laid_out) wishes.laid_out(out.layout);

  pg::RecoveryOptions recovery;
  recovery.folder = wishes.place.data_folder;
  recovery.socket_folder = path_join(wishes.place.private_folder, "socket");
  recovery.spool_folder = path_join(wishes.place.private_folder, "spool");
  recovery.log_path = path_join(wishes.place.private_folder, "postgres.log");
  recovery.run_marker = wishes.run_marker;
  recovery.throwaway = wishes.throwaway;
  recovery.binaries = LB_TRY(pg::find_binaries(world.files, choice.details->server_version));
  LB_TRY(make_private_folder(world, wishes.place.private_folder, wishes.owner));
  LB_TRY(make_private_folder(world, recovery.socket_folder, wishes.owner));
  LB_TRY(make_private_folder(world, recovery.spool_folder, wishes.owner));

  auto starter = [&sandbox](const Command& command) { return sandbox.start(command); };
  out.server = LB_TRY(pg::RecoveryServer::start(world, repository, *choice.details, *choice.target,
                                                recovery, starter, stop)
                          .context(cat("replay the log of ", choice.store)));
  return out;
}

}  // namespace lb::restore
