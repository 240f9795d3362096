#include "foundation/sys/sim_files.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"

namespace lb {
namespace {

std::string read(Files& files, const std::string& path) {
  auto bytes = read_file(files, path, 1 << 20);
  return bytes.ok() ? std::string(text_of(*bytes)) : std::string(name_of(bytes.error().kind()));
}

TEST(SimFiles, CrashDropsWhatWasNotSynced) {
  SimFiles files;
  auto file = files.create("/a", 0600).take();
  ASSERT_TRUE(file->append(view_of("synced")).ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(files.sync_directory("/").ok());
  ASSERT_TRUE(file->append(view_of(" not synced")).ok());
  auto nameless = files.create("/b", 0600).take();
  ASSERT_TRUE(nameless->append(view_of("b")).ok());
  ASSERT_TRUE(nameless->sync().ok());
  files.crash();
  EXPECT_EQ(read(files, "/a"), "synced");
  EXPECT_EQ(read(files, "/b"), "not found");  // its content was synced, its name was not
  EXPECT_FALSE(file->append(view_of("x")).ok());
  Buffer out(1);
  EXPECT_FALSE(file->read_at(out, 0).ok());
}

TEST(SimFiles, NameSyncedBeforeContentGivesAnEmptyFile) {
  SimFiles files;
  auto file = files.create("/a", 0600).take();
  ASSERT_TRUE(file->append(view_of("content")).ok());
  ASSERT_TRUE(files.sync_directory("/").ok());
  files.crash();
  EXPECT_EQ(read(files, "/a"), "");
}

TEST(SimFiles, RemovalAndRenameNeedTheFolderSynced) {
  SimFiles files;
  ASSERT_TRUE(write_durably(files, "/a", view_of("a")).ok());
  ASSERT_TRUE(write_durably(files, "/b", view_of("b")).ok());
  ASSERT_TRUE(files.remove("/a").ok());
  ASSERT_TRUE(files.rename("/b", "/c").ok());
  files.crash();
  EXPECT_EQ(read(files, "/a"), "a");
  EXPECT_EQ(read(files, "/b"), "b");
  EXPECT_EQ(read(files, "/c"), "not found");
  EXPECT_EQ(files.info("/b").value().links, 1u);
  ASSERT_TRUE(files.remove("/a").ok());
  ASSERT_TRUE(files.sync_directory("/").ok());
  files.crash();
  EXPECT_EQ(read(files, "/a"), "not found");
}

TEST(SimFiles, AnExchangeNeedsTheFolderSynced) {
  SimFiles files;
  ASSERT_TRUE(write_durably(files, "/a", view_of("a")).ok());
  ASSERT_TRUE(write_durably(files, "/b", view_of("b")).ok());
  ASSERT_TRUE(files.exchange("/a", "/b").ok());
  EXPECT_EQ(read(files, "/a"), "b");
  files.crash();
  EXPECT_EQ(read(files, "/a"), "a");
  EXPECT_EQ(read(files, "/b"), "b");
  ASSERT_TRUE(files.exchange("/a", "/b").ok());
  ASSERT_TRUE(files.sync_directory("/").ok());
  files.crash();
  EXPECT_EQ(read(files, "/a"), "b");
  files.set_exchange(false);
  EXPECT_EQ(files.exchange("/a", "/b").error().kind(), ErrorKind::unsupported);
  EXPECT_EQ(read(files, "/a"), "b");
}

TEST(SimFiles, SyncFilesystemMakesAllDurable) {
  SimFiles files;
  ASSERT_TRUE(make_directories(files, "/x/y", 0700).ok());
  auto file = files.create("/x/y/a", 0600).take();
  ASSERT_TRUE(file->append(view_of("a")).ok());
  ASSERT_TRUE(files.sync_filesystem("/x").ok());
  files.crash();
  EXPECT_EQ(read(files, "/x/y/a"), "a");
}

TEST(SimFiles, FullDiskTakesWhatFitsAndSaysSo) {
  SimFiles files;
  files.set_space(10);
  auto file = files.create("/a", 0600).take();
  ASSERT_TRUE(file->append(view_of("12345678")).ok());
  auto full = file->append(view_of("90ab"));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind(), ErrorKind::exhausted);
  EXPECT_EQ(read(files, "/a"), "1234567890");
  EXPECT_EQ(files.space("/").value().available, 0u);
  EXPECT_EQ(file->truncate(11).error().kind(), ErrorKind::exhausted);
  EXPECT_FALSE(file->write_at(view_of("x"), 100).ok());
  ASSERT_TRUE(file->write_at(view_of("X"), 0).ok());  // no new space needed
  ASSERT_TRUE(files.remove("/a").ok());
  EXPECT_EQ(files.space("/").value().available, 10u);
}

TEST(SimFiles, FailedSyncLosesThePagesAndIsFinal) {
  SimFiles files;
  auto file = files.create("/a", 0600).take();
  ASSERT_TRUE(file->append(view_of("a")).ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(file->append(view_of("b")).ok());
  files.fail_call(0);
  EXPECT_FALSE(file->sync().ok());
  EXPECT_TRUE(files.fault_fired());
  EXPECT_FALSE(file->sync().ok());
  EXPECT_EQ(read(files, "/a"), "a");
}

// The promise of write_durably: whatever call fails, and whatever a power cut after it leaves, the
// file holds the old text or the new one; and when it said yes, the new one.
TEST(SimFiles, WriteDurablyHoldsUnderEveryFailureAndCrash) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto chance = seeded_random(seed);
    for (std::uint64_t nth = 0;; ++nth) {
      SimFiles files;
      ASSERT_TRUE(write_durably(files, "/a", view_of("old")).ok());
      files.fail_call(nth);
      auto written = write_durably(files, "/a", view_of("new"));
      bool fired = files.fault_fired();
      if (seed == 0) {
        files.crash();
      } else {
        files.crash(chance.get());
      }
      auto text = read(files, "/a");
      EXPECT_TRUE(text == "old" || text == "new") << text << " after failing call " << nth;
      EXPECT_TRUE(!written.ok() || text == "new") << "after failing call " << nth;
      if (!fired) {
        EXPECT_TRUE(written.ok());
        break;
      }
    }
  }
}

TEST(SimFiles, LinksInTheMiddleAreFollowedAndLoopsEnd) {
  SimFiles files;
  ASSERT_TRUE(make_directories(files, "/d/e", 0700).ok());
  ASSERT_TRUE(write_durably(files, "/d/e/f", view_of("f")).ok());
  ASSERT_TRUE(files.make_symlink("d", "/link").ok());
  ASSERT_TRUE(files.make_symlink("/d/e", "/d/absolute").ok());
  ASSERT_TRUE(files.make_symlink("loop", "/loop").ok());
  EXPECT_EQ(read(files, "/link/e/f"), "f");
  EXPECT_EQ(read(files, "link/absolute/../e/./f"), "f");
  EXPECT_EQ(read(files, "/loop/x"), "invalid");
  EXPECT_EQ(files.list("/link/").value().size(), 2u);
  EXPECT_FALSE(files.list("/link").ok());
  EXPECT_FALSE(files.rename("/d", "/d/e/inside").ok());
}

}  // namespace
}  // namespace lb
