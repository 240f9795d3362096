// RelationNames: which table a file of a PostgreSQL point belongs to, from what was recorded with
// the point. Files are named by numbers there; people think in tables. Used by find, diff and cat.
#pragma once

#include <map>
#include <string>

#include "foundation/codec/json_items.h"
#include "storage/repo/repository.h"

namespace lb::cli {

class RelationNames {
 public:
  RelationNames() = default;
  // Empty when the point has no fingerprint, or a damaged one.
  static RelationNames of(repo::SnapshotReader& point);
  static RelationNames parse(ByteView fingerprint);

  // "postgres public.notes" for "base/5/16385", also for its further parts and forks; else empty.
  std::string table_of(const std::string& path) const;
  // The file in which a table begins; the name alone, with its schema, or with its database too.
  std::string file_of(const std::string& table) const;

 private:
  EachItem adder();  // of the tables of a fingerprint

  std::map<std::string, std::string> tables_;  // file -> table
};

}  // namespace lb::cli
