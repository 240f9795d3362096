// TableView: the sorted table of one snapshot as numbered rows, read block by
// block. Row n is the n-th row of the table, for ever, so that numbers need no
// memory. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "recovery/mount/block_cache.h"
#include "storage/repo/repository.h"

namespace lb::mount {

// A row and where it stands. Keeps the block it lies in.
class NumberedRow {
 public:
  NumberedRow(std::uint64_t number, SharedRows rows, std::size_t at)
      : number_(number), rows_(std::move(rows)), at_(at) {}
  std::uint64_t number() const { return number_; }
  const repo::Row& operator*() const { return (*rows_)[at_]; }
  const repo::Row* operator->() const { return &(*rows_)[at_]; }

 private:
  std::uint64_t number_;
  SharedRows rows_;
  std::size_t at_;
};

class TableView {
 public:
  // `id` tells its blocks from those of other tables in the cache. All three
  // must outlive the view.
  TableView(repo::SnapshotReader& snapshot, BlockCache& cache, std::uint64_t id);

  std::uint64_t rows() const { return first_numbers_.back(); }
  Result<NumberedRow> row(std::uint64_t number);  // invalid: the table is shorter
  Result<std::optional<NumberedRow>> find(const std::string& key);
  // The first row whose key is not less.
  Result<std::optional<NumberedRow>> at_or_after(const std::string& key);

 private:
  Result<SharedRows> block(std::size_t number);

  repo::SnapshotReader& snapshot_;
  BlockCache& cache_;
  const std::uint64_t id_;
  const std::vector<repo::TableBlock> outline_;
  std::vector<std::uint64_t> first_numbers_;  // of each block, and of the row behind the last
};

}  // namespace lb::mount
