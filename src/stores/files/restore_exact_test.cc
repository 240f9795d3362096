// Exact restores of the files store: what is listed, what is deleted, what never is.
#include "stores/files/test_world.h"

namespace lb::files {
namespace {

class FilesExactRestore : public FilesStoreTest {};

TEST_F(FilesExactRestore, ExactListsFirstAndDeletesExactlyThat) {
  write(at("keep"), "k");
  write(at("d/f"), "f");
  backup();
  restore_all(to_target());
  write(back("extra"), "x");
  write(back("d/more/deep"), "x");
  write(back("d/f"), "edited");
  auto list = deletions(exact());
  EXPECT_EQ(list, (Lines{"d/more", "d/more/deep", "extra"}));
  EXPECT_TRUE(exists(back("extra")));
  restore_all(exact(), list);
  EXPECT_EQ(names(target_), (Lines{"d", "d/f", "keep"}));
  EXPECT_EQ(read(back("d/f")), "f");
  EXPECT_EQ(info(back("d")).mtime_ns, info(at("d")).mtime_ns);
  EXPECT_EQ(info(target_).mtime_ns, info(source_).mtime_ns);
  EXPECT_EQ(deletions(exact()), Lines{});
}

TEST_F(FilesExactRestore, ExactWithinOnePathLeavesTheRestAlone) {
  write(at("d/f"), "f");
  write(at("e/g"), "g");
  backup();
  restore_all(to_target());
  write(back("d/extra"), "x");
  write(back("e/extra"), "x");
  write(back("extra"), "x");
  auto options = exact();
  options.only = {"d"};
  auto list = deletions(options);
  EXPECT_EQ(list, Lines{"d/extra"});
  restore_all(options, list);
  EXPECT_EQ(names(target_), (Lines{"d", "d/f", "e", "e/extra", "e/g", "extra"}));
}

TEST_F(FilesExactRestore, StaleListIsRefusedBeforeAnythingIsTouched) {
  write(at("keep"), "k");
  backup();
  restore_all(to_target());
  write(back("extra"), "x");
  write(back("keep"), "edited");
  auto list = deletions(exact());
  write(back("another"), "x");
  auto refused = restore(world_, *parent_, exact(), list, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().exit_code(), ExitCode::refused);
  EXPECT_EQ(read(back("keep")), "edited");
  EXPECT_TRUE(exists(back("extra")));
  auto merging = restore(world_, *parent_, to_target(), list, {});
  ASSERT_FALSE(merging.ok());
  EXPECT_EQ(merging.error().kind(), ErrorKind::invalid);
}

TEST_F(FilesExactRestore, ExactNeverDeletesWhatTheSnapshotHasNoSayAbout) {
  write(at("x"), "x");
  write(at("cache/c"), "c");
  write(at("repo/pack"), "p");
  write(at("unread/secret"), "s");
  write(at("locked"), "l");
  ASSERT_TRUE(files_.make_special(at("sock"), FileKind::socket, 0600, 0).ok());
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    if (call == "list" && path == at("unread")) return Error(ErrorKind::denied, "no");
    if (call == "open_read" && path == at("locked")) return Error(ErrorKind::denied, "no");
    return {};
  };
  SourceOptions options;
  options.exclude = {"cache/"};
  options.skip = {at("repo")};
  backup(options);
  files_.hook = nullptr;
  auto in_place = exact();
  in_place.folder = source_;
  write(at("extra"), "e");
  EXPECT_EQ(deletions(in_place), Lines{"extra"});
  auto outcome = restore_all(in_place, {"extra"});
  EXPECT_EQ(names(source_), (Lines{"cache", "cache/c", "locked", "repo", "repo/pack", "sock",
                                   "unread", "unread/secret", "x"}));
  ASSERT_EQ(outcome.warnings.size(), 1u);
  EXPECT_NE(outcome.warnings[0].find("unreadable when the backup ran"), std::string::npos);
}

TEST_F(FilesExactRestore, ExactSeesThroughEqualTimesAndSizes) {
  write(at("f"), "good");
  backup();
  restore_all(to_target());
  auto file = files_.open_write(back("f")).take();
  ASSERT_TRUE(file->write_at(view_of("evil"), 0).ok());
  ASSERT_TRUE(files_.set_mtime(back("f"), info(at("f")).mtime_ns).ok());
  restore_all(exact());
  EXPECT_EQ(read(back("f")), "good");
}

TEST_F(FilesExactRestore, FolderInTheWayOfAFile) {
  write(at("f"), "file");
  write(at("g"), "other");
  backup();
  write(back("f/mine"), "keep");
  auto blocked = restore(world_, *parent_, to_target(), {}, {});
  ASSERT_FALSE(blocked.ok());
  EXPECT_EQ(blocked.error().kind(), ErrorKind::conflict);
  EXPECT_EQ(read(back("f/mine")), "keep");
  EXPECT_EQ(read(back("g")), "other") << "the rest is restored all the same";
  auto list = deletions(exact());
  EXPECT_EQ(list, Lines{"f/mine"});
  restore_all(exact(), list);
  EXPECT_EQ(read(back("f")), "file");
}

}  // namespace
}  // namespace lb::files
