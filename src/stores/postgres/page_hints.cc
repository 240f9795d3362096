#include "stores/postgres/page_hints.h"

#include <algorithm>

#include "stores/postgres/page_check.h"
#include "stores/postgres/wal_bytes.h"

namespace lb::pg {

namespace {

constexpr std::size_t header_bytes = 24, line_pointer_bytes = 4;
// bufpage.h: checksum, flags (free lines, full, all visible), and the oldest prunable transaction.
constexpr std::size_t checksum_at = 8, flags_at = 10, lower_at = 12, upper_at = 14, special_at = 16,
                      prune_at = 20;
constexpr std::uint8_t flag_hints = 0x07;
// htup_details.h: the command numbers, and in the second byte of the mask what became of xmin and
// xmax.
constexpr std::size_t command_at = 8, mask_at = 21, tuple_header_bytes = 23;
constexpr std::uint8_t mask_hints = 0x0F;
// In its first byte: whether the command number stands for two; replay never sets it.
constexpr std::size_t first_mask_at = 20;
constexpr std::uint8_t combined_command = 0x20;
constexpr std::size_t row_alignment = 8;
constexpr std::uint32_t line_normal = 1;
// nbtree.h, hash.h, gist.h: 16 bytes that end with flags and a number of no meaning.
constexpr std::size_t tree_special_bytes = 16, tree_flags_at = 12;

struct Shape {
  std::size_t lower = 0, upper = 0, special = 0;
  bool heap() const { return special == page_bytes; }
  bool good() const {
    return header_bytes <= lower && lower <= upper && upper <= special && special <= page_bytes;
  }
};

Shape shape_of(ByteView page) {
  return {load<std::uint16_t>(&page[lower_at]), load<std::uint16_t>(&page[upper_at]),
          load<std::uint16_t>(&page[special_at])};
}

// The place and the state of an entry; the state is a hint in indexes, not in tables.
void clear_entry(Buffer& page, const Shape& shape, std::size_t pointer_at) {
  const auto pointer = load<std::uint32_t>(&page[pointer_at]);
  const std::size_t at = pointer & 0x7FFF;
  const auto state = pointer >> 15 & 3;
  if (!shape.heap()) {
    page[pointer_at + 1] &= 0x7F;
    page[pointer_at + 2] &= 0xFE;
  } else if (state == line_normal && at + tuple_header_bytes <= page_bytes) {
    std::fill_n(page.begin() + static_cast<std::ptrdiff_t>(at + command_at), 4, std::uint8_t{0});
    page[at + mask_at] &= static_cast<std::uint8_t>(~mask_hints);
    page[at + first_mask_at] &= static_cast<std::uint8_t>(~combined_command);
    // What lies between rows is whatever was there before, on each server.
    const std::size_t end = at + (pointer >> 17);
    const auto next = std::min<std::size_t>(
        (end + row_alignment - 1) / row_alignment * row_alignment, page_bytes);
    for (auto gap = end; gap < next; ++gap) page[gap] = 0;
  }
}

Buffer without_hints(ByteView bytes, const Shape& shape) {
  Buffer page(bytes.begin(), bytes.end());
  const auto clear = [&](std::size_t from, std::size_t to) {
    std::fill(page.begin() + static_cast<std::ptrdiff_t>(from),
              page.begin() + static_cast<std::ptrdiff_t>(to), std::uint8_t{0});
  };
  clear(checksum_at, checksum_at + 2);
  page[flags_at] &= static_cast<std::uint8_t>(~flag_hints);
  clear(prune_at, header_bytes);
  clear(shape.lower, shape.upper);
  for (auto at = header_bytes; at + line_pointer_bytes <= shape.lower; at += line_pointer_bytes)
    clear_entry(page, shape, at);
  if (page_bytes - shape.special == tree_special_bytes)
    clear(shape.special + tree_flags_at, page_bytes);
  return page;
}

}  // namespace

bool differ_in_hints_alone(ByteView one, ByteView other) {
  if (one.size() != page_bytes || other.size() != page_bytes) return false;
  if (page_lsn(one) != page_lsn(other) || page_lsn(one) == 0) return false;
  const auto shape = shape_of(one);
  if (!shape.good()) return false;
  return without_hints(one, shape) == without_hints(other, shape);
}

}  // namespace lb::pg
