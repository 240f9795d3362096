#include "foundation/sys/sandbox_mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "foundation/base/text.h"
#include "foundation/sys/descriptor.h"
#include "foundation/sys/real_file.h"

namespace lb {

namespace {

constexpr std::size_t covers_max = 1000;

// A copy of a mount, taken before folders are hidden and put back after.
struct Kept {
  std::string path;
  Descriptor tree;
  bool folder = true;
};

Result<Kept> keep(const std::string& path, bool writable) {
  if (!path.starts_with('/')) {
    return Error(ErrorKind::invalid, cat("visible path is not absolute: ", printable(path)));
  }
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return path_error(errno, "keep visible", path);
  Descriptor tree(
      ::open_tree(AT_FDCWD, path.c_str(),
                  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW));
  if (!tree.valid()) return path_error(errno, "keep visible", path);
  if (!writable) {
    mount_attr change{};
    change.attr_set = MOUNT_ATTR_RDONLY;
    int failed =
        ::mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof change);
    if (failed != 0) return path_error(errno, "make read-only", path);
  }
  return Kept{path, std::move(tree), S_ISDIR(facts.st_mode)};
}

Result<std::vector<Kept>> keep_all(const SandboxSpec& spec) {
  std::vector<Kept> out;
  auto add = [&](const std::vector<std::string>& paths, bool writable) -> Status {
    for (const auto& path : paths) {
      auto kept = LB_TRY(keep(path, writable));
      out.push_back(std::move(kept));
    }
    return {};
  };
  LB_TRY(add(spec.readable, false));
  LB_TRY(add({spec.folder}, true));
  LB_TRY(add(spec.visible, true));
  // Outer folders first, so that what lies within comes to lie on top. Stable: of two equal paths
  // the writable one, added later, wins.
  std::stable_sort(out.begin(), out.end(),
                   [](const Kept& a, const Kept& b) { return a.path.size() < b.path.size(); });
  return out;
}

bool is_folder(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

Status hide_folder(const std::string& path, const std::string& options) {
  if (!is_folder(path)) return {};  // absent, or a link into a folder that is hidden itself
  int failed = ::mount("lifeboat", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str());
  if (failed != 0 && errno != ENOENT) return path_error(errno, "hide", path);
  return {};
}

Status make_mount_point(const Kept& kept) {
  for (std::size_t slash = 1; (slash = kept.path.find('/', slash)) != std::string::npos; ++slash) {
    auto folder = kept.path.substr(0, slash);
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST && errno != EROFS) {
      return path_error(errno, "make a place for", kept.path);
    }
  }
  if (kept.folder) {
    if (::mkdir(kept.path.c_str(), 0755) == 0 || errno == EEXIST || errno == EROFS) return {};
  } else {
    if (Descriptor(::open(kept.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644))
            .valid() ||
        errno == EROFS || errno == EEXIST) {
      return {};
    }
  }
  return path_error(errno, "make a place for", kept.path);
}

Status put_back(const Kept& kept) {
  LB_TRY(make_mount_point(kept));
  if (::move_mount(kept.tree.get(), "", AT_FDCWD, kept.path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) !=
      0) {
    return path_error(errno, "put back", kept.path);
  }
  return {};
}

Status cover_sockets(const std::vector<std::string>& sockets) {
  std::size_t covered = 0;
  for (const auto& socket : sockets) {
    auto cover = cover_for(socket);
    struct stat facts {};
    // Gone, or hidden by now with the folder it lies in.
    if (::lstat(socket.c_str(), &facts) != 0) continue;
    if (++covered > covers_max) {
      return Error(ErrorKind::unsupported,
                   "too many listening sockets on this host to hide them all");
    }
    if (cover.folder) {
      LB_TRY(hide_folder(cover.path, "mode=0755,size=1m"));
    } else if (::mount("/dev/null", cover.path.c_str(), nullptr, MS_BIND, nullptr) != 0 &&
               errno != ENOENT) {
      return path_error(errno, "hide socket", cover.path);
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> listening_sockets(std::string_view proc_net_unix) {
  constexpr std::size_t flags_field = 3, path_field = 7;
  constexpr unsigned long listening = 0x10000;  // __SO_ACCEPTCON
  std::vector<std::string> out;
  for (const auto& line : split(proc_net_unix, '\n')) {
    std::vector<std::string> fields;
    std::size_t at = 0;
    while (fields.size() < path_field && at < line.size()) {
      auto end = std::min(line.find(' ', at), line.size());
      if (end > at) fields.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    if (fields.size() < path_field || at >= line.size() || line[at] != '/') continue;
    if ((std::strtoul(fields[flags_field].c_str(), nullptr, 16) & listening) == 0) continue;
    out.push_back(line.substr(at));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Cover cover_for(const std::string& socket) {
  auto parent = path_parent(socket);
  static constexpr std::string_view needed_trees[] = {"/usr", "/etc", "/bin", "/sbin",
                                                      "/lib", "/dev", "/sys", "/proc"};
  static constexpr std::string_view needed_folders[] = {"/var/lib", "/var/cache", "/var/log",
                                                        "/var/tmp", "/var/spool"};
  bool deep = std::count(parent.begin(), parent.end(), '/') >= 2;
  for (auto tree : needed_trees) {
    if (parent == tree || parent.starts_with(cat(tree, "/"))) deep = false;
  }
  for (auto folder : needed_folders) {
    if (parent == folder) deep = false;
  }
  return deep ? Cover{parent, true} : Cover{socket, false};
}

Result<std::vector<std::string>> arrange_mounts(const SandboxSpec& spec,
                                                const std::vector<std::string>& host_sockets) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return system_error(errno, "make the mounts of the sandbox private");
  }
  auto kept = LB_TRY(keep_all(spec));
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &change, sizeof change) != 0) {
    return system_error(errno, "make the file system of the sandbox read-only");
  }
  auto own = cat("uid=", spec.user.uid, ",gid=", spec.user.gid);
  LB_TRY(hide_folder("/run", cat("mode=0755,size=64m,", own)));
  LB_TRY(hide_folder("/var/run", cat("mode=0755,size=64m,", own)));
  LB_TRY(hide_folder("/tmp", "mode=1777,size=1g"));
  LB_TRY(hide_folder("/dev/shm", "mode=1777,size=50%"));
  LB_TRY(hide_folder("/dev/mqueue", "mode=0755,size=1m"));
  LB_TRY(hide_folder("/home", "mode=0755,size=16m"));
  LB_TRY(hide_folder("/root", "mode=0755,size=16m"));
  LB_TRY(cover_sockets(host_sockets));
  for (const auto& part : kept) LB_TRY(put_back(part));
  return std::vector<std::string>{
      "mount namespace: host files read-only; /run, /tmp, /dev/shm and homes replaced by empty "
      "ones",
      "folders of listening host sockets hidden"};
}

Status mount_fresh_proc() {
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0) return {};
  return system_error(errno, "mount /proc of the sandbox");
}

}  // namespace lb
