#include "recovery/mount/pieces.h"

#include <algorithm>

namespace lb::mount {

namespace {

// A chunk that is repeated lies in one frame however long the content.
constexpr std::uint64_t piece_bytes_max = 512 << 10;

bool joins(const Piece& piece, const repo::Extent& last, const repo::Extent& next) {
  if (piece.hole || next.hole) return piece.hole && next.hole;
  return last.pack == next.pack && last.frame == next.frame &&
         piece.size + next.length <= piece_bytes_max;
}

}  // namespace

std::vector<Piece> pieces_of(const repo::Row& row) {
  std::vector<Piece> out;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < row.extents.size(); ++i) {
    const auto& extent = row.extents[i];
    if (!out.empty() && joins(out.back(), row.extents[i - 1], extent)) {
      out.back().size += extent.length;
      out.back().last = i + 1;
    } else {
      out.push_back({at, extent.length, i, i + 1, extent.hole});
    }
    at += extent.length;
  }
  return out;
}

std::size_t piece_at(const std::vector<Piece>& pieces, std::uint64_t offset) {
  auto after =
      std::upper_bound(pieces.begin(), pieces.end(), offset,
                       [](std::uint64_t o, const Piece& piece) { return o < piece.offset; });
  if (after == pieces.begin()) return pieces.size();
  const auto& piece = *(after - 1);
  if (offset - piece.offset >= piece.size) return pieces.size();
  return static_cast<std::size_t>(after - pieces.begin()) - 1;
}

repo::Row part_of(const repo::Row& row, const std::vector<Piece>& pieces, std::size_t first,
                  std::size_t last) {
  repo::Row part;
  part.key = row.key;
  auto begin = row.extents.begin();
  part.extents.assign(begin + static_cast<std::ptrdiff_t>(pieces[first].first),
                      begin + static_cast<std::ptrdiff_t>(pieces[last - 1].last));
  part.size = pieces[last - 1].offset + pieces[last - 1].size - pieces[first].offset;
  return part;
}

}  // namespace lb::mount
