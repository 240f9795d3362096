#include "storage/blob/reserving_blob_store.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/sys/sim_files.h"
#include "foundation/sys/world.h"
#include "storage/blob/directory_blob_store.h"

namespace lb {
namespace {

constexpr std::uint64_t disk = 6'400'000, reserve = 100'000;

class Reserving : public testing::Test {
 protected:
  Reserving() { files.set_space(disk); }
  std::unique_ptr<BlobStore> open() {
    return open_directory_blobs(files, clock, *random, "/repo", MissingFolder::create).take();
  }

  SimFiles files;
  SimClock clock{parse_time("2026-11-26T12:00:00Z").take()};
  std::unique_ptr<Random> random = seeded_random(1);
};

TEST(Reserve, IsAShareOfTheDiskUpToALimit) {
  EXPECT_EQ(reserve_of(0), 0u);
  EXPECT_EQ(reserve_of(disk), reserve);
  EXPECT_EQ(reserve_of(4ull << 30), 64u << 20);
  EXPECT_EQ(reserve_of(~0ull), 64u << 20);
}

TEST_F(Reserving, ContentLeavesTheLastSpaceToWhoFreesIt) {
  ReservingBlobStore content(open(), files, "/repo");
  auto bare = open();
  const Buffer piece(70'000, 1);
  std::uint64_t put = 0;
  Status last;
  for (; last.ok(); ++put) last = content.put(cat("p/", put), piece);
  EXPECT_EQ(last.error().kind(), ErrorKind::exhausted) << last.error().text();
  EXPECT_EQ(last.error().exit_code(), ExitCode::no_space);
  EXPECT_NE(last.error().hint().find("lifeboat prune"), std::string::npos);
  EXPECT_EQ(put, (disk - reserve) / piece.size() + 1) << "all but the reserve can be used";
  EXPECT_FALSE(content.info(cat("p/", put - 1)).ok()) << "nothing of it was written";
  EXPECT_GE(files.space("/repo")->available, reserve);
  const Buffer small(100, 1);
  while (content.put(cat("r/", put++), small).ok()) {
  }
  EXPECT_GE(files.space("/repo")->available, reserve) << "nor do many small ones take of it";
  EXPECT_TRUE(bare->put("l/1", piece).ok());
  ASSERT_TRUE(content.remove("p/0").ok());
  EXPECT_FALSE(content.put("p/again", piece).ok()) << "the reserve comes first";
  ASSERT_TRUE(content.remove("p/1").ok());
  EXPECT_TRUE(content.put("p/again", piece).ok());
}

TEST_F(Reserving, WhatTheStoreSaysIsPassedOn) {
  ReservingBlobStore content(open(), files, "/repo");
  ASSERT_TRUE(content.put("p/1", Buffer(10, 1)).ok());
  EXPECT_EQ(content.put("p/1", Buffer(10, 2)).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(content.get("p/1").value(), Buffer(10, 1));
  EXPECT_EQ(content.list("p/", {})->size(), 1u);
  ReservingBlobStore nowhere(open(), files, "/not there");
  EXPECT_TRUE(nowhere.put("p/2", Buffer(10, 1)).ok()) << "space that cannot be told is no refusal";
}

}  // namespace
}  // namespace lb
