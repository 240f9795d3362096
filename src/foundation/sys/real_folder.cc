#include "foundation/sys/real_folder.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "foundation/base/text.h"
#include "foundation/sys/real_file.h"

namespace lb {

namespace {

constexpr std::size_t list_bytes = 32 << 10;  // of a folder, read at once
constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME;

// -1: errno says why.
int open_at(int folder, const char* path, int flags, mode_t mode) {
  for (;;) {
    int number = ::openat(folder, path, flags | O_CLOEXEC, mode);
    if (number >= 0) return number;
    if (errno == EPERM && (flags & O_NOATIME) != 0) {
      flags &= ~O_NOATIME;
      continue;
    }
    if (errno != EINTR) return -1;
  }
}

}  // namespace

Status check_path(const std::string& path) {
  if (path.empty()) return Error(ErrorKind::invalid, "empty path");
  if (path.find('\0') == std::string::npos) return {};
  return Error(ErrorKind::invalid, cat("path with a NUL byte: ", printable(path)));
}

std::string path_inside(const std::string& folder) {
  bool ends = folder.size() > 2 && folder.ends_with("/.");
  return ends ? folder.substr(0, folder.size() - 2) : folder;
}

Result<Descriptor> open_path(const std::string& path, int flags, mode_t mode) {
  LB_TRY(check_path(path));
  Descriptor out(open_at(AT_FDCWD, path.c_str(), flags, mode));
  if (!out.valid()) return path_error(errno, "open", path);
  return out;
}

RealFolder::RealFolder(Descriptor descriptor, std::string path)
    : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

Result<std::unique_ptr<RealFolder>> RealFolder::open(const std::string& path) {
  auto descriptor = LB_TRY(open_path(path, folder_flags));
  return std::make_unique<RealFolder>(std::move(descriptor), path_inside(path));
}

Status RealFolder::add_entry(const char* name, unsigned char type,
                             std::vector<DirEntry>& out) const {
  if (std::string_view(name) == "." || std::string_view(name) == "..") return {};
  struct stat raw {};
  if (type != DT_UNKNOWN) {
    raw.st_mode = static_cast<mode_t>(DTTOIF(type));
  } else if (::fstatat(descriptor_.get(), name, &raw, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};  // it vanished while we looked
    return path_error(errno, "stat", path_join(path_, name));
  }
  out.push_back({name, kind_of_mode(raw.st_mode)});
  return {};
}

// Without readdir(): opendir() asks the kernel three more things about each folder, and many trees
// have more small folders than anything else.
Result<std::vector<DirEntry>> RealFolder::list() {
  if (::lseek(descriptor_.get(), 0, SEEK_SET) != 0) return path_error(errno, "list", path_);
  std::vector<DirEntry> out;
  alignas(dirent64) char room[list_bytes];
  for (;;) {
    auto size = ::getdents64(descriptor_.get(), room, sizeof room);
    if (size == 0 || (size < 0 && errno == ENOENT)) break;  // the latter: removed meanwhile
    if (size < 0) return path_error(errno, "list", path_);
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(room + at);
      at += entry->d_reclen;
      LB_TRY(add_entry(entry->d_name, entry->d_type, out));
    }
  }
  std::sort(out.begin(), out.end(),
            [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
  return out;
}

Result<FileInfo> RealFolder::info(const std::string& name) {
  LB_TRY(check_path(name));
  struct stat raw {};
  if (::fstatat(descriptor_.get(), name.c_str(), &raw, AT_SYMLINK_NOFOLLOW) == 0) {
    return info_of(raw);
  }
  return path_error(errno, "stat", path_join(path_, name));
}

Result<std::unique_ptr<OpenFolder>> RealFolder::open_folder(const std::string& name) {
  LB_TRY(check_path(name));
  auto path = path_join(path_, name);
  Descriptor inner(open_at(descriptor_.get(), name.c_str(), folder_flags, 0));
  if (!inner.valid()) return path_error(errno, "open", path);
  return std::unique_ptr<OpenFolder>(
      std::make_unique<RealFolder>(std::move(inner), std::move(path)));
}

}  // namespace lb
