// RowSorter: takes rows in any order from several threads and gives them back sorted, with bounded
// memory: what exceeds the bound is sorted and stored in the session's own packs, then merged.
// Thread-safe while adding.
#pragma once

#include <functional>
#include <mutex>

#include "storage/repo/row_codec.h"
#include "storage/repo/row_heap.h"

namespace lb::repo {

class RowSorter {
 public:
  // `store` keeps bytes as chunks of the session and names them; `settle` makes them readable.
  struct Spill {
    std::function<Result<std::vector<DraftExtent>>(ByteView)> store;
    std::function<Status()> settle;
    std::function<Result<Buffer>(const DraftExtent&)> load;
  };
  RowSorter(std::size_t bytes_max, Spill spill) : bytes_max_(bytes_max), spill_(std::move(spill)) {}

  Status add(DraftRow row);
  // Calls `each` in key order. invalid when two rows have one key.
  Status drain(const std::function<Status(DraftRow)>& each);

 private:
  struct Run {
    std::vector<DraftExtent> pieces;  // each holds whole rows
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
