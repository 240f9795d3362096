// One suite that every implementation of BlobStore passes, then what is special to each.
#include <gtest/gtest.h>

#include <atomic>

#include "foundation/flow/task_group.h"
#include "foundation/sys/files.h"
#include "foundation/sys/test_folder.h"
#include "storage/blob/directory_blob_store.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/blob/memory_blob_store.h"

namespace lb {
namespace {

Buffer bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

struct Place {
  virtual ~Place() = default;
  virtual BlobStore& store() = 0;
};

struct MemoryPlace : Place {
  MemoryBlobStore memory;
  BlobStore& store() override { return memory; }
};

struct DirectoryPlace : Place {
  TestFolder folder;
  std::unique_ptr<Files> files = real_files();
  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<Random> random = seeded_random(1);
  std::unique_ptr<BlobStore> blobs =
      open_directory_blobs(*files, *clock, *random, folder / "repo", MissingFolder::create).take();
  BlobStore& store() override { return *blobs; }
};

struct DecoratedPlace : Place {
  MemoryBlobStore memory;
  FaultBlobStore fault{memory, {.nth = ~0ull}};
  CountingBlobStore counting{fault};
  BlobStore& store() override { return counting; }
};

class BlobContract : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string name = GetParam();
    if (name == "memory") place_ = std::make_unique<MemoryPlace>();
    if (name == "directory") place_ = std::make_unique<DirectoryPlace>();
    if (name == "decorated") place_ = std::make_unique<DecoratedPlace>();
  }
  BlobStore& store() { return place_->store(); }
  std::vector<std::string> keys(const std::string& prefix, const std::string& after = {}) {
    auto listed = store().list(prefix, after);
    EXPECT_TRUE(listed.ok());
    std::vector<std::string> out;
    for (const auto& info : listed.value()) out.push_back(info.key);
    return out;
  }

 private:
  std::unique_ptr<Place> place_;
};

INSTANTIATE_TEST_SUITE_P(All, BlobContract, testing::Values("memory", "directory", "decorated"),
                         [](const auto& chosen) { return std::string(chosen.param); });

TEST_P(BlobContract, GivesBackWhatWasPut) {
  auto data = bytes_of("hello, store");
  ASSERT_TRUE(store().put("p/one/00", data).ok());
  ASSERT_TRUE(store().flush().ok());
  EXPECT_EQ(store().get("p/one/00").value(), data);
  EXPECT_EQ(store().get_range("p/one/00", 7, 5).value(), bytes_of("store"));
  EXPECT_EQ(store().get_range("p/one/00", 12, 0).value(), Buffer());
  Buffer five(5);
  ASSERT_TRUE(store().get_range_into("p/one/00", 7, five).ok());
  EXPECT_EQ(five, bytes_of("store"));
  EXPECT_EQ(store().info("p/one/00")->size, data.size());
}

TEST_P(BlobContract, HoldsEmptyObjects) {
  ASSERT_TRUE(store().put("empty", {}).ok());
  EXPECT_EQ(store().get("empty").value(), Buffer());
  EXPECT_EQ(store().info("empty")->size, 0u);
}

