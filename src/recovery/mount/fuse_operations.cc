#include "recovery/mount/fuse_operations.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "foundation/base/text.h"
#include "recovery/mount/fuse_answers.h"

namespace lb::mount {

namespace {

FuseOperations& self(fuse_req_t request) {
  return *static_cast<FuseOperations*>(fuse_req_userdata(request));
}

// The kernel keeps this number for us while the file is open.
std::shared_ptr<OpenFile>& handle_of(const fuse_file_info* info) {
  return *reinterpret_cast<std::shared_ptr<OpenFile>*>(info->fh);
}

int errno_of(const Error& error) { return error.kind() == ErrorKind::invalid ? ESTALE : EIO; }

// Entries of a folder as the kernel wants them, as many as fit.
class DirectoryPage {
 public:
  DirectoryPage(fuse_req_t request, std::size_t size, bool with_attributes)
      : request_(request), bytes_(size), with_attributes_(with_attributes) {}

  // False: full. `next` is the offset behind the entry.
  bool add(const std::string& name, Id id, FileKind kind, const Node* node, std::uint64_t next) {
    auto left = bytes_.size() - used_;
    auto offset = static_cast<off_t>(next);
    std::size_t size = 0;
    if (with_attributes_) {
      fuse_entry_param entry{};  // without an id: the kernel will look the name up by itself
      if (node != nullptr) entry = entry_of(id, *node);
      entry.attr.st_ino = id;
      if (node == nullptr) entry.attr.st_mode = type_of(kind);
      size = fuse_add_direntry_plus(request_, at(), left, name.c_str(), &entry, offset);
    } else {
      struct stat attributes {};
      attributes.st_ino = id;
      attributes.st_mode = type_of(kind);
      size = fuse_add_direntry(request_, at(), left, name.c_str(), &attributes, offset);
    }
    if (size > left) return false;
    used_ += size;
    return true;
  }
  bool empty() const { return used_ == 0; }
  void send() { fuse_reply_buf(request_, reinterpret_cast<const char*>(bytes_.data()), used_); }

 private:
  char* at() { return reinterpret_cast<char*>(bytes_.data()) + used_; }

  fuse_req_t request_;
  Buffer bytes_;
  std::size_t used_ = 0;
  const bool with_attributes_;
};

// A value, or how large it is when the kernel asks for that.
void reply_sized(fuse_req_t request, ByteView value, std::size_t size) {
  if (size == 0) {
    fuse_reply_xattr(request, value.size());
  } else if (size < value.size()) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, reinterpret_cast<const char*>(value.data()), value.size());
  }
}

}  // namespace

void FuseOperations::fail(fuse_req_t request, const std::string& path, const Error& error) {
  trouble_.report(path, error);
  fuse_reply_err(request, errno_of(error));
}

void FuseOperations::init(fuse_conn_info* connection) const {
  // ACLs are the kernel's business only where it checks access at all.
  if (check_access_) connection->want |= connection->capable & FUSE_CAP_POSIX_ACL;
  connection->want |= connection->capable & (FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS |
                                             FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_ASYNC_READ);
  connection->max_background = 64;
  connection->congestion_threshold = 48;
}

void FuseOperations::lookup(fuse_req_t request, Id parent, const char* name) {
  auto child = tree_.child(parent, name);
  if (!child.ok()) {
    auto folder = tree_.path(parent);
    auto path = folder == "." ? printable(name) : path_join(folder, printable(name));
    return fail(request, path, child.error());
  }
  fuse_entry_param entry{};
  entry.entry_timeout = cache_seconds;  // that a name is not there stays true as well
  if (*child) entry = entry_of((*child)->number, *(*child)->node);
  fuse_reply_entry(request, &entry);
}

void FuseOperations::attributes(fuse_req_t request, Id id) {
  auto node = tree_.node(id);
  if (!node.ok()) return fail(request, id, node.error());
  auto attributes = stat_of(id, *node);
  fuse_reply_attr(request, &attributes, cache_seconds);
}

void FuseOperations::link_target(fuse_req_t request, Id id) {
  auto node = tree_.node(id);
  if (!node.ok()) return fail(request, id, node.error());
  fuse_reply_readlink(request, node->attributes.link_target.c_str());
}

void FuseOperations::open(fuse_req_t request, Id id, fuse_file_info* info) {
  auto node = tree_.node(id);
  if (!node.ok()) return fail(request, id, node.error());
  if (!node->attributes.complete) {
    return fail(request, id,
                Error(ErrorKind::corrupt, "its content could not be read for the backup"));
  }
  auto content = tree_.content(id);
  if (!content.ok()) return fail(request, id, content.error());
  auto file = reader_.open(std::move(content->tree), content->table, std::move(content->row));
  auto* handle = new Handle(std::move(file));
  {
    std::lock_guard lock(mutex_);
    handles_.insert(handle);
  }
  info->fh = reinterpret_cast<std::uint64_t>(handle);
  info->keep_cache = 1;
  info->noflush = 1;
  if (fuse_reply_open(request, info) == 0) return;
  close(handle);  // the caller was interrupted: no release will come
}

void FuseOperations::close(Handle* handle) {
  {
    std::lock_guard lock(mutex_);
    handles_.erase(handle);
  }
  reader_.close(*handle);
  delete handle;
}

// Files that were open when the mount ended.
FuseOperations::~FuseOperations() {
  while (!handles_.empty()) close(*handles_.begin());
}

