#include "recovery/mount/pieces.h"

#include <gtest/gtest.h>

namespace lb::mount {
namespace {

repo::Extent data(std::uint64_t length, std::uint32_t pack, std::uint32_t frame) {
  repo::Extent extent;
  extent.length = length;
  extent.pack = pack;
  extent.frame = frame;
  return extent;
}

repo::Extent hole(std::uint64_t length) {
  repo::Extent extent;
  extent.length = length;
  extent.hole = true;
  return extent;
}

repo::Row row_of(std::vector<repo::Extent> extents) {
  repo::Row row;
  for (const auto& extent : extents) row.size += extent.length;
  row.extents = std::move(extents);
  return row;
}

TEST(Pieces, AreNeighboursOfOneFrameOrHoles) {
  // A hole has no place: it must not pass for the neighbour of what lies in the first frame.
  auto row = row_of({data(10, 0, 0), hole(5), hole(6), data(20, 0, 0), data(30, 0, 0),
                     data(40, 0, 1), data(50, 1, 1)});
  auto pieces = pieces_of(row);
  ASSERT_EQ(pieces.size(), 5u);
  std::vector<std::uint64_t> sizes, offsets;
  for (const auto& piece : pieces) {
    sizes.push_back(piece.size);
    offsets.push_back(piece.offset);
  }
  EXPECT_EQ(sizes, (std::vector<std::uint64_t>{10, 11, 50, 40, 50}));
  EXPECT_EQ(offsets, (std::vector<std::uint64_t>{0, 10, 21, 71, 111}));
  EXPECT_TRUE(pieces[1].hole);
  EXPECT_FALSE(pieces[2].hole);
}

TEST(Pieces, AreFoundByOffset) {
  auto pieces = pieces_of(row_of({data(10, 0, 0), hole(5), data(20, 0, 7)}));
  EXPECT_EQ(piece_at(pieces, 0), 0u);
  EXPECT_EQ(piece_at(pieces, 9), 0u);
  EXPECT_EQ(piece_at(pieces, 10), 1u);
  EXPECT_EQ(piece_at(pieces, 34), 2u);
  EXPECT_EQ(piece_at(pieces, 35), pieces.size());
  EXPECT_EQ(piece_at({}, 0), 0u);
}

TEST(Pieces, StaySmallWhateverRepeats) {
  std::vector<repo::Extent> same(1000, data(64 << 10, 3, 4));
  auto row = row_of(same);
  auto pieces = pieces_of(row);
  EXPECT_GT(pieces.size(), 100u);
  for (const auto& piece : pieces) EXPECT_LE(piece.size, 512u << 10);
  auto part = part_of(row, pieces, 3, 6);
  EXPECT_EQ(part.size, pieces[3].size + pieces[4].size + pieces[5].size);
  EXPECT_EQ(part.extents.size(), part.size / (64 << 10));
}

}  // namespace
}  // namespace lb::mount
