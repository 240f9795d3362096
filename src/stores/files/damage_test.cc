#include "stores/files/damage.h"

#include "foundation/base/text.h"
#include "stores/files/test_world.h"

namespace lb::files {
namespace {

using Kind = TreeDifference::Kind;

class FilesDamage : public FilesStoreTest {
 protected:
  void SetUp() override {
    write(at("a/one"), "1111");
    write(at("a/two"), "2222");
    write(at("b/three"), "3333");
    write(at("b/twin"), "twin");
    write(at("c"), "c");
    ASSERT_TRUE(files_.link(at("b/twin"), at("b/twin2")).ok());
    ASSERT_TRUE(files_.make_symlink("a", at("link")).ok());
  }
  // "missing a/one 4 0", in the order told.
  Lines assess() {
    Lines told;
    auto sink = [&](const TreeDifference& one) -> Status {
      static const std::vector<std::string> words = {"missing", "changed", "extra", "attributes",
                                                     "unseen"};
      told.push_back(cat(words.at(static_cast<std::size_t>(one.kind)), " ", one.path, " ",
                         one.recorded_bytes, " ", one.bytes));
      return {};
    };
    auto out = assess_tree(world_, *parent_, source_, sink, {});
    EXPECT_TRUE(out.ok()) << out.error().text();
    if (out.ok()) damage = std::move(out).take();
    return told;
  }
  TreeDamage damage;
};

TEST_F(FilesDamage, NothingDiffersRightAfterABackup) {
  backup();
  files_.bytes_read = 0;
  EXPECT_EQ(assess(), Lines{});
  EXPECT_EQ(damage.equal, 10u);
  EXPECT_EQ(damage.compared, 1u) << "a further name of a file has no record of its own";
  EXPECT_EQ(files_.bytes_read, 4u);
}

TEST_F(FilesDamage, TellsWhatIsMissingChangedAndExtra) {
  backup();
  ASSERT_TRUE(files_.remove(at("a/one")).ok());
  write(at("a/two"), "22");
  write(at("a/two.locked"), "encrypted");
  write(at("b/three"), "3X33");
  ASSERT_TRUE(files_.set_mode(at("c"), 0600).ok());
  ASSERT_TRUE(files_.remove(at("link")).ok());
  ASSERT_TRUE(files_.make_symlink("b", at("link")).ok());
  EXPECT_EQ(assess(), (Lines{"missing a/one 4 0", "changed a/two 4 2", "extra a/two.locked 0 9",
                             "changed b/three 4 4", "attributes c 1 1", "changed link 0 0"}));
  EXPECT_EQ(damage.missing, 1u);
  EXPECT_EQ(damage.missing_bytes, 4u);
  EXPECT_EQ(damage.changed, 3u);
  EXPECT_EQ(damage.changed_bytes, 8u);
  EXPECT_EQ(damage.extra_bytes, 9u);
  EXPECT_EQ(damage.attributes, 1u);
}

// Who hides a change puts the time back.
TEST_F(FilesDamage, SeesContentThatChangedBehindTheSameSizeAndTime) {
  backup();
  auto before = info(at("b/three"));
  auto file = files_.open_write(at("b/three")).take();
  ASSERT_TRUE(file->write_at(view_of("X"), 0).ok());
  ASSERT_TRUE(files_.set_mtime(at("b/three"), before.mtime_ns).ok());
  EXPECT_EQ(assess(), Lines{"changed b/three 4 4"});
}

TEST_F(FilesDamage, AFileThatWasOnlyTouchedIsNotChanged) {
  backup();
  ASSERT_TRUE(files_.set_mtime(at("c"), 5'000'000'000).ok());
  EXPECT_EQ(assess(), Lines{"attributes c 1 1"});
}

TEST_F(FilesDamage, AFolderInPlaceOfAFileAndAFileInPlaceOfAFolder) {
  backup();
  ASSERT_TRUE(files_.remove(at("c")).ok());
  write(at("c/inner"), "in");
  ASSERT_TRUE(remove_tree(files_, at("a")).ok());
  write(at("a"), "file");
  EXPECT_EQ(assess(), (Lines{"changed a 0 4", "missing a/one 4 0", "missing a/two 4 0",
                             "changed c 1 0", "extra c/inner 0 2"}));
}

TEST_F(FilesDamage, WhatThePointHasNoSayAboutIsPassedOver) {
  SourceOptions options;
  options.exclude = {"b/"};
  backup(options);
  write(at("b/new"), "new");
  EXPECT_EQ(assess(), Lines{});
}

TEST_F(FilesDamage, ATreeThatIsGoneIsMissingFromItsRoot) {
  backup();
  ASSERT_TRUE(remove_tree(files_, source_).ok());
  auto told = assess();
  EXPECT_TRUE(damage.no_root);
  EXPECT_EQ(damage.missing, 10u);
  EXPECT_EQ(damage.missing_bytes, 17u);
  EXPECT_EQ(told.front(), "missing  0 0");
}

TEST_F(FilesDamage, WhatCannotBeReadIsNeitherMissingNorEqual) {
  backup();
  ASSERT_TRUE(files_.set_mtime(at("c"), 5'000'000'000).ok());
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    bool list = call == "list" && path == at("a");
    bool open = call == "open_read" && path == at("c");
    bool info = call == "info" && path == at("b");
    if (!list && !open && !info) return {};
    return Error(ErrorKind::denied, "no permission");
  };
  EXPECT_EQ(assess(), (Lines{"unseen a 0 0", "unseen a/one 4 0", "unseen a/two 4 0", "unseen b 0 0",
                             "unseen b/three 4 0", "unseen b/twin 4 0", "unseen b/twin2 0 0",
                             "unseen c 1 1"}));
  EXPECT_EQ(damage.missing, 0u);
  EXPECT_EQ(damage.unseen, 8u);
}

TEST_F(FilesDamage, ABadDiskIsToldOfTheFileAndEndsNothing) {
  backup();
  ASSERT_TRUE(files_.set_mtime(at("b/three"), 5'000'000'000).ok());
  ASSERT_TRUE(files_.remove(at("c")).ok());
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    if (call == "read_at" && path == at("b/three")) return Error(ErrorKind::corrupt, "bad sector");
    return {};
  };
  EXPECT_EQ(assess(), (Lines{"unseen b/three 4 4", "missing c 1 0"}));
}

TEST_F(FilesDamage, AFileThatGoesWhileItIsLookedAtIsMissing) {
  backup();
  ASSERT_TRUE(files_.set_mtime(at("c"), 5'000'000'000).ok());
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    if (call == "open_read" && path == at("c")) return Error(ErrorKind::not_found, "gone");
    return {};
  };
  EXPECT_EQ(assess(), Lines{"missing c 1 0"});
}

TEST_F(FilesDamage, AnErrorOfTheSinkAndAStopEndIt) {
  backup();
  ASSERT_TRUE(files_.remove(at("c")).ok());
  auto full = [](const TreeDifference&) -> Status { return Error(ErrorKind::exhausted, "full"); };
  EXPECT_EQ(assess_tree(world_, *parent_, source_, full, {}).error().kind(), ErrorKind::exhausted);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(assess_tree(world_, *parent_, source_, full, stop.get_token()).error().kind(),
            ErrorKind::cancelled);
}

}  // namespace
}  // namespace lb::files