TEST_P(BlobContract, NeverOverwrites) {
  ASSERT_TRUE(store().put("k", bytes_of("first")).ok());
  auto second = store().put("k", bytes_of("second"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
  EXPECT_EQ(store().get("k").value(), bytes_of("first"));
}

TEST_P(BlobContract, MissingIsNotFound) {
  EXPECT_EQ(store().get("nope").error().kind(), ErrorKind::not_found);
  EXPECT_EQ(store().get_range("no/pe", 0, 1).error().kind(), ErrorKind::not_found);
  Buffer one(1);
  EXPECT_EQ(store().get_range_into("no/pe", 0, one).error().kind(), ErrorKind::not_found);
  EXPECT_EQ(store().info("nope").error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(store().remove("nope").ok());
}

TEST_P(BlobContract, RangeBeyondTheEndIsCorrupt) {
  ASSERT_TRUE(store().put("k", bytes_of("12345")).ok());
  EXPECT_EQ(store().get_range("k", 0, 6).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(store().get_range("k", 6, 0).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(store().get_range("k", ~0ull, 2).error().kind(), ErrorKind::corrupt);
  Buffer six(6);
  EXPECT_EQ(store().get_range_into("k", 0, six).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(store().get_range_into("k", ~0ull, six).error().kind(), ErrorKind::corrupt);
}

TEST_P(BlobContract, ListsInKeyOrder) {
  for (const char* key : {"a/b/2", "a-b", "a/b/1", "a", "b/1", "ab/1", "a0"}) {
    if (std::string_view(key) == "a") continue;  // a key cannot also be a folder
    ASSERT_TRUE(store().put(key, bytes_of(key)).ok()) << key;
  }
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys(""), (Keys{"a-b", "a/b/1", "a/b/2", "a0", "ab/1", "b/1"}));
  EXPECT_EQ(keys("a/"), (Keys{"a/b/1", "a/b/2"}));
  EXPECT_EQ(keys("a/b/1"), (Keys{"a/b/1"}));
  EXPECT_EQ(keys("a"), (Keys{"a-b", "a/b/1", "a/b/2", "a0", "ab/1"}));
  EXPECT_EQ(keys("", "a/b/1"), (Keys{"a/b/2", "a0", "ab/1", "b/1"}));
  EXPECT_EQ(keys("a/b/", "a/b/2"), Keys{});
  EXPECT_EQ(keys("nothing/here"), Keys{});
  auto listed = store().list("b/", "").take();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].size, 3u);
}

TEST_P(BlobContract, RemovedIsGoneAndMayBePutAgain) {
  ASSERT_TRUE(store().put("t/1", bytes_of("x")).ok());
  ASSERT_TRUE(store().remove("t/1").ok());
  EXPECT_EQ(store().get("t/1").error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(keys("").empty());
  ASSERT_TRUE(store().put("t/1", bytes_of("y")).ok());
  EXPECT_EQ(store().get("t/1").value(), bytes_of("y"));
}

TEST_P(BlobContract, RefusesKeysThatLeaveTheStore) {
  for (const char* key :
       {"", "/", "../x", "a/../b", "a//b", ".hidden", "a/", "tmp/x", "a b", "ä"}) {
    auto put = store().put(key, bytes_of("x"));
    ASSERT_FALSE(put.ok()) << key;
    EXPECT_EQ(put.error().kind(), ErrorKind::invalid) << key;
  }
}

TEST_P(BlobContract, OneOfManyWritersWins) {
  std::atomic<int> won{0}, lost{0};
  auto status = for_each_parallel(16, 8, {}, [&](std::size_t i) -> Status {
    auto put = store().put("race/key", Buffer(1000, static_cast<std::uint8_t>(i)));
    if (put.ok()) {
      ++won;
    } else if (put.error().kind() == ErrorKind::conflict) {
      ++lost;
    }
    return {};
  });
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 15);
  auto kept = store().get("race/key").take();
  EXPECT_EQ(kept, Buffer(1000, kept[0]));
}

TEST(MemoryBlobStore, CrashForgetsWhatWasNotFlushed) {
  MemoryBlobStore store;
  ASSERT_TRUE(store.put("a", bytes_of("1")).ok());
  ASSERT_TRUE(store.flush().ok());
  ASSERT_TRUE(store.put("b", bytes_of("2")).ok());
  store.crash();
  EXPECT_TRUE(store.get("a").ok());
  EXPECT_FALSE(store.get("b").ok());
}

TEST(DirectoryBlobStore, IsPrivateAndLeavesNoTemporaries) {
  DirectoryPlace place;
  ASSERT_TRUE(place.store().put("p/a/00", bytes_of("x")).ok());
  auto root = place.folder / "repo";
  EXPECT_EQ(place.files->info(root)->mode, 0700u);
  EXPECT_EQ(place.files->info(root + "/p/a")->mode, 0700u);
  EXPECT_EQ(place.files->info(root + "/p/a/00")->mode, 0600u);
  EXPECT_EQ(place.files->info(root + "/p/a/00")->links, 1u);
  EXPECT_TRUE(place.files->list(root + "/tmp")->empty());
}

TEST(DirectoryBlobStore, SweepsOldTemporariesOnly) {
  DirectoryPlace place;
  auto root = place.folder / "repo";
  ASSERT_TRUE(make_directories(*place.files, root + "/tmp", 0700).ok());
  ASSERT_TRUE(write_durably(*place.files, root + "/tmp/old", bytes_of("x")).ok());
  ASSERT_TRUE(write_durably(*place.files, root + "/tmp/new", bytes_of("x")).ok());
  ASSERT_TRUE(place.files->set_mtime(root + "/tmp/old", 1'000'000'000).ok());
  auto again = open_directory_blobs(*place.files, *place.clock, *place.random, root + "/",
                                    MissingFolder::refuse);
  ASSERT_TRUE(again.ok());
  auto left = place.files->list(root + "/tmp").take();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name, "new");
}

TEST(DirectoryBlobStore, AMissingFolderIsNoRepository) {
  DirectoryPlace place;
  auto opened = open_directory_blobs(*place.files, *place.clock, *place.random,
                                     place.folder / "absent", MissingFolder::refuse);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().exit_code(), ExitCode::no_repository);
}

TEST(FaultBlobStore, MakesTheChosenCallFail) {
  MemoryBlobStore memory;
  FaultBlobStore store(memory, {.nth = 1, .fault = BlobFault::full, .only = BlobCall::put});
  EXPECT_TRUE(store.put("a", bytes_of("1")).ok());
  auto second = store.put("b", bytes_of("2"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().exit_code(), ExitCode::no_space);
  EXPECT_TRUE(store.fired());
  EXPECT_TRUE(store.put("b", bytes_of("2")).ok());
}

TEST(FaultBlobStore, ATimedOutPutMayHaveLanded) {
  MemoryBlobStore memory;
  FaultBlobStore store(memory, {.fault = BlobFault::timed_out_applied, .only = BlobCall::put});
  EXPECT_EQ(store.put("a", bytes_of("1")).error().kind(), ErrorKind::timeout);
  EXPECT_EQ(memory.get("a").value(), bytes_of("1"));
}

TEST(FaultBlobStore, SpoilsReads) {
  MemoryBlobStore memory;
  ASSERT_TRUE(memory.put("a", bytes_of("1234")).ok());
  FaultBlobStore flip(memory, {.fault = BlobFault::flip, .lasting = true});
  EXPECT_NE(flip.get("a").value(), bytes_of("1234"));
  EXPECT_EQ(flip.get("a")->size(), 4u);
  FaultBlobStore cut(memory, {.fault = BlobFault::truncate, .lasting = true});
  EXPECT_EQ(cut.get("a").value(), bytes_of("12"));
  EXPECT_EQ(cut.get_range("a", 0, 4).error().kind(), ErrorKind::corrupt);
}

}  // namespace
}  // namespace lb
