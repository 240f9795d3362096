// SimFiles: the simulated twin of Files, in memory. It keeps what a power cut would leave (what was
// synced) apart from what a running system sees, and can fail the n-th call or run out of space.
// Permissions are kept but not enforced: everybody is root. Thread-safe.
//
// The way of use: run a scenario with fail_call(0), fail_call(1) ... until fault_fired() stays
// false; after each, crash() and look at what is left.
#pragma once

#include <memory>

#include "foundation/sys/files.h"
#include "foundation/sys/random.h"

namespace lb {

class SimTree;

class SimFiles final : public Files {
 public:
  SimFiles();
  ~SimFiles() override;

  // The n-th call from now fails (0: the next) with this errno, EIO by default. A failed sync loses
  // what was not durable, as kernels do. Counted are calls of Files and File, except close().
  void fail_call(std::uint64_t nth, int error = 5);
  // So does every call after it, until fail_call() or crash(): the process was killed there.
  void fail_from(std::uint64_t nth);
  bool fault_fired() const;
  // Bytes of file content in all; writes beyond fill what fits and fail with ENOSPC.
  void set_space(std::uint64_t bytes_max);
  // Whether names can be exchanged; they can unless said.
  void set_exchange(bool can);
  // Power cut: content never synced and names never synced by sync_directory are gone, removed
  // names whose folder was not synced are back, open files are of no use. With `chance`, the disk
  // has also taken some of what was not synced, files perhaps only in part. Faults are switched
  // off.
  void crash(Random* chance = nullptr);

  Result<std::unique_ptr<File>> open_read(const std::string& path) override;
  Result<std::unique_ptr<File>> create(const std::string& path, std::uint32_t mode) override;
  Result<std::unique_ptr<File>> open_write(const std::string& path) override;
  Status link(const std::string& existing, const std::string& fresh) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status exchange(const std::string& one, const std::string& other) override;
  Status remove(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Status make_directory(const std::string& path, std::uint32_t mode) override;
  Status remove_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Status sync_filesystem(const std::string& path) override;
  Result<std::vector<DirEntry>> list(const std::string& path) override;
  Result<FileInfo> info(const std::string& path) override;
  Result<SpaceInfo> space(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Status make_symlink(const std::string& target, const std::string& path) override;
  Status make_special(const std::string& path, FileKind kind, std::uint32_t mode,
                      std::uint64_t device) override;
  Status set_mode(const std::string& path, std::uint32_t mode) override;
  Status set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) override;
  Status set_mtime(const std::string& path, std::int64_t mtime_ns) override;
  Result<std::vector<std::string>> list_xattrs(const std::string& path) override;
  Result<Buffer> get_xattr(const std::string& path, const std::string& name) override;
  Status set_xattr(const std::string& path, const std::string& name, ByteView value) override;

 private:
  class Lock;
  Result<std::unique_ptr<File>> open(const std::string& path, bool writable);

  std::shared_ptr<SimTree> tree_;  // shared with open files
};

}  // namespace lb
