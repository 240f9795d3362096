// Node: what a row says of a file, whatever store wrote it. Pure.
#pragma once

#include <string>

#include "foundation/sys/process.h"
#include "storage/repo/types.h"
#include "stores/files/store.h"

namespace lb::mount {

struct Node {
  files::Attributes attributes;
  std::uint64_t size = 0;
  std::uint64_t allocated = 0;  // without holes
};

// How the rows of a kind of store are keyed and what they say.
enum class Layout { files, postgres };
Result<Layout> layout_of(const std::string& store_kind);  // unsupported: not a tree of files
char separator(Layout layout);

// `owner` owns what the store recorded no owner of.
Result<Node> node_of(Layout layout, const repo::Row& row, UserId owner);
// The root where the table has no row for it.
Node plain_folder(UserId owner, std::int64_t mtime_ns);

}  // namespace lb::mount
