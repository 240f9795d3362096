// Files: the file system seam. Paths are bytes (any but NUL), absolute or relative to the working
// directory. Nothing follows a symbolic link in the last component unless said. Thread-safe;
// one File belongs to one thread unless said. The simulated twin (SimFiles) keeps durable and
// volatile state apart and can fail the n-th call or drop what was never synced.
//
// Errors: kinds follow errno (not_found, conflict for EEXIST, denied, exhausted for ENOSPC/EDQUOT
// ...).
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"
#include "foundation/sys/mapped_bytes.h"

namespace lb {

enum class FileKind : std::uint8_t { regular, directory, symlink, fifo, socket, block, character };

struct FileInfo {
  FileKind kind = FileKind::regular;
  std::uint32_t mode = 0;  // permission bits with setuid, setgid, sticky (07777)
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;                      // since 1970
  std::uint64_t device = 0, inode = 0, links = 0, special = 0;  // special: st_rdev
  std::uint64_t allocated = 0;                                  // bytes on disk
};

struct DirEntry {
  std::string name;
  FileKind kind = FileKind::regular;
};

struct DataRange {
  std::uint64_t offset = 0, length = 0;
};

struct SpaceInfo {
  std::uint64_t total = 0, available = 0;  // bytes, as df: what is kept for root is in neither
  std::uint64_t inodes_available = 0;
};

// An open file. read_at, write_at and write_behind are safe from several threads (positioned I/O).
class File {
 public:
  virtual ~File() = default;
  virtual Result<std::size_t> read_at(MutableBytes out,
                                      std::uint64_t offset) = 0;  // short only at the end
  // All of it as memory, for what mapped_bytes.h permits; null where that cannot be.
  virtual std::unique_ptr<MappedBytes> map() { return nullptr; }
  virtual Status write_at(ByteView bytes, std::uint64_t offset) = 0;  // all or error
  virtual Status append(ByteView bytes) = 0;
  // As append(), but past the page cache where file system and alignment of `bytes` (PageBytes)
  // permit: for much data that is not read again soon.
  virtual Status append_direct(ByteView bytes) { return append(bytes); }
  // For much data that nobody reads soon: a range that was written goes to the disk while the
  // caller goes on, and the memory of what went before is let go. A hint, nothing is durable by it.
  virtual void write_behind(DataRange /*range*/) {}
  // Waits for all that is on its way, says what the disk refused of it, and lets go of its memory.
  virtual Status end_behind() { return {}; }
  virtual Status sync() = 0;  // data and size durable; a failed sync is final: write the file anew
  virtual Status truncate(std::uint64_t size) = 0;
  virtual Result<FileInfo> info() = 0;
  virtual Result<std::vector<DataRange>>
  data_ranges() = 0;  // SEEK_DATA/SEEK_HOLE; whole file if unknown
  virtual Status set_mode(std::uint32_t mode) = 0;
  virtual Status set_owner(std::uint32_t uid, std::uint32_t gid) = 0;
  virtual Status set_mtime(std::int64_t mtime_ns) = 0;  // after the last write
  virtual Status close() = 0;  // reports late write errors; the destructor closes silently
};

// Held until it is destroyed, at the latest until the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// A folder that is open: what is in it is found by its name alone, whatever becomes of the path
// that led to it, and without going along that path again. One thread.
class OpenFolder {
 public:
  virtual ~OpenFolder() = default;
  virtual Result<std::vector<DirEntry>> list() = 0;            // as Files::list()
  virtual Result<FileInfo> info(const std::string& name) = 0;  // lstat
  virtual Result<std::unique_ptr<OpenFolder>> open_folder(const std::string& name) = 0;
};

// A file system that is watched from the moment it was given: the kernel says once to each watcher
// what the disk refused, so whoever begins to watch only at the end may hear of nothing.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Status sync() = 0;  // all of it durable (syncfs)
};

