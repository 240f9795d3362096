// The files store: trees with modes, owners, times, links, holes, xattrs and ACLs.
//
// Rows: key = path below the root with '/' replaced by NUL (so that key order is walk order, the
// root itself is the empty key); attributes = files::Attributes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stores/seam/store.h"

namespace lb::files {

struct Attributes {
  FileKind kind = FileKind::regular;
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::string user, group;  // names at backup time; may be empty
  std::int64_t mtime_ns = 0, ctime_ns = 0;
  std::uint64_t inode = 0, device = 0;
  std::uint64_t special = 0;  // device number of device files
  std::string link_target;    // symlink
  std::string hard_link_to;   // path below the root of the first name of the same file
  std::uint64_t links = 1;    // names of the file at backup time, those outside the tree included
  std::vector<std::pair<std::string, Buffer>> xattrs;  // ACLs are system.posix_acl_*
  // False: the content of a file, or the names in a folder, could not be read or were left out on
  // purpose (another file system). Nothing below is restored, and nothing below is ever deleted.
  bool complete = true;
};
Buffer encode(const Attributes& attributes);
Result<Attributes> decode_attributes(ByteView bytes);
std::string key_of(const std::string& relative_path);
std::string path_of(const std::string& key);

struct SourceOptions {
  std::string store, root;
  std::vector<std::string> include, exclude;  // gitignore-like globs, relative to the root
  std::vector<std::string> skip;  // absolute folders never entered (the repository itself)
  bool one_filesystem = true;
};
std::unique_ptr<Source> make_source(SourceOptions options);

enum class RestoreMode { merge, exact };
struct RestoreOptions {
  std::string folder;  // place of the root
  RestoreMode mode = RestoreMode::merge;
  std::vector<std::string> only;         // paths below the root; empty: all
  bool owners = true;                    // restore owners (needs root)
  std::optional<UserId> owner_override;  // everything owned by this user instead (sandbox)
  unsigned workers = 2;
  ProgressSink progress;
};
// exact: what exists below the folder (and `only`) but not in the snapshot. Sorted; for the
// question. Never in it: what the snapshot has no say about (left out by include, exclude or skip,
// unreadable when the backup ran), sockets, other file systems.
Result<std::vector<std::string>> plan_deletions(World& world, repo::SnapshotReader& snapshot,
                                                const RestoreOptions& options);
// What the snapshot has no say about, for people: a tree that takes the place of the live one would
// lack it. Empty: it holds all of the tree as it was.
Result<std::vector<std::string>> left_out(repo::SnapshotReader& snapshot);
// merge: files that are there and equal (size, mtime; content too where a restore was cut off
// before) are left, others replaced atomically (temp file, rename). exact: every byte is compared,
// attributes are corrected, then `deletions` are deleted, which must be what plan_deletions gives
// now (else conflict, exit refused). Owners are restored by number. Durable when it returns: one
// sync of each file system at the end.
Result<RestoreOutcome> restore(World& world, repo::SnapshotReader& snapshot,
                               const RestoreOptions& options,
                               const std::vector<std::string>& deletions, std::stop_token stop);

// For preflight: bytes and inodes the restore needs.
struct SpaceNeed {
  std::uint64_t bytes = 0, files = 0;
};
Result<SpaceNeed> space_needed(repo::SnapshotReader& snapshot);

}  // namespace lb::files
