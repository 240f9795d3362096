#include "storage/repo/row_heap.h"

#include <algorithm>
#include <limits>

#include "foundation/base/assert.h"

namespace lb::repo {

namespace {

// Large enough for all but rows with long attributes, which get a slab of their own.
constexpr std::size_t slab_bytes = 256 << 10;
constexpr std::size_t length_bytes = 4;  // before each row

std::size_t length_at(const Buffer& slab, std::size_t offset) {
  std::size_t out = 0;
  for (std::size_t i = length_bytes; i-- > 0;) out = out << 8 | slab[offset + i];
  return out;
}

// Rows are our own, encoded a moment ago.
std::string_view key_of(ByteView row) {
  ByteReader in(row);
  auto size = in.varint();
  LB_ASSERT(size.ok());
  auto bytes = in.raw(*size);
  LB_ASSERT(bytes.ok());
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

}  // namespace

void RowHeap::add(ByteView encoded) {
  auto need = length_bytes + encoded.size();
  LB_ASSERT(encoded.size() <= std::numeric_limits<std::uint32_t>::max());
  if (slabs_.empty() || slabs_.back().capacity() - slabs_.back().size() < need) {
    slabs_.emplace_back();
    slabs_.back().reserve(std::max(need, slab_bytes));
  }
  auto& slab = slabs_.back();
  places_.push_back(
      {static_cast<std::uint32_t>(slabs_.size() - 1), static_cast<std::uint32_t>(slab.size())});
  bytes_ += need + sizeof(Place);
  for (std::size_t i = 0; i < length_bytes; ++i) {
    slab.push_back(static_cast<std::uint8_t>(encoded.size() >> (8 * i)));
  }
  slab.insert(slab.end(), encoded.begin(), encoded.end());
}

ByteView RowHeap::from(const Place& place) const {
  const auto& slab = slabs_[place.slab];
  return ByteView(slab).subspan(place.offset + length_bytes, length_at(slab, place.offset));
}

ByteView RowHeap::row(std::size_t number) const { return from(places_[number]); }

void RowHeap::sort() {
  std::sort(places_.begin(), places_.end(),
            [this](const Place& a, const Place& b) { return key_of(from(a)) < key_of(from(b)); });
}

}  // namespace lb::repo
