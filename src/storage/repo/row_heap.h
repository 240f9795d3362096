// RowHeap: encoded rows in memory, packed into slabs so that a row costs its bytes and eight more,
// and given back in key order. One thread, or a lock around it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "foundation/base/bytes.h"

namespace lb::repo {

class RowHeap {
 public:
  // A row as encode_draft gives it (row_codec.h): its key comes first.
  void add(ByteView encoded);
  std::size_t bytes() const { return bytes_; }  // of memory, but for the rest of the last slab
  std::size_t size() const { return places_.size(); }

  void sort();
  ByteView row(std::size_t number) const;  // by key after sort()

 private:
  struct Place {
    std::uint32_t slab, offset;
  };
  ByteView from(const Place& place) const;

  std::vector<Buffer> slabs_;
  std::vector<Place> places_;
  std::size_t bytes_ = 0;
};

}  // namespace lb::repo
