// The tree behind SimFiles: nodes that keep what a crash would leave apart from what a running
// system sees. Private to foundation/sys.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "foundation/sys/files.h"
#include "foundation/sys/random.h"

namespace lb {

struct SimNode;

struct SimContent {
  Buffer data;
  std::string target;  // of a symbolic link
  std::map<std::string, Buffer> xattrs;
  std::map<std::string, std::shared_ptr<SimNode>> entries;  // shared: hard links, open files
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;
};

struct SimNode {
  FileKind kind = FileKind::regular;
  std::uint64_t inode = 0, special = 0, links = 0;
  SimContent live, durable;
  std::optional<std::uint64_t> locked_in;  // the epoch of the lock's holder
};

// A name in a folder; `node` is null when nothing has that name. `folder` is null for "/" and "..".
struct SimPlace {
  std::shared_ptr<SimNode> folder;
  std::string name;
  std::shared_ptr<SimNode> node;
};

class SimTree {
 public:
  SimTree();

  // Counts a call; fails it when it is the one that was told to fail. The caller holds the mutex.
  Status enter(const std::string& path);
  Result<SimPlace> find(const std::string& path, bool follow_last = false);
  Result<SimPlace> find_existing(const std::string& path, bool follow_last = false);
  Result<SimPlace> find_free(const std::string& path);
  std::shared_ptr<SimNode> add(const SimPlace& place, FileKind kind, std::uint32_t mode);
  void unlink(const SimPlace& place);
  // Sets the size, as far as space allows: false when it does not.
  bool resize(SimNode& node, std::uint64_t size);
  std::uint64_t space_left() const;
  void touch(SimNode& node);
  void sync_all();
  void crash(Random* chance);
  FileInfo info(const SimNode& node) const;

  std::mutex mutex;
  std::uint64_t calls = 0;
  std::optional<std::uint64_t> fail_at;
  bool fail_on = false;  // and all calls after it
  int fail_errno = 0;
  bool fired = false;
  std::uint64_t space_max = std::uint64_t{1} << 40;
  bool can_exchange = true;
  std::uint64_t epoch = 0;  // files opened before a crash are of no use after it

 private:
  void restore(SimNode& node, Random* chance, std::map<const SimNode*, bool>& seen);

  std::shared_ptr<SimNode> root_;
  std::uint64_t next_inode_ = 1;
  std::uint64_t used_ = 0;
  std::int64_t now_ns_ = 1'700'000'000'000'000'000;
};

}  // namespace lb
