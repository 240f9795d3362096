#include "stores/files/compare.h"

#include "stores/files/test_world.h"

namespace lb::files {
namespace {

class FilesCompare : public FilesStoreTest {
 protected:
  void SetUp() override {
    write(at("media/a.png"), "aaaa");
    write(at("media/b.png"), "bbbb");
    write(at("media/empty"), "");
    write(at("other/c"), "cccc");
    ASSERT_TRUE(files_.link(at("media/empty"), at("media/empty2")).ok());
    ASSERT_TRUE(files_.make_symlink("media", at("link")).ok());
    backup();
    restore_all(to_target());
  }
  TreeComparison compare(const Lines& in, bool hashes) {
    auto out = compare_tree(world_, *parent_, target_, in, hashes, {});
    EXPECT_TRUE(out.ok()) << out.error().text();
    return out.ok() ? std::move(out).take() : TreeComparison();
  }
};

TEST_F(FilesCompare, EqualTreesHaveEqualCounts) {
  auto all = compare({}, true);
  EXPECT_EQ(all.files, 5u);
  EXPECT_EQ(all.recorded_files, 5u);
  EXPECT_EQ(all.zero_bytes, 2u);
  EXPECT_EQ(all.recorded_zero_bytes, 2u);
  EXPECT_EQ(all.hashed, 5u);
  EXPECT_EQ(all.missing + all.extra + all.mode_mismatches + all.content_mismatches, 0u);
  auto some = compare({"media", "/other/"}, false);
  EXPECT_EQ(some.files, 5u);
  EXPECT_EQ(some.hashed, 0u);
  ASSERT_EQ(some.folders.size(), 2u);
  EXPECT_EQ(some.folders[0].files, 4u);
  EXPECT_EQ(some.folders[1].recorded_files, 1u);
  EXPECT_EQ(compare_tree(world_, *parent_, target_, {"nowhere"}, true, {}).error().kind(),
            ErrorKind::not_found);
}

TEST_F(FilesCompare, EveryKindOfDifferenceIsCounted) {
  ASSERT_TRUE(files_.remove(back("media/a.png")).ok());
  write(back("media/new"), "");
  ASSERT_TRUE(files_.set_mode(back("media/empty"), 0600).ok());
  auto file = files_.open_write(back("media/b.png")).take();
  ASSERT_TRUE(file->write_at(view_of("X"), 0).ok());
  ASSERT_TRUE(files_.remove(back("link")).ok());
  write(back("link"), "a file now");
  auto out = compare({}, true);
  EXPECT_EQ(out.missing, 2u);
  EXPECT_EQ(out.extra, 1u);
  EXPECT_EQ(out.mode_mismatches, 2u) << "both names of one file";
  EXPECT_EQ(out.content_mismatches, 1u);
  EXPECT_EQ(out.zero_bytes, 3u);
  EXPECT_EQ(out.recorded_zero_bytes, 2u);
  EXPECT_EQ(out.examples,
            (Lines{"link: another kind of file than recorded", "media/a.png: missing",
                   "media/b.png: content differs from what was recorded",
                   "media/empty: mode 0600, recorded 0644",
                   "media/empty2: mode 0600, recorded 0644", "media/new: not in the snapshot"}));
  EXPECT_EQ(compare({}, false).content_mismatches, 0u) << "the size is the same";
}

TEST_F(FilesCompare, LookUpFindsRegularFilesBelowTheFolderOnly) {
  KeyLookup lookup(files_, target_);
  auto found = [&](const std::string& key) {
    auto out = lookup.contains(key);
    EXPECT_TRUE(out.ok()) << out.error().text();
    return out.ok() && *out;
  };
  EXPECT_TRUE(found("media/a.png"));
  EXPECT_TRUE(found("/media/a.png"));
  EXPECT_TRUE(found("./media//a.png"));
  EXPECT_FALSE(found("media/none.png"));
  EXPECT_FALSE(found("media"));
  EXPECT_FALSE(found("media/a.png/"));
  EXPECT_FALSE(found("media/a.png/x"));
  EXPECT_FALSE(found("link/a.png")) << "through a symbolic link";
  EXPECT_FALSE(found("link"));
  EXPECT_FALSE(found(""));
  EXPECT_FALSE(found("../source/other/c"));
  EXPECT_FALSE(found("media/../other/c"));
  EXPECT_FALSE(found(std::string("media/a.png\0x", 13)));
  EXPECT_FALSE(found(std::string(5000, 'x')));
}

}  // namespace
}  // namespace lb::files
