#include "recovery/swap/folder_record.h"

#include <gtest/gtest.h>

#include "foundation/sys/sim_files.h"

namespace lb::swap {
namespace {

FolderRecord record() {
  FolderRecord out;
  out.id = "06FQ0KZ4";
  out.live = "/srv/main";
  out.step = FolderStep::swapped;
  out.old_inode = 0xffff'ffff'ffff'fff0;
  out.fresh_inode = 7;
  out.since = parse_time("2026-01-13T12:00:00Z").take();
  out.keep = std::chrono::hours(24);
  out.until = out.since + out.keep;
  out.point = "06FQ0AAA";
  out.as_of = out.since - Seconds(1);
  out.stopped = true;
  return out;
}

TEST(FolderRecord, ComesBackAsItWasWritten) {
  SimFiles files;
  EXPECT_FALSE(read_folder_record(files, "/r").take());
  ASSERT_TRUE(write_folder_record(files, "/r", record()).ok());
  EXPECT_EQ(read_folder_record(files, "/r").take(), record());
}

TEST(FolderRecord, ADamagedOneIsSaidSo) {
  SimFiles files;
  for (const char* text : {"", "{}", "{\"schema\":\"lifeboat.folder-swap/1\",\"step\":\"old\"}",
                           "{\"schema\":\"lifeboat.folder-swap/1\",\"step\":\"filled\"}"}) {
    ASSERT_TRUE(write_durably(files, "/r", view_of(text)).ok());
    auto read = read_folder_record(files, "/r");
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().kind(), ErrorKind::corrupt);
  }
}

FolderRecord one_and_two() {
  FolderRecord known;
  known.old_inode = 1;
  known.fresh_inode = 2;
  return known;
}

FolderPlaces after(FolderMove move, FolderPlaces places) {
  switch (move) {
    case FolderMove::none:
      break;
    case FolderMove::exchange_fresh:
    case FolderMove::fresh_to_live:
      std::swap(places.live, places.fresh);
      break;
    case FolderMove::exchange_old:
    case FolderMove::old_to_live:
      std::swap(places.live, places.old);
      break;
    case FolderMove::fresh_to_old:
    case FolderMove::old_to_fresh:
      std::swap(places.fresh, places.old);
      break;
  }
  return places;
}

// All ways in which two folders and nothing else can have three names lead to the wish.
TEST(FolderMoves, FromEverywhereTheWishIsReached) {
  std::vector<FolderPlaces> all = {{1, 2, 0}, {2, 1, 0}, {1, 0, 2},
                                   {2, 0, 1}, {0, 1, 2}, {0, 2, 1}};
  for (auto start : all) {
    for (bool want_fresh : {true, false}) {
      auto places = start;
      for (int moves = 0;; ++moves) {
        auto move = next_move(places, one_and_two(), want_fresh);
        ASSERT_TRUE(move.ok());
        if (*move == FolderMove::none) break;
        ASSERT_LT(moves, 3) << start.live << start.fresh << start.old;
        places = after(*move, places);
      }
      EXPECT_EQ(places, (want_fresh ? FolderPlaces{2, 0, 1} : FolderPlaces{1, 2, 0}));
    }
  }
}

TEST(FolderMoves, StrangersAreNeverMoved) {
  for (FolderPlaces places : {FolderPlaces{9, 2, 1}, FolderPlaces{9, 2, 0}, FolderPlaces{0, 9, 1},
                              FolderPlaces{1, 9, 0}, FolderPlaces{2, 9, 1}, FolderPlaces{2, 0, 9}})
    EXPECT_FALSE(next_move(places, one_and_two(), true).ok())
        << places.live << ' ' << places.fresh << ' ' << places.old;
}

}  // namespace
}  // namespace lb::swap
