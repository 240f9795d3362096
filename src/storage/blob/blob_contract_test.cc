// The contract on the stores that need no server, then what is special to each.
#include "storage/blob/blob_contract.h"

#include "foundation/sys/files.h"
#include "foundation/sys/test_folder.h"
#include "storage/blob/directory_blob_store.h"
#include "storage/blob/fake_s3.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/blob/memory_blob_store.h"
#include "storage/blob/s3_blob_store.h"

namespace lb {

namespace {

struct MemoryPlace : BlobPlace {
  MemoryBlobStore memory;
  BlobStore& store() override { return memory; }
};

struct DirectoryPlace : BlobPlace {
  TestFolder folder;
  std::unique_ptr<Files> files = real_files();
  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<Random> random = seeded_random(1);
  std::unique_ptr<BlobStore> blobs =
      open_directory_blobs(*files, *clock, *random, folder / "repo", MissingFolder::create).take();
  BlobStore& store() override { return *blobs; }
};

struct DecoratedPlace : BlobPlace {
  MemoryBlobStore memory;
  FaultBlobStore fault{memory, {.nth = ~0ull}};
  CountingBlobStore counting{fault};
  BlobStore& store() override { return counting; }
};

struct S3Place : BlobPlace {
  SimClock clock{parse_time("2026-11-26T12:00:00Z").take()};
  std::unique_ptr<Random> random = seeded_random(1);
  FakeS3 service{clock};
  S3BlobStore blobs{service, clock, *random, settings()};
  S3Place() { service.page_keys = 2; }
  BlobStore& store() override { return blobs; }
  static S3Settings settings() {
    S3Settings out;
    out.endpoint = "https://s3.example.org";
    out.bucket = "vault";
    out.prefix = "some/where";
    out.credentials.access_key = "key";
    out.credentials.secret_key = Secret(std::string_view("sesame"));
    return out;
  }
};

}  // namespace

std::unique_ptr<BlobPlace> make_blob_place(const std::string& name) {
  if (name == "memory") return std::make_unique<MemoryPlace>();
  if (name == "directory") return std::make_unique<DirectoryPlace>();
  if (name == "s3") return std::make_unique<S3Place>();
  return std::make_unique<DecoratedPlace>();
}

namespace {

INSTANTIATE_TEST_SUITE_P(All, BlobContract,
                         testing::Values("memory", "directory", "decorated", "s3"), name_of_place);

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

// Unmounted, or moved away: nothing is stored where nobody would look for it.
TEST(DirectoryBlobStore, AFolderThatGoesAwayIsNotMadeAnew) {
  DirectoryPlace place;
  ASSERT_TRUE(place.store().put("p/a/00", bytes_of("x")).ok());
  const auto root = place.folder / "repo";
  std::filesystem::rename(root, place.folder / "away");
  const auto put = place.store().put("p/b/01", bytes_of("y"));
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(put.error().exit_code(), ExitCode::no_repository);
  EXPECT_FALSE(std::filesystem::exists(root));
  std::filesystem::rename(place.folder / "away", root);
  EXPECT_TRUE(place.store().put("p/b/01", bytes_of("y")).ok());
  // Another file system in its place, as an empty mount point shows one.
  std::filesystem::rename(root, place.folder / "away");
  std::filesystem::create_directory_symlink("/proc/self", root);
  EXPECT_EQ(place.store().put("p/c/02", bytes_of("z")).error().kind(), ErrorKind::unavailable);
}

// Mounted again it has another device, and what was in it.
TEST(DirectoryBlobStore, AFolderThatIsMountedAnewGoesOn) {
  DirectoryPlace place;
  std::string elsewhere = "/dev/shm/lifeboat-test-XXXXXX";
  if (::mkdtemp(elsewhere.data()) == nullptr) GTEST_SKIP() << "there is no second file system";
  ASSERT_TRUE(place.store().put("p/a/00", bytes_of("x")).ok());
  const auto root = place.folder / "repo";
  auto again =
      open_directory_blobs(*place.files, *place.clock, *place.random, root, MissingFolder::refuse);
  ASSERT_TRUE(again.ok());
  const auto other = elsewhere + "/mounted";
  std::filesystem::copy(root, other, std::filesystem::copy_options::recursive);
  ASSERT_NE(place.files->info(other)->device, place.files->info(root)->device);
  std::filesystem::rename(root, place.folder / "away");
  std::filesystem::create_directory_symlink(other, root);
  EXPECT_TRUE((*again)->put("p/b/01", bytes_of("y")).ok());
  std::filesystem::remove(root);
  std::filesystem::rename(place.folder / "away", root);
  EXPECT_TRUE((*again)->put("p/c/02", bytes_of("z")).ok()) << "and back";
  std::filesystem::remove_all(elsewhere);
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
