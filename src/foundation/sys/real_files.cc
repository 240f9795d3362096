#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "foundation/base/text.h"
#include "foundation/sys/files.h"
#include "foundation/sys/real_file.h"
#include "foundation/sys/real_folder.h"

namespace lb {

namespace {

Result<std::unique_ptr<File>> to_file(Descriptor descriptor, const std::string& path,
                                      ReadCache cache = ReadCache::kept) {
  auto file = std::make_unique<RealFile>(std::move(descriptor), path, cache);
  auto facts = LB_TRY(file->info());
  if (facts.kind == FileKind::directory || facts.kind == FileKind::fifo ||
      facts.kind == FileKind::socket) {
    return Error(ErrorKind::invalid, cat("open ", printable(path), ": not a regular file"));
  }
  return std::unique_ptr<File>(std::move(file));
}

Result<std::vector<std::string>> split_names(const std::vector<char>& raw, std::size_t size) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < size; at += out.back().size() + 1) {
    out.emplace_back(raw.data() + at);
  }
  std::sort(out.begin(), out.end());
  return out;
}

class RealFileSystem final : public FileSystem {
 public:
  RealFileSystem(Descriptor held, std::string path)
      : held_(std::move(held)), path_(std::move(path)) {}
  Status sync() override {
    if (::syncfs(held_.get()) == 0) return {};
    return path_error(errno, "sync the file system of", path_);
  }

 private:
  Descriptor held_;
  std::string path_;
};

class RealLock final : public FileLock {
 public:
  explicit RealLock(Descriptor held) : held_(std::move(held)) {}

 private:
  Descriptor held_;
};

