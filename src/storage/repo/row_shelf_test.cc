#include "storage/repo/row_shelf.h"

#include <gtest/gtest.h>

#include "foundation/sys/sim_files.h"

namespace lb::repo {
namespace {

Buffer filled(std::size_t size, std::uint8_t with) { return Buffer(size, with); }

TEST(RowShelves, GiveBackWhatWasPutAndLeaveNoName) {
  SimFiles files;
  auto shelf = RowShelf::open(files, "/rows").take();
  EXPECT_EQ(path_exists(files, "/rows").value(), false);
  auto first = shelf->put(filled(1000, 1)).value();
  auto second = shelf->put(filled(70'000, 2)).value();
  auto empty = shelf->put({}).value();
  EXPECT_EQ(shelf->get(second).value(), filled(70'000, 2));
  EXPECT_EQ(shelf->get(first).value(), filled(1000, 1));
  EXPECT_EQ(shelf->get(empty).value(), Buffer());
}

TEST(RowShelves, RefuseWhatCameBackChanged) {
  SimFiles files;
  auto shelf = RowShelf::open(files, "/rows").take();
  auto piece = shelf->put(filled(1000, 1)).value();
  auto moved = piece, longer = piece, other = piece;
  ASSERT_TRUE(shelf->put(filled(1000, 2)).ok());
  moved.offset += 1000;
  longer.bytes += 5000;
  other.digest[3] ^= 1;
  for (const auto& bad : {moved, longer, other}) {
    EXPECT_EQ(shelf->get(bad).error().kind(), ErrorKind::corrupt);
  }
  EXPECT_TRUE(shelf->get(piece).ok());
}

TEST(RowShelves, AreNotMadeOverSomethingElse) {
  SimFiles files;
  ASSERT_TRUE(files.create("/rows", 0600).ok());
  EXPECT_EQ(RowShelf::open(files, "/rows").error().kind(), ErrorKind::conflict);
}

}  // namespace
}  // namespace lb::repo
