// RowSorter: takes rows in any order from several threads and gives them back sorted, with bounded
// memory: what exceeds the bound is sorted and set aside, then merged. Thread-safe while adding.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "storage/repo/row_codec.h"
#include "storage/repo/row_heap.h"
#include "storage/repo/row_shelf.h"

namespace lb::repo {

class RowSorter {
 public:
  // Some rows that were set aside: in a file on this host or, where there is no place for one, as
  // chunks of the session.
  struct Piece {
    std::optional<RowShelf::Piece> shelved;
    std::vector<DraftExtent> stored;
  };
  // `store` sets bytes aside, one thread at a time; `settle` makes them readable.
  struct Spill {
    std::function<Result<Piece>(ByteView)> store;
    std::function<Status()> settle;
    std::function<Result<Buffer>(const Piece&)> load;
  };
  RowSorter(std::size_t bytes_max, Spill spill) : bytes_max_(bytes_max), spill_(std::move(spill)) {}

  Status add(DraftRow row);
  // Calls `each` in key order. invalid when two rows have one key.
  Status drain(const std::function<Status(DraftRow)>& each);

 private:
  struct Run {
    std::vector<Piece> pieces;  // each holds whole rows
  };
  Status spill(RowHeap rows);

  const std::size_t bytes_max_;
  Spill spill_;
  std::mutex spill_mutex_;  // taken before mutex_
  std::mutex mutex_;
  RowHeap rows_;
  std::vector<Run> runs_;
};

}  // namespace lb::repo