class RealFiles final : public Files {
 public:
  Result<std::unique_ptr<File>> open_read(const std::string& path) override {
    // O_NONBLOCK: a fifo that took the place of a file must not hang the reader.
    auto descriptor =
        LB_TRY(open_path(path, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_NONBLOCK | O_NOCTTY));
    // Backups read once from front to back: read ahead, and do not push the pages that the
    // production server needs out of the cache. Only hints; refusal costs nothing.
    (void)::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    (void)::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_NOREUSE);
    return to_file(std::move(descriptor), path);
  }

  Result<std::unique_ptr<File>> create(const std::string& path, std::uint32_t mode) override {
    auto descriptor = LB_TRY(open_path(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
    return std::unique_ptr<File>(std::make_unique<RealFile>(std::move(descriptor), path));
  }

  Result<std::unique_ptr<File>> open_write(const std::string& path) override {
    auto descriptor = LB_TRY(open_path(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    // Who writes over what is there reads it once, to compare. Kept, it would take as much memory
    // as the files are large: on a virtual machine, new memory, which costs more than the reading.
    return to_file(std::move(descriptor), path, ReadCache::passing);
  }

  Status link(const std::string& existing, const std::string& fresh) override {
    LB_TRY(check_path(existing));
    LB_TRY(check_path(fresh));
    return outcome(::link(existing.c_str(), fresh.c_str()), "link", fresh);
  }

  Status rename(const std::string& from, const std::string& to) override {
    LB_TRY(check_path(from));
    LB_TRY(check_path(to));
    return outcome(::rename(from.c_str(), to.c_str()), "rename to", to);
  }

  Status exchange(const std::string& one, const std::string& other) override {
    LB_TRY(check_path(one));
    LB_TRY(check_path(other));
    if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0)
      return {};
    // EINVAL is also the answer for a folder and something within it.
    bool lacks =
        errno == ENOSYS || errno == ENOTSUP ||
        (errno == EINVAL && !one.starts_with(other + "/") && !other.starts_with(one + "/"));
    if (!lacks) return path_error(errno, "exchange with another name", one);
    return Error(ErrorKind::unsupported,
                 cat("the file system cannot exchange names: ", printable(one)));
  }

  Status remove(const std::string& path) override {
    LB_TRY(check_path(path));
    return outcome(::unlink(path.c_str()), "remove", path);
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    auto held = LB_TRY(open_path(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (::flock(held.get(), LOCK_EX | LOCK_NB) == 0)
      return std::unique_ptr<FileLock>(std::make_unique<RealLock>(std::move(held)));
    if (errno != EWOULDBLOCK) return path_error(errno, "lock", path);
    return Error(ErrorKind::conflict, cat("another program has the lock ", printable(path)));
  }

  Status make_directory(const std::string& path, std::uint32_t mode) override {
    LB_TRY(check_path(path));
    return outcome(::mkdir(path.c_str(), mode), "make directory", path);
  }

  Status remove_directory(const std::string& path) override {
    LB_TRY(check_path(path));
    return outcome(::rmdir(path.c_str()), "remove directory", path);
  }

  Status sync_directory(const std::string& path) override {
    auto descriptor = LB_TRY(open_path(path, O_RDONLY | O_DIRECTORY));
    // EINVAL: this file system has nothing to sync for a directory (some network and FUSE ones).
    if (::fsync(descriptor.get()) == 0 || errno == EINVAL) return {};
    return path_error(errno, "sync directory", path);
  }

  Status sync_filesystem(const std::string& path) override {
    auto watched = LB_TRY(watch_filesystem(path));
    return watched->sync();
  }

  Result<std::unique_ptr<FileSystem>> watch_filesystem(const std::string& path) override {
    auto held = LB_TRY(open_path(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    return std::unique_ptr<FileSystem>(std::make_unique<RealFileSystem>(std::move(held), path));
  }

  Result<std::vector<DirEntry>> list(const std::string& path) override {
    auto folder = LB_TRY(RealFolder::open(path));
    return folder->list();
  }

  Result<std::unique_ptr<OpenFolder>> open_folder(const std::string& path) override {
    auto folder = LB_TRY(RealFolder::open(path));
    return std::unique_ptr<OpenFolder>(std::move(folder));
  }

  Result<FileInfo> info(const std::string& path) override {
    LB_TRY(check_path(path));
    struct stat raw {};
    if (::lstat(path.c_str(), &raw) != 0) return path_error(errno, "stat", path);
    return info_of(raw);
  }

  Result<SpaceInfo> space(const std::string& path) override {
    LB_TRY(check_path(path));
    struct statvfs raw {};
    if (::statvfs(path.c_str(), &raw) != 0) return path_error(errno, "free space of", path);
    const auto usable = raw.f_blocks - raw.f_bfree + raw.f_bavail;
    return SpaceInfo{usable * raw.f_frsize, raw.f_bavail * raw.f_frsize, raw.f_favail};
  }

  Result<std::string> read_link(const std::string& path) override {
    LB_TRY(check_path(path));
    for (std::size_t size = 256;; size *= 2) {
      std::string out(size, '\0');
      auto got = ::readlink(path.c_str(), out.data(), out.size());
      if (got < 0) return path_error(errno, "read link", path);
      if (static_cast<std::size_t>(got) == size) continue;
      out.resize(static_cast<std::size_t>(got));
      return out;
    }
  }

  Status make_symlink(const std::string& target, const std::string& path) override {
    LB_TRY(check_path(target));
    LB_TRY(check_path(path));
    return outcome(::symlink(target.c_str(), path.c_str()), "make symbolic link", path);
  }

  Status make_special(const std::string& path, FileKind kind, std::uint32_t mode,
                      std::uint64_t device) override {
    LB_TRY(check_path(path));
    mode_t type = 0;
    switch (kind) {
      case FileKind::fifo:
        type = S_IFIFO;
        break;
      case FileKind::socket:
        type = S_IFSOCK;
        break;
      case FileKind::block:
        type = S_IFBLK;
        break;
      case FileKind::character:
        type = S_IFCHR;
        break;
      default:
        return Error(ErrorKind::invalid, cat("not a special file: ", printable(path)));
    }
    return outcome(::mknod(path.c_str(), type | (mode & 07777), device), "make special file", path);
  }

  Status set_mode(const std::string& path, std::uint32_t mode) override {
    LB_TRY(check_path(path));
    return outcome(::fchmodat(AT_FDCWD, path.c_str(), mode, AT_SYMLINK_NOFOLLOW), "change mode of",
                   path);
  }

  Status set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) override {
    LB_TRY(check_path(path));
    return outcome(::lchown(path.c_str(), uid, gid), "change owner of", path);
  }

  Status set_mtime(const std::string& path, std::int64_t mtime_ns) override {
    LB_TRY(check_path(path));
    timespec times[2] = {{0, UTIME_OMIT}, time_of_nanos(mtime_ns)};
    return outcome(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW),
                   "change time of", path);
  }

  Result<std::vector<std::string>> list_xattrs(const std::string& path) override {
    LB_TRY(check_path(path));
    for (;;) {
      auto size = ::llistxattr(path.c_str(), nullptr, 0);
      if (size < 0 && errno == ENOTSUP) return std::vector<std::string>();
      if (size < 0) return path_error(errno, "list attributes of", path);
      std::vector<char> raw(static_cast<std::size_t>(size) + 1);
      auto got = ::llistxattr(path.c_str(), raw.data(), raw.size());
      if (got < 0 && errno == ERANGE) continue;  // it grew between the calls
      if (got < 0) return path_error(errno, "list attributes of", path);
      return split_names(raw, static_cast<std::size_t>(got));
    }
  }

  Result<Buffer> get_xattr(const std::string& path, const std::string& name) override {
    LB_TRY(check_path(path));
    for (;;) {
      auto size = ::lgetxattr(path.c_str(), name.c_str(), nullptr, 0);
      if (size < 0) return path_error(errno, cat("read attribute ", printable(name), " of"), path);
      Buffer out(static_cast<std::size_t>(size) + 1);
      auto got = ::lgetxattr(path.c_str(), name.c_str(), out.data(), out.size());
      if (got < 0 && errno == ERANGE) continue;
      if (got < 0) return path_error(errno, cat("read attribute ", printable(name), " of"), path);
      out.resize(static_cast<std::size_t>(got));
      return out;
    }
  }

  Status set_xattr(const std::string& path, const std::string& name, ByteView value) override {
    LB_TRY(check_path(path));
    return outcome(::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0),
                   cat("set attribute ", printable(name), " of"), path);
  }

 private:
  static Status outcome(int result, std::string_view what, const std::string& path) {
    if (result == 0) return {};
    return path_error(errno, what, path);
  }
};

}  // namespace

std::unique_ptr<Files> real_files() { return std::make_unique<RealFiles>(); }

}  // namespace lb