class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::unique_ptr<File>> open_read(const std::string& path) = 0;  // O_NOFOLLOW
  virtual Result<std::unique_ptr<File>> create(const std::string& path,
                                               std::uint32_t mode) = 0;  // O_EXCL
  virtual Result<std::unique_ptr<File>> open_write(
      const std::string& path) = 0;  // existing, O_NOFOLLOW
  virtual Status link(const std::string& existing,
                      const std::string& fresh) = 0;  // conflict if it exists
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // replaces
  // Both exist, of whatever kind, on one file system; at no moment is either name without a thing.
  // unsupported where the file system cannot do that.
  virtual Status exchange(const std::string& one, const std::string& other) = 0;
  virtual Status remove(const std::string& path) = 0;  // not a directory
  // Makes the file (0600) where it is missing. conflict while anybody has it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  virtual Status make_directory(const std::string& path, std::uint32_t mode) = 0;
  virtual Status remove_directory(const std::string& path) = 0;  // empty only
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Status sync_filesystem(
      const std::string& path) = 0;  // syncfs of the one that holds `path`
  // The one that holds `path`. Unless overridden: sync_filesystem(path) when it is synced.
  virtual Result<std::unique_ptr<FileSystem>> watch_filesystem(const std::string& path);
  // O_NOFOLLOW. Unless overridden: by_path() of it.
  virtual Result<std::unique_ptr<OpenFolder>> open_folder(const std::string& path);
  virtual Result<std::vector<DirEntry>> list(
      const std::string& path) = 0;                            // sorted by name bytes; no . or ..
  virtual Result<FileInfo> info(const std::string& path) = 0;  // lstat
  virtual Result<SpaceInfo> space(const std::string& path) = 0;
  virtual Result<std::string> read_link(const std::string& path) = 0;
  virtual Status make_symlink(const std::string& target, const std::string& path) = 0;
  virtual Status make_special(const std::string& path, FileKind kind, std::uint32_t mode,
                              std::uint64_t device) = 0;  // fifo, socket, devices
  virtual Status set_mode(const std::string& path, std::uint32_t mode) = 0;
  virtual Status set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) = 0;
  virtual Status set_mtime(const std::string& path, std::int64_t mtime_ns) = 0;
  virtual Result<std::vector<std::string>> list_xattrs(const std::string& path) = 0;
  virtual Result<Buffer> get_xattr(const std::string& path, const std::string& name) = 0;
  virtual Status set_xattr(const std::string& path, const std::string& name, ByteView value) = 0;
};

// Memory as append_direct() likes it. Not cleared.
constexpr std::size_t direct_alignment = 4096;
struct FreePages {
  void operator()(std::uint8_t* bytes) const {
    ::operator delete[](bytes, std::align_val_t(direct_alignment));
  }
};
using PageBytes = std::unique_ptr<std::uint8_t[], FreePages>;
PageBytes make_page_bytes(std::size_t size);

// Goes along the path each time, and holds nothing open.
std::unique_ptr<OpenFolder> by_path(Files& files, const std::string& path);

std::unique_ptr<Files> real_files();

// Helpers over the seam.
std::string path_join(std::string_view folder, std::string_view name);
std::string path_parent(std::string_view path);  // "." when there is none
std::string path_name(std::string_view path);
Result<bool> path_exists(Files& files, const std::string& path);
Status make_directories(Files& files, const std::string& path, std::uint32_t mode);
Status remove_tree(Files& files,
                   const std::string& path);  // missing is fine; never crosses a file system
// Whole small file; more than size_max is ErrorKind::invalid.
Result<Buffer> read_file(Files& files, const std::string& path, std::uint64_t size_max);
// Temp file beside it, write, fsync, rename, fsync of the folder. Replaces.
Status write_durably(Files& files, const std::string& path, ByteView bytes,
                     std::uint32_t mode = 0600);

}  // namespace lb
