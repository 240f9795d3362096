// Restores on a simulated disk: a failing call or a power cut anywhere, then the same restore
// again.
#include "foundation/base/text.h"
#include "foundation/sys/sim_files.h"
#include "stores/files/test_world.h"

namespace lb::files {
namespace {

class FilesCrash : public testing::Test {
 protected:
  FilesCrash() {
    make("/source/d/large", std::string(300'000, 'l'));
    make("/source/d/small", "small");
    make("/source/e/f", "f");
    make("/source/zero", "");
    EXPECT_TRUE(disk_.link("/source/d/small", "/source/second").ok());
    EXPECT_TRUE(disk_.make_symlink("d/small", "/source/sym").ok());
    auto sparse = disk_.create("/source/sparse", 0600).take();
    EXPECT_TRUE(sparse->truncate(1 << 20).ok());
    EXPECT_TRUE(sparse->write_at(view_of("data"), 500'000).ok());
    EXPECT_TRUE(disk_.sync_filesystem("/").ok());
    BackupContext context{world_, *repository_, nullptr, {}, {}, 2, "host"};
    SourceOptions options;
    options.store = "media";
    options.root = "/source";
    auto outcome = make_source(options)->backup(context);
    EXPECT_TRUE(outcome.ok()) << outcome.error().text();
    snapshot_ = repository_->snapshot(outcome->snapshot.id).take();
  }

  void make(const std::string& path, std::string_view text) {
    ASSERT_TRUE(make_directories(disk_, path_parent(path), 0755).ok());
    ASSERT_TRUE(write_durably(disk_, path, view_of(text)).ok());
  }
  Result<RestoreOutcome> restore_to(const std::string& folder) {
    RestoreOptions options;
    options.folder = folder;
    return restore(world_, *snapshot_, options, {}, {});
  }
  std::string describe(const std::string& folder) {
    std::string out;
    auto entries = disk_.list(folder);
    if (!entries.ok()) return "nothing";
    for (const auto& entry : *entries) {
      auto path = path_join(folder, entry.name);
      auto info = disk_.info(path).take();
      out += cat(entry.name, " ", info.mode, " ", info.mtime_ns, " ", info.links);
      if (info.kind == FileKind::regular) {
        auto bytes = read_file(disk_, path, 1 << 21).take();
        out += cat(" ", bytes.size(), ":", std::hash<std::string_view>()(text_of(bytes)));
      }
      out += "\n";
      if (info.kind == FileKind::directory) out += describe(path);
    }
    return out;
  }

  SimClock clock_{from_micros(1'800'000'000'000'000)};
  std::unique_ptr<Random> random_ = seeded_random(3);
  SimFiles disk_;
  NoHttp http_;
  NoProcesses processes_;
  NoSandboxes sandboxes_;
  World world_{clock_, *random_, disk_, http_, processes_, sandboxes_};
  TestRepository repository_{clock_, *random_};
  std::unique_ptr<repo::SnapshotReader> snapshot_;
};

TEST_F(FilesCrash, FinishedRestoreSurvivesAPowerCut) {
  ASSERT_TRUE(restore_to("/target").ok());
  ASSERT_EQ(describe("/target"), describe("/source"));
  disk_.crash();
  auto after = describe("/target");
  // Only the removal of the mark was not synced; the next restore takes it away.
  EXPECT_NE(after.find("large"), std::string::npos);
  ASSERT_TRUE(restore_to("/target").ok());
  EXPECT_EQ(describe("/target"), describe("/source"));
}

TEST_F(FilesCrash, AnyFailureAndPowerCutIsMadeGoodByTheNextRun) {
  for (std::uint64_t nth = 0;; ++nth) {
    SCOPED_TRACE(nth);
    ASSERT_LT(nth, 1000u);
    auto folder = cat("/target", nth);
    disk_.fail_call(nth);
    auto outcome = restore_to(folder);
    bool fired = disk_.fault_fired();
    EXPECT_TRUE(fired || outcome.ok());
    auto chance = seeded_random(nth);
    disk_.crash(nth % 2 == 0 ? chance.get() : nullptr);
    auto again = restore_to(folder);
    ASSERT_TRUE(again.ok()) << again.error().text();
    EXPECT_EQ(describe(folder), describe("/source"));
    ASSERT_TRUE(remove_tree(disk_, folder).ok());
    if (!fired || HasFailure()) break;
  }
}

TEST_F(FilesCrash, FullDiskLeavesNoHalfFileUnderItsName) {
  auto used = std::uint64_t{301'000};  // the source
  for (std::uint64_t room = 0; room < 320'000; room += 50'000) {
    disk_.set_space(used + room);
    auto outcome = restore_to("/full");
    if (outcome.ok()) break;
    EXPECT_EQ(outcome.error().kind(), ErrorKind::exhausted) << outcome.error().text();
    EXPECT_EQ(outcome.error().exit_code(), ExitCode::no_space);
    auto large = disk_.info("/full/d/large");
    if (large.ok()) {
      EXPECT_EQ(large->size, 300'000u);
    }
  }
  disk_.set_space(UINT64_MAX);
  ASSERT_TRUE(restore_to("/full").ok());
  EXPECT_EQ(describe("/full"), describe("/source"));
}

}  // namespace
}  // namespace lb::files