void FuseOperations::read(fuse_req_t request, Id id, std::size_t size, off_t offset,
                          const fuse_file_info* info) {
  auto parts = reader_.read(handle_of(info), static_cast<std::uint64_t>(offset), size);
  if (!parts.ok()) return fail(request, id, parts.error());
  auto vectors = vectors_of(*parts);
  if (!vectors.empty() || parts->empty()) {
    fuse_reply_iov(request, vectors.data(), static_cast<int>(vectors.size()));
    return;
  }
  auto bytes = joined(*parts);
  fuse_reply_buf(request, reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void FuseOperations::release(fuse_req_t request, const fuse_file_info* info) {
  close(&handle_of(info));
  fuse_reply_err(request, 0);
}

void FuseOperations::seek(fuse_req_t request, off_t offset, int whence,
                          const fuse_file_info* info) {
  if (whence != SEEK_DATA && whence != SEEK_HOLE) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  const auto& file = *handle_of(info);
  auto found =
      seek_in(file.pieces, file.row->size, static_cast<std::uint64_t>(offset), whence == SEEK_DATA);
  if (found) {
    fuse_reply_lseek(request, static_cast<off_t>(*found));
  } else {
    fuse_reply_err(request, ENXIO);
  }
}

void FuseOperations::list(fuse_req_t request, Id id, std::size_t size, off_t offset,
                          bool with_attributes) {
  // Offsets 0 and 1 stand before "." and "..", the folder's cursor follows.
  DirectoryPage page(request, size, with_attributes);
  auto at = static_cast<std::uint64_t>(offset);
  bool room = true;
  if (at == 0) room = page.add(".", id, FileKind::directory, nullptr, ++at);
  if (room && at == 1) {
    auto parent = tree_.parent(id);
    room = page.add("..", parent.ok() ? *parent : id, FileKind::directory, nullptr, ++at);
  }
  if (room && at >= 2) {
    auto listed = tree_.list(id, at - 2, [&](const Child& child) {
      const auto* node = child.node ? &*child.node : nullptr;
      return page.add(child.name, child.number, child.kind, node, child.next + 2);
    });
    // What was found before the failure is given first; the next call meets it
    // again.
    if (!listed.ok() && page.empty()) return fail(request, id, listed.error());
  }
  page.send();
}

void FuseOperations::list_xattrs(fuse_req_t request, Id id, std::size_t size) {
  auto node = tree_.node(id);
  if (!node.ok()) return fail(request, id, node.error());
  std::string names;
  for (const auto& [name, value] : node->attributes.xattrs) names.append(name).push_back('\0');
  reply_sized(request, view_of(names), size);
}

void FuseOperations::get_xattr(fuse_req_t request, Id id, const char* name, std::size_t size) {
  auto node = tree_.node(id);
  if (!node.ok()) return fail(request, id, node.error());
  for (const auto& [known, value] : node->attributes.xattrs) {
    if (known == name) return reply_sized(request, value, size);
  }
  fuse_reply_err(request, ENODATA);
}

void FuseOperations::totals(fuse_req_t request) {
  constexpr std::uint64_t block = 4096;
  struct statvfs out {};
  out.f_bsize = out.f_frsize = block;
  out.f_blocks = (tree_.totals().bytes + block - 1) / block;
  out.f_files = tree_.totals().files;
  out.f_namemax = 255;
  fuse_reply_statfs(request, &out);
}

fuse_lowlevel_ops FuseOperations::table() {
  fuse_lowlevel_ops out{};
  out.init = [](void* user, fuse_conn_info* c) { static_cast<FuseOperations*>(user)->init(c); };
  out.lookup = [](fuse_req_t r, fuse_ino_t i, const char* name) { self(r).lookup(r, i, name); };
  out.getattr = [](fuse_req_t r, fuse_ino_t i, fuse_file_info*) { self(r).attributes(r, i); };
  out.readlink = [](fuse_req_t r, fuse_ino_t i) { self(r).link_target(r, i); };
  out.open = [](fuse_req_t r, fuse_ino_t i, fuse_file_info* f) { self(r).open(r, i, f); };
  out.read = [](fuse_req_t r, fuse_ino_t i, std::size_t size, off_t at, fuse_file_info* f) {
    self(r).read(r, i, size, at, f);
  };
  out.release = [](fuse_req_t r, fuse_ino_t, fuse_file_info* f) { self(r).release(r, f); };
  out.lseek = [](fuse_req_t r, fuse_ino_t, off_t at, int whence, fuse_file_info* f) {
    self(r).seek(r, at, whence, f);
  };
  out.opendir = [](fuse_req_t r, fuse_ino_t, fuse_file_info* f) {
    f->cache_readdir = f->keep_cache = 1;
    fuse_reply_open(r, f);
  };
  out.readdir = [](fuse_req_t r, fuse_ino_t i, std::size_t size, off_t at, fuse_file_info*) {
    self(r).list(r, i, size, at, false);
  };
  out.readdirplus = [](fuse_req_t r, fuse_ino_t i, std::size_t size, off_t at, fuse_file_info*) {
    self(r).list(r, i, size, at, true);
  };
  out.listxattr = [](fuse_req_t r, fuse_ino_t i, std::size_t size) {
    self(r).list_xattrs(r, i, size);
  };
  out.getxattr = [](fuse_req_t r, fuse_ino_t i, const char* name, std::size_t size) {
    self(r).get_xattr(r, i, name, size);
  };
  out.statfs = [](fuse_req_t r, fuse_ino_t) { self(r).totals(r); };
  return out;
}

}  // namespace lb::mount
