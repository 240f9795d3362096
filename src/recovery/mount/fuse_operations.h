// FuseOperations: answers the kernel's requests out of a MountTree. Private to
// recovery/mount. A request is answered exactly once; nothing here throws but
// for want of memory, which ends the process.
#pragma once

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "recovery/mount/content_reader.h"
#include "recovery/mount/mount_tree.h"
#include "recovery/mount/trouble.h"

namespace lb::mount {

class FuseOperations {
 public:
  FuseOperations(MountTree& tree, ContentReader& reader, TroubleLog& trouble, bool check_access)
      : tree_(tree), reader_(reader), trouble_(trouble), check_access_(check_access) {}
  ~FuseOperations();
  FuseOperations(const FuseOperations&) = delete;
  FuseOperations& operator=(const FuseOperations&) = delete;

  // For fuse_session_new; its user data must be a FuseOperations.
  static fuse_lowlevel_ops table();

 private:
  using Handle = std::shared_ptr<OpenFile>;
  void close(Handle* handle);
  void init(fuse_conn_info* connection) const;
  void lookup(fuse_req_t request, Id parent, const char* name);
  void attributes(fuse_req_t request, Id id);
  void link_target(fuse_req_t request, Id id);
  void open(fuse_req_t request, Id id, fuse_file_info* info);
  void read(fuse_req_t request, Id id, std::size_t size, off_t offset, const fuse_file_info* info);
  void release(fuse_req_t request, const fuse_file_info* info);
  void seek(fuse_req_t request, off_t offset, int whence, const fuse_file_info* info);
  void list(fuse_req_t request, Id id, std::size_t size, off_t offset, bool with_attributes);
  void list_xattrs(fuse_req_t request, Id id, std::size_t size);
  void get_xattr(fuse_req_t request, Id id, const char* name, std::size_t size);
  void totals(fuse_req_t request);
  void fail(fuse_req_t request, Id id, const Error& error) { fail(request, tree_.path(id), error); }
  void fail(fuse_req_t request, const std::string& path, const Error& error);

  MountTree& tree_;
  ContentReader& reader_;
  TroubleLog& trouble_;
  const bool check_access_;
  std::mutex mutex_;
  std::set<Handle*> handles_;  // of open files
};

}  // namespace lb::mount
