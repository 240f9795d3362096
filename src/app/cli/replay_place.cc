#include "app/cli/replay_place.h"

#include "foundation/base/text.h"
#include "recovery/restore/sandbox_folder.h"
#include "stores/postgres/restore.h"

namespace lb::cli {

Result<ReplayPlace> make_replay_place(const Shell& shell, const Session& session) {
  ReplayPlace place;
  auto& world = shell.world;
  place.user = LB_TRY(world.sandboxes.unprivileged_user("postgres"));
  auto id = session.repository->fresh_id();
  place.folder =
      LB_TRY(restore::make_sandbox_folder(world, session.sandbox_root, id.substr(id.size() - 8)));
  place.run = path_join(place.folder, "run");
  LB_TRY(restore::make_private_folder(world, place.run, place.user));
  return place;
}

Status open_sandbox(const Shell& shell, ReplayPlace& place, const std::string& data,
                    const std::vector<std::string>& more) {
  SandboxSpec spec;
  spec.folder = place.folder;
  spec.visible = {place.run, data};
  spec.visible.insert(spec.visible.end(), more.begin(), more.end());
  spec.user = place.user;
  place.sandbox = LB_TRY(shell.world.sandboxes.create(spec));
  return {};
}

Status close_replay_place(const Shell& shell, ReplayPlace& place) {
  LB_TRY(place.sandbox->stop());
  return remove_sandbox_folder(shell.world.files, place.folder);
}

Status check_preflight(const Shell& shell, Session& session, const std::string& folder,
                       const restore::Choice& choice, std::uint64_t present) {
  auto snapshot = LB_TRY(session.repository->snapshot(choice.snapshot.id));
  auto outcome = LB_TRY(pg::preflight(shell.world, *snapshot, *choice.target, folder, present));
  if (outcome.bytes_available < outcome.bytes_needed) {
    return Error(ErrorKind::exhausted,
                 cat("the restore needs ", human_size(outcome.bytes_needed), " for ",
                     printable(folder), ", there are ", human_size(outcome.bytes_available)));
  }
  for (const auto& finding : outcome.findings) {
    if (finding.ok) continue;
    return Error(ErrorKind::unsupported, finding.text)
        .with_hint(finding.hint)
        .with_exit(ExitCode::target_unreachable);
  }
  return {};
}

}  // namespace lb::cli
