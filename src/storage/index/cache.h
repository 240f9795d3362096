// Cache: a folder of tables that together hold what the index objects of a repository say. Tables
// are written beside the others and get their name when they are whole; many small ones are merged
// into few. Nothing in it is needed: any file, or all of it, may be removed at any moment, also
// while it is in use, and several processes may use it at once. It holds ids (keyed) and places
// alone.
#pragma once

#include <map>

#include "foundation/base/assert.h"
#include "foundation/sys/random.h"
#include "storage/index/merge.h"

namespace lb::index {

struct CachePlace {
  Files& files;
  std::string folder;
  SharedSeal seal;
  Random& random;

  Salt salt() const;
  std::string fresh_path(std::string_view kind) const;  // in the folder
};

// What is put into one table, in memory until then.
class NewTable {
 public:
  static constexpr std::size_t entries_max = 256 << 10, packs_max = 32 << 10;

  void add_source(std::string name);
  // The number for its entries. The first of a name stays.
  std::uint32_t add_pack(const Pack& pack);
  // `place.pack` is a number from add_pack.
  void add(const Id& id, const Place& place) {
    LB_ASSERT(place.pack < packs_.size());
    entries_.push_back({id, pack(place)});
  }
  bool empty() const { return sources_.empty() && entries_.empty(); }
  bool full() const { return entries_.size() >= entries_max || packs_.size() >= packs_max; }
  const std::set<std::string>& sources() const { return sources_; }
  Status write(const CachePlace& place, const std::string& path) &&;

 private:
  std::set<std::string> sources_;
  std::vector<Pack> packs_;
  std::map<std::string, std::uint32_t> numbers_;
  std::vector<Entry> entries_;
};

class Cache {
 public:
  // Makes the folder (0700) when it is not there. Removes what is damaged, what others hold too,
  // and what was abandoned before `stale`.
  static Result<Cache> open(CachePlace place, Timestamp stale);

  bool covers(const std::string& source) const { return sources_.contains(source); }
  Status add(NewTable table);
  // Merges so that few tables remain. Packs that `keep` does not want, and sources that are not
  // `listed`, are forgotten with it.
  Status merge(const PackFilter& keep, const std::set<std::string>& listed,
               const std::stop_token& stop);
  const Tables& tables() const { return tables_; }
  // Removes all tables.
  Status clear();

 private:
  explicit Cache(CachePlace place) : place_(std::move(place)) {}
  Status open_table(const std::string& path);
  void drop_doubles();
  Status merge_last(std::size_t count, const PackFilter& keep, const std::set<std::string>& listed,
                    const std::stop_token& stop);

  CachePlace place_;
  Tables tables_;                                               // larger ones first
  std::map<std::string, std::set<std::string>> table_sources_;  // by path
  std::set<std::string> sources_;
};

// How many of the last of these sizes (falling) are merged into one, so that few remain and each
// entry is written few times. Fewer than two: none.
std::size_t tables_to_merge(const std::vector<std::uint64_t>& sizes);

}  // namespace lb::index
