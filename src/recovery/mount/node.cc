#include "recovery/mount/node.h"

#include "foundation/base/text.h"
#include "stores/postgres/source.h"

namespace lb::mount {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

// A tablespace is recorded as the server's link to it and as files below that
// link: here it is the folder the files are in.
bool is_tablespace(const repo::Row& row) { return row.key.starts_with("pg_tblspc/"); }

Result<files::Attributes> database_file(const repo::Row& row, UserId owner) {
  auto recorded = LB_TRY(pg::decode_attributes(row.attributes));
  using Kind = pg::FileAttributes::Kind;
  files::Attributes out;
  out.mode = recorded.mode;
  out.uid = owner.uid;
  out.gid = owner.gid;
  out.mtime_ns = out.ctime_ns = recorded.mtime * second_ns;
  if (recorded.kind == Kind::directory) out.kind = FileKind::directory;
  if (recorded.kind == Kind::symlink && is_tablespace(row)) {
    out.kind = FileKind::directory;
    out.mode = 0700;
  } else if (recorded.kind == Kind::symlink) {
    out.kind = FileKind::symlink;
    out.link_target = recorded.link_target;
  }
  return out;
}

}  // namespace

Result<Layout> layout_of(const std::string& store_kind) {
  if (store_kind == "files") return Layout::files;
  if (store_kind == "postgres") return Layout::postgres;
  return Error(ErrorKind::unsupported,
               cat("a point of a ", printable(store_kind), " store is no tree of files"));
}

char separator(Layout layout) { return layout == Layout::files ? '\0' : '/'; }

Result<Node> node_of(Layout layout, const repo::Row& row, UserId owner) {
  Node node;
  node.attributes = LB_TRY(layout == Layout::files ? files::decode_attributes(row.attributes)
                                                   : database_file(row, owner));
  node.size = row.size;
  for (const auto& extent : row.extents) node.allocated += extent.hole ? 0 : extent.length;
  if (node.attributes.kind == FileKind::symlink) node.size = node.attributes.link_target.size();
  return node;
}

Node plain_folder(UserId owner, std::int64_t mtime_ns) {
  Node node;
  node.attributes.kind = FileKind::directory;
  node.attributes.mode = 0700;
  node.attributes.uid = owner.uid;
  node.attributes.gid = owner.gid;
  node.attributes.mtime_ns = node.attributes.ctime_ns = mtime_ns;
  return node;
}

}  // namespace lb::mount
