#include "recovery/restore/sandbox_folder.h"

namespace lb::restore {

Result<std::string> make_sandbox_folder(World& world, const std::string& root,
                                        const std::string& name) {
  LB_TRY(make_directories(world.files, root, 0711));
  LB_TRY(world.sandboxes.sweep(root));
  return claim_sandbox_folder(world.files, root, name);
}

Status make_private_folder(World& world, const std::string& path, UserId owner) {
  LB_TRY(make_directories(world.files, path, 0700));
  LB_TRY(world.files.set_mode(path, 0700));
  auto info = LB_TRY(world.files.info(path));
  if (info.uid == owner.uid) return {};
  return world.files.set_owner(path, owner.uid, owner.gid);
}

}  // namespace lb::restore
