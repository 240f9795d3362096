// Pieces: the content of a file cut where it is worth to be read and kept as
// one: neighbouring extents of one frame, or holes. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/repo/types.h"

namespace lb::mount {

struct Piece {
  std::uint64_t offset = 0, size = 0;  // in the file
  std::size_t first = 0, last = 0;     // extents [first, last)
  bool hole = false;
};

std::vector<Piece> pieces_of(const repo::Row& row);
// The piece that holds this byte; their number when none does.
std::size_t piece_at(const std::vector<Piece>& pieces, std::uint64_t offset);
// A row of the content of pieces [first, last) alone, as if it were a file.
repo::Row part_of(const repo::Row& row, const std::vector<Piece>& pieces, std::size_t first,
                  std::size_t last);

}  // namespace lb::mount
