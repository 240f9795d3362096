// mount: a point, or all points of a store, as a read-only file system.
#include "app/cli/background.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "recovery/mount/mount.h"

#include <unistd.h>

namespace lb::cli {

namespace {

// What to show: one point, or the points of a store.
struct Choice {
  std::string what;   // "point 06FQ… of media", "store media, 12 points"
  std::string point;  // id, or empty
  std::vector<repo::SnapshotInfo> points;
};

bool is_readable(const repo::SnapshotInfo& point) { return point.meta.kind != "damaged"; }

Choice choose_store(const std::string& store, const std::vector<repo::SnapshotInfo>& all) {
  Choice choice;
  for (const auto& point : all) {
    if (point.meta.store == store && is_readable(point)) choice.points.push_back(point);
  }
  choice.what = cat("store ", store, ", ", choice.points.size(),
                    choice.points.size() == 1 ? " point" : " points");
  return choice;
}

Result<Choice> choose(const Session& session, const std::string& name) {
  auto all = LB_TRY(session.repository->snapshots());
  if (session.plan.plan.store(name) != nullptr) {
    auto choice = choose_store(name, all);
    if (!choice.points.empty()) return choice;
    return Error(ErrorKind::not_found, cat("there is no recovery point of ", name, " yet"))
        .with_hint(cat("take one with lifeboat backup ", name))
        .with_exit(ExitCode::point_unreachable);
  }
  std::vector<repo::SnapshotInfo> found;
  for (const auto& point : all) {
    if (point.id.starts_with(name)) found.push_back(point);
  }
  if (found.size() > 1) {
    return Error(ErrorKind::invalid, cat(found.size(), " points begin with ", printable(name)))
        .with_hint("give more of the id; lifeboat ls lists points");
  }
  if (found.empty()) {
    return Error(ErrorKind::not_found, cat("no recovery point or store '", printable(name), "'"))
        .with_hint("lifeboat ls lists points")
        .with_exit(ExitCode::point_unreachable);
  }
  const auto& point = found.front();
  return Choice{cat("point ", point.id, " of ", point.meta.store, ", ",
                    format_time_seconds(point.meta.taken)),
                point.id,
                {}};
}

Result<FileInfo> check_folder(const Shell& shell, const std::string& folder) {
  auto info = shell.world.files.info(folder);
  if (info.ok() && info->kind == FileKind::directory) return info;
  auto why = info.ok() ? cat(folder, " is no folder") : info.error().text();
  return Error(ErrorKind::not_found, why)
      .with_hint(
          "mount on an existing, empty folder; umount -l clears what a "
          "crash left")
      .with_exit(ExitCode::target_unreachable);
}

Result<ExitCode> serve_here(const Shell& shell, const Args& args, const std::string& folder) {
  auto session = LB_TRY(Session::open(shell, args));
  auto choice = LB_TRY(choose(*session, args.positionals[0]));
  UserId owner{shell.uid, getegid()};
  std::unique_ptr<mount::MountTree> tree;
  if (choice.point.empty()) {
    tree = mount::MountTree::of_store(*session->repository, std::move(choice.points), owner);
  } else {
    tree = LB_TRY(mount::MountTree::of_point(*session->repository, choice.point, owner));
  }
  mount::ServeOptions options;
  options.folder = folder;
  options.allow_other = args.has("allow-other");
  auto ready = [&] {
    auto& console = shell.console;
    console.note(cat("mounted ", choice.what, " on ", folder, "; ends with umount ", folder));
    console.event("lifeboat.mounted/1",
                  Json::object().set("folder", folder).set("what", choice.what));
  };
  LB_TRY(mount::serve(shell.world, shell.console, *tree, options, shell.stop, ready));
  return ExitCode::ok;
}

Result<ExitCode> serve_behind(const Shell& shell, const Args& args, const std::string& folder,
                              const FileInfo& before) {
  std::vector<std::string> words = {"mount",  args.positionals[0],   folder, "--foreground",
                                    "--plan", plan_path(shell, args)};
  for (const char* flag : {"allow-other", "json", "quiet", "verbose"}) {
    if (args.has(flag)) words.push_back(cat("--", flag));
  }
  return run_in_background(shell, std::move(words), [&] {
    auto now = shell.world.files.info(folder);
    return now.ok() && now->device != before.device;
  });
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  if (args.positionals.size() != 2) {
    return Error(ErrorKind::invalid, "mount needs a point or store, and a folder")
        .with_hint("lifeboat ls lists points");
  }
  const auto& wish = args.positionals[1];
  auto folder = wish.starts_with('/') ? wish : path_join(shell.folder, wish);
  auto before = LB_TRY(check_folder(shell, folder));
  if (args.has("foreground")) return serve_here(shell, args, folder);
  return serve_behind(shell, args, folder, before);
}

}  // namespace

Verb mount_verb() {
  return {{"mount",
           "Shows a recovery point, or all points of a store, as a read-only "
           "folder.",
           {"lifeboat mount 06FQ0KZ4 /mnt    # one point; the beginning of its id "
            "is enough",
            "lifeboat mount media /mnt       # every point of a store, by time, "
            "and latest"},
           "mount POINT|STORE FOLDER [flags]",
           {{"allow-other", 0, "", "other users may enter too, as modes and ACLs let them", false},
            {"foreground", 'f', "", "stay until Ctrl-C, SIGTERM or umount", false}},
           2},
          run};
}

}  // namespace lb::cli
