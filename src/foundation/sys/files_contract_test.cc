// What every implementation of Files must do.
#include <gtest/gtest.h>
#include <sys/uio.h>

#include <thread>

#include "foundation/base/text.h"
#include "foundation/sys/cached_bytes.h"
#include "foundation/sys/descriptor.h"
#include "foundation/sys/files.h"
#include "foundation/sys/sim_files.h"
#include "foundation/sys/test_folder.h"

namespace lb {
namespace {

class FilesContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "real") {
      files_ = real_files();
      root_ = folder_.path();
    } else {
      files_ = std::make_unique<SimFiles>();
      root_ = "/work";
      ASSERT_TRUE(files_->make_directory(root_, 0700).ok());
    }
  }

  std::string at(const std::string& name) const { return path_join(root_, name); }

  void write(const std::string& name, const std::string& text) {
    auto file = files_->create(at(name), 0600);
    ASSERT_TRUE(file.ok()) << file.error().text();
    ASSERT_TRUE((*file)->append(view_of(text)).ok());
    ASSERT_TRUE((*file)->close().ok());
  }

  std::string read(const std::string& name) {
    auto bytes = read_file(*files_, at(name), 1 << 20);
    return bytes.ok() ? std::string(text_of(*bytes)) : "error: " + bytes.error().text();
  }

  template <typename R>
  static std::string kind(const R& result) {
    return result.ok() ? "ok" : std::string(name_of(result.error().kind()));
  }

  TestFolder folder_;
  std::unique_ptr<Files> files_;
  std::string root_;
};

TEST_P(FilesContract, ALockIsOnesUntilItIsGone) {
  auto held = files_->lock(at("lock"));
  ASSERT_TRUE(held.ok()) << held.error().text();
  EXPECT_EQ(kind(files_->lock(at("lock"))), "conflict");
  EXPECT_EQ(kind(files_->lock(at("other"))), "ok");
  held->reset();
  EXPECT_EQ(kind(files_->lock(at("lock"))), "ok");
  EXPECT_EQ(files_->info(at("lock"))->mode & 07777, 0600u);
  EXPECT_EQ(kind(files_->lock(at("nowhere/lock"))), "not found");
}

TEST_P(FilesContract, WritesAndReadsByPosition) {
  auto file = files_->create(at("a"), 0640).take();
  ASSERT_TRUE(file->write_at(view_of("hello"), 0).ok());
  ASSERT_TRUE(file->append(view_of(" world")).ok());
  ASSERT_TRUE(file->write_at(view_of("W"), 6).ok());
  ASSERT_TRUE(file->sync().ok());
  Buffer out(100);
  EXPECT_EQ(file->read_at(out, 6).value(), 5u);
  EXPECT_EQ(text_of(ByteView(out).first(5)), "World");
  EXPECT_EQ(file->read_at(out, 500).value(), 0u);
  ASSERT_TRUE(file->close().ok());
  EXPECT_EQ(read("a"), "hello World");
  auto facts = files_->info(at("a")).value();
  EXPECT_EQ(facts.kind, FileKind::regular);
  EXPECT_EQ(facts.mode, 0640u);
  EXPECT_EQ(facts.size, 11u);
  EXPECT_EQ(facts.links, 1u);
}

TEST_P(FilesContract, DirectAppendsWriteTheSameBytes) {
  constexpr std::size_t most = (2 << 20) + 5 * direct_alignment + 123;
  auto memory = make_page_bytes(most + 1);
  for (std::size_t i = 0; i <= most; ++i) memory[i] = static_cast<std::uint8_t>(i * 31 + i / 4096);
  ByteView all(memory.get(), most + 1);
  int number = 0;
  for (std::size_t shift : {std::size_t{0}, std::size_t{1}}) {  // aligned or not
    for (std::size_t size : {std::size_t{0}, std::size_t{4095}, std::size_t{1} << 20,
                             (std::size_t{1} << 20) + 1, most}) {
      auto name = cat("direct", number++);
      auto file = files_->create(at(name), 0600).take();
      auto bytes = all.subspan(shift).first(size);
      ASSERT_TRUE(file->append_direct(bytes).ok());
      // Where the first ended in the middle of a block, the second cannot go direct.
      ASSERT_TRUE(file->append_direct(bytes).ok());
      ASSERT_TRUE(file->append(view_of("end")).ok());
      ASSERT_TRUE(file->sync().ok());
      ASSERT_TRUE(file->close().ok());
      auto got = read_file(*files_, at(name), 8 << 20);
      ASSERT_TRUE(got.ok()) << got.error().text();
      ASSERT_EQ(got->size(), 2 * size + 3) << name;
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), got->begin())) << name;
      EXPECT_TRUE(
          std::equal(bytes.begin(), bytes.end(), got->begin() + static_cast<std::ptrdiff_t>(size)))
          << name;
      EXPECT_EQ(text_of(ByteView(*got).last(3)), "end");
    }
  }
}

TEST_P(FilesContract, WritesInPiecesWhatIsLarge) {
  Buffer large((3 << 20) + 77);
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<std::uint8_t>(i * 13 + i / 4096);
  auto file = files_->create(at("large"), 0600).take();
  ASSERT_TRUE(file->write_at(large, 5).ok());
  Buffer out(large.size() + 100);
  EXPECT_EQ(file->read_at(out, 0).value(), large.size() + 5);
  EXPECT_TRUE(std::equal(large.begin(), large.end(), out.begin() + 5));
}

TEST_P(FilesContract, WhatIsWrittenBehindIsTheSame) {
  constexpr std::uint64_t piece = 1 << 20, pieces = 40;
  auto file = files_->create(at("behind"), 0600).take();
  Buffer bytes(piece);
  for (std::uint64_t n = 0; n < pieces; ++n) {
    std::fill(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(n + 1));
    ASSERT_TRUE(file->write_at(bytes, n * piece).ok());
    file->write_behind({n * piece, piece});
  }
  ASSERT_TRUE(file->end_behind().ok());
  for (std::uint64_t n = 0; n < pieces; ++n) {
    ASSERT_EQ(file->read_at(bytes, n * piece).value(), piece);
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), n + 1), std::ptrdiff_t{piece}) << n;
  }
  EXPECT_EQ(file->info()->size, pieces * piece);
}

TEST_P(FilesContract, CreateRefusesWhatExistsAndOpenWhatDoesNot) {
  write("a", "1");
  EXPECT_EQ(kind(files_->create(at("a"), 0600)), "conflict");
  EXPECT_EQ(kind(files_->open_read(at("b"))), "not found");
  EXPECT_EQ(kind(files_->open_write(at("b"))), "not found");
  EXPECT_EQ(kind(files_->create(at("no/b"), 0600)), "not found");
  EXPECT_EQ(kind(files_->info(at("b"))), "not found");
  EXPECT_EQ(kind(files_->open_read(root_)), "invalid");
  EXPECT_EQ(kind(files_->open_read("")), "invalid");
  EXPECT_EQ(kind(files_->open_read(at(std::string("a\0b", 3)))), "invalid");
  EXPECT_EQ(read("a"), "1");
}

TEST_P(FilesContract, OpenWriteKeepsContentAndTruncateCutsAndGrows) {
  write("a", "abcdef");
  auto file = files_->open_write(at("a")).take();
  ASSERT_TRUE(file->write_at(view_of("XY"), 1).ok());
  ASSERT_TRUE(file->truncate(4).ok());
  ASSERT_TRUE(file->truncate(6).ok());
  EXPECT_EQ(file->info().value().size, 6u);
  ASSERT_TRUE(file->close().ok());
  EXPECT_EQ(read("a"), std::string("aXYd\0\0", 6));
}

TEST_P(FilesContract, ReadOnlyFileRefusesWrites) {
  write("a", "abc");
  auto file = files_->open_read(at("a")).take();
  EXPECT_FALSE(file->write_at(view_of("x"), 0).ok());
  EXPECT_FALSE(file->truncate(0).ok());
  EXPECT_EQ(read("a"), "abc");
}

TEST_P(FilesContract, NeverFollowsALinkInTheLastPlace) {
  write("a", "abc");
  ASSERT_TRUE(files_->make_symlink("a", at("link")).ok());
  EXPECT_EQ(kind(files_->open_read(at("link"))), "invalid");
  EXPECT_EQ(kind(files_->open_write(at("link"))), "invalid");
  EXPECT_EQ(kind(files_->create(at("link"), 0600)), "conflict");
  EXPECT_EQ(files_->info(at("link")).value().kind, FileKind::symlink);
  EXPECT_EQ(files_->read_link(at("link")).value(), "a");
  EXPECT_EQ(kind(files_->read_link(at("a"))), "invalid");
  ASSERT_TRUE(files_->set_mtime(at("link"), 5'000'000'007).ok());
  EXPECT_EQ(files_->info(at("link")).value().mtime_ns, 5'000'000'007);
  EXPECT_NE(files_->info(at("a")).value().mtime_ns, 5'000'000'007);
  ASSERT_TRUE(files_->remove(at("link")).ok());
  EXPECT_EQ(read("a"), "abc");
}

TEST_P(FilesContract, LinksShareContentAndNeverReplace) {
  write("a", "abc");
  write("other", "other");
  ASSERT_TRUE(files_->link(at("a"), at("b")).ok());
  EXPECT_EQ(kind(files_->link(at("a"), at("other"))), "conflict");
  EXPECT_EQ(kind(files_->link(at("none"), at("c"))), "not found");
  EXPECT_EQ(files_->info(at("a")).value().links, 2u);
  EXPECT_EQ(files_->info(at("a")).value().inode, files_->info(at("b")).value().inode);
  auto file = files_->open_write(at("b")).take();
  ASSERT_TRUE(file->append(view_of("d")).ok());
  EXPECT_EQ(read("a"), "abcd");
  ASSERT_TRUE(files_->remove(at("a")).ok());
  EXPECT_EQ(read("b"), "abcd");
  EXPECT_EQ(read("other"), "other");
}

TEST_P(FilesContract, RenameReplacesFilesAndMovesFolders) {
  write("a", "new");
  write("b", "old");
  ASSERT_TRUE(files_->rename(at("a"), at("b")).ok());
  EXPECT_EQ(read("b"), "new");
  EXPECT_FALSE(path_exists(*files_, at("a")).value());
  EXPECT_EQ(kind(files_->rename(at("a"), at("b"))), "not found");
  ASSERT_TRUE(files_->make_directory(at("d"), 0700).ok());
  write("d/x", "x");
  ASSERT_TRUE(files_->rename(at("d"), at("e")).ok());
  EXPECT_EQ(read("e/x"), "x");
  EXPECT_FALSE(files_->rename(at("b"), at("e")).ok());
  EXPECT_EQ(read("b"), "new");
}

TEST_P(FilesContract, ExchangeSwapsWhateverHasTheNames) {
  write("a", "of a");
  ASSERT_TRUE(files_->make_directory(at("d"), 0700).ok());
  write("d/x", "within");
  ASSERT_TRUE(files_->exchange(at("a"), at("d")).ok());
  EXPECT_EQ(read("d"), "of a");
  EXPECT_EQ(read("a/x"), "within");
  EXPECT_EQ(kind(files_->exchange(at("a"), at("none"))), "not found");
  EXPECT_EQ(kind(files_->exchange(at("none"), at("a"))), "not found");
  EXPECT_EQ(kind(files_->exchange(at("a"), at("a/x"))), "invalid");
  EXPECT_EQ(kind(files_->exchange(at("a/x"), at("a"))), "invalid");
  EXPECT_EQ(read("a/x"), "within");
}

TEST_P(FilesContract, FoldersListInByteOrderAndGoOnlyWhenEmpty) {
  ASSERT_TRUE(files_->make_directory(at("d"), 0750).ok());
  EXPECT_EQ(files_->info(at("d")).value().mode, 0750u);
  EXPECT_EQ(kind(files_->make_directory(at("d"), 0700)), "conflict");
  EXPECT_EQ(kind(files_->make_directory(at("x/y"), 0700)), "not found");
  for (std::string name : {"b", "a", "\xff\x01 odd\n", "B"}) write("d/" + name, name);
  ASSERT_TRUE(files_->make_directory(at("d/sub"), 0700).ok());
  std::vector<std::string> names;
  auto entries = files_->list(at("d")).take();
  for (const auto& entry : entries) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"B", "a", "b", "sub", "\xff\x01 odd\n"}));
  EXPECT_EQ(entries[3].kind, FileKind::directory);
  EXPECT_EQ(kind(files_->remove_directory(at("d"))), "conflict");
  EXPECT_FALSE(files_->remove(at("d")).ok());
  EXPECT_FALSE(files_->remove_directory(at("d/a")).ok());
  ASSERT_TRUE(files_->remove_directory(at("d/sub")).ok());
  EXPECT_EQ(kind(files_->list(at("d/sub"))), "not found");
  EXPECT_EQ(kind(files_->list(at("d/a"))), "not found");
}

TEST_P(FilesContract, AnOpenFolderAnswersAsItsPathDoes) {
  ASSERT_TRUE(make_directories(*files_, at("d/sub/deep"), 0700).ok());
  std::vector<std::string> expected;
  for (int n = 1000; n < 3000; ++n) {  // more than are read at once
    expected.push_back(cat("a file with a long name, number ", n));
    write(cat("d/", expected.back()), "");
  }
  expected.push_back("sub");
  write("d/sub/file", "four");
  ASSERT_TRUE(files_->make_symlink("sub", at("d/to sub")).ok());
  expected.push_back("to sub");
  auto opened = files_->open_folder(at("d"));
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  for (int again = 0; again < 2; ++again) {
    std::vector<std::string> names;
    for (const auto& entry : (*opened)->list().take()) names.push_back(entry.name);
    EXPECT_EQ(names, expected);
  }
  EXPECT_EQ((*opened)->info("sub").value().kind, FileKind::directory);
  EXPECT_EQ((*opened)->info("to sub").value().kind, FileKind::symlink);
  EXPECT_EQ(kind((*opened)->info("none")), "not found");
  for (auto path : {at("d"), at("d/.")}) {
    auto none = files_->open_folder(path).take()->info("none");
    EXPECT_NE(none.error().text().find(at("d/none")), std::string::npos) << none.error().text();
  }
  auto inner = (*opened)->open_folder("sub").take();
  EXPECT_EQ(inner->info("file").value().size, 4u);
  EXPECT_EQ(inner->list().value().size(), 2u);
  for (auto name : {"none", "to sub", "a file with a long name, number 1000"}) {
    auto other =
        (*opened)->open_folder(name);  // what only has a path is found out by what it lists
    EXPECT_FALSE(other.ok() && (*other)->list().ok()) << name;
  }
}

TEST_P(FilesContract, MetadataIsKept) {
  write("a", "abc");
  ASSERT_TRUE(files_->set_mode(at("a"), 04755).ok());
  ASSERT_TRUE(files_->set_mtime(at("a"), -1'500'000'000).ok());
  auto facts = files_->info(at("a")).value();
  EXPECT_EQ(facts.mode, 04755u);
  EXPECT_EQ(facts.mtime_ns, -1'500'000'000);
  ASSERT_TRUE(files_->set_owner(at("a"), facts.uid, facts.gid).ok());
  EXPECT_EQ(kind(files_->set_mode(at("none"), 0600)), "not found");
  auto file = files_->open_write(at("a")).take();
  ASSERT_TRUE(file->set_mode(0400).ok());
  EXPECT_EQ(files_->info(at("a")).value().mode, 0400u);
}

TEST_P(FilesContract, AttributesAreKept) {
  write("a", "abc");
  auto set = files_->set_xattr(at("a"), "user.two", view_of(std::string_view("v\0w", 3)));
  if (!set.ok() && set.error().kind() == ErrorKind::unsupported)
    GTEST_SKIP() << "no user xattrs here";
  ASSERT_TRUE(set.ok()) << set.error().text();
  ASSERT_TRUE(files_->set_xattr(at("a"), "user.one", {}).ok());
  EXPECT_EQ(files_->list_xattrs(at("a")).value(),
            (std::vector<std::string>{"user.one", "user.two"}));
  EXPECT_EQ(files_->get_xattr(at("a"), "user.two").value().size(), 3u);
  EXPECT_TRUE(files_->get_xattr(at("a"), "user.one").value().empty());
  EXPECT_EQ(kind(files_->get_xattr(at("a"), "user.none")), "not found");
}

TEST_P(FilesContract, SpecialFilesAreMadeAndNotOpened) {
  ASSERT_TRUE(files_->make_special(at("pipe"), FileKind::fifo, 0600, 0).ok());
  ASSERT_TRUE(files_->make_special(at("socket"), FileKind::socket, 0600, 0).ok());
  EXPECT_EQ(files_->info(at("pipe")).value().kind, FileKind::fifo);
  EXPECT_EQ(files_->info(at("socket")).value().kind, FileKind::socket);
  EXPECT_EQ(kind(files_->open_read(at("pipe"))), "invalid");
  EXPECT_EQ(kind(files_->make_special(at("x"), FileKind::regular, 0600, 0)), "invalid");
}

TEST_P(FilesContract, DataRangesCoverAllThatIsNotZero) {
  auto file = files_->create(at("a"), 0600).take();
  EXPECT_TRUE(file->data_ranges().value().empty());
  constexpr std::uint64_t far = 8 << 20;
  ASSERT_TRUE(file->write_at(view_of("start"), 0).ok());
  ASSERT_TRUE(file->write_at(view_of("end"), far).ok());
  auto ranges = file->data_ranges().take();
  ASSERT_FALSE(ranges.empty());
  std::uint64_t covered = 0;
  for (const auto& range : ranges) covered += range.length;
  EXPECT_LE(covered, far + 3);
  EXPECT_EQ(ranges.front().offset, 0u);
  EXPECT_GE(ranges.front().length, 5u);
  EXPECT_LE(ranges.back().offset, far);
  EXPECT_GE(ranges.back().offset + ranges.back().length, far + 3);
}

TEST_P(FilesContract, SpaceAndSyncsAnswer) {
  auto space = files_->space(root_).value();
  EXPECT_GT(space.total, 0u);
  EXPECT_LE(space.available, space.total);
  EXPECT_TRUE(files_->sync_directory(root_).ok());
  EXPECT_TRUE(files_->sync_filesystem(root_).ok());
  EXPECT_TRUE(files_->watch_filesystem(root_).take()->sync().ok());
  EXPECT_EQ(kind(files_->sync_directory(at("none"))), "not found");
}

TEST_P(FilesContract, HelpersMakeRemoveReadAndWrite) {
  ASSERT_TRUE(make_directories(*files_, at("x/y/z"), 0700).ok());
  ASSERT_TRUE(make_directories(*files_, at("x/y/z"), 0700).ok());
  ASSERT_TRUE(write_durably(*files_, at("x/y/f"), view_of("one")).ok());
  ASSERT_TRUE(write_durably(*files_, at("x/y/f"), view_of("two"), 0640).ok());
  EXPECT_EQ(read("x/y/f"), "two");
  EXPECT_EQ(files_->info(at("x/y/f")).value().mode, 0640u);
  EXPECT_EQ(files_->list(at("x/y")).value().size(), 2u);
  EXPECT_EQ(kind(read_file(*files_, at("x/y/f"), 2)), "invalid");
  EXPECT_EQ(read_file(*files_, at("x/y/f"), 3).value().size(), 3u);
  EXPECT_EQ(kind(make_directories(*files_, at("x/y/f/g"), 0700)), "conflict");
  EXPECT_EQ(kind(make_directories(*files_, at("x/y/f"), 0700)), "conflict");
  EXPECT_EQ(kind(write_durably(*files_, at("none/f"), view_of("x"))), "not found");
  ASSERT_TRUE(files_->make_symlink("/", at("x/root")).ok());
  ASSERT_TRUE(remove_tree(*files_, at("x")).ok());
  EXPECT_FALSE(path_exists(*files_, at("x")).value());
  EXPECT_TRUE(remove_tree(*files_, at("x")).ok());
}

// As programs do that clear away what another one left.
TEST_P(FilesContract, SeveralMayRemoveATreeAtOnce) {
  for (int round = 0; round < 20; ++round) {
    for (int n = 0; n < 30; ++n) {
      auto folder = at(cat("x/", n % 3, "/", n));
      ASSERT_TRUE(make_directories(*files_, folder, 0700).ok());
      write(cat("x/", n % 3, "/", n, "/f"), "text");
    }
    std::vector<std::string> errors(4);
    {
      std::vector<std::jthread> threads;
      for (auto& error : errors) {
        threads.emplace_back([&] {
          auto removed = remove_tree(*files_, at("x"));
          if (!removed.ok()) error = removed.error().text();
        });
      }
    }
    for (const auto& error : errors) EXPECT_EQ(error, "");
    EXPECT_FALSE(path_exists(*files_, at("x")).value());
  }
}

INSTANTIATE_TEST_SUITE_P(All, FilesContract, testing::Values("real", "sim"),
                         [](const auto& name) { return name.param; });

TEST(RealFiles, ReadsFilesThatClaimToBeEmpty) {
  auto files = real_files();
  auto bytes = read_file(*files, "/proc/self/status", 1 << 20);
  ASSERT_TRUE(bytes.ok()) << bytes.error().text();
  EXPECT_NE(text_of(*bytes).find("Name:"), std::string_view::npos);
  EXPECT_FALSE(read_file(*files, "/proc/self/status", 10).ok());
}

// What is compared before it is written over must not take the memory of a file for itself, nor
// push out what a server held of it.
TEST(RealFiles, WhatIsReadToBeWrittenOverLeavesMemoryAsItWas) {
  constexpr std::size_t size = 16 << 20, piece = 1 << 20;
  TestFolder folder;
  auto files = real_files();
  const auto path = path_join(folder.path(), "large");
  ASSERT_TRUE(write_durably(*files, path, Buffer(size, 7)).ok());
  const auto read_over = [&] {
    auto file = files->open_write(path).take();
    Buffer bytes(piece);
    for (std::size_t at = 0; at < size; at += piece) {
      EXPECT_EQ(file->read_at(bytes, at).value(), piece);
      EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 7), std::ptrdiff_t{piece}) << at;
    }
  };
  EXPECT_EQ(test::cached_bytes(path, size), size) << "just written";
  read_over();
  EXPECT_EQ(test::cached_bytes(path, size), size) << "what was held is held on";
  test::drop_cached(path);
  if (test::cached_bytes(path, size) != 0) GTEST_SKIP() << "files here live in memory";
  Buffer byte(1);
  const iovec room{byte.data(), 1};
  Descriptor descriptor(::open(path.c_str(), O_RDONLY));
  if (::preadv2(descriptor.get(), &room, 1, 0, 0x80) < 0)
    GTEST_SKIP() << "this kernel cannot read in passing";
  test::drop_cached(path);
  read_over();
  EXPECT_LT(test::cached_bytes(path, size), size / 4);
}

TEST(RealFiles, FullDiskIsExhausted) {
  auto files = real_files();
  auto file = files->open_write("/dev/full");
  ASSERT_TRUE(file.ok()) << file.error().text();
  auto written = (*file)->write_at(view_of("x"), 0);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind(), ErrorKind::exhausted);
  EXPECT_EQ(written.error().native(), "errno 28");
}

TEST(Paths, JoinParentAndName) {
  EXPECT_EQ(path_join("/a", "b"), "/a/b");
  EXPECT_EQ(path_join("/", "b"), "/b");
  EXPECT_EQ(path_join("", "b"), "b");
  EXPECT_EQ(path_parent("/a/b"), "/a");
  EXPECT_EQ(path_parent("/a"), "/");
  EXPECT_EQ(path_parent("/"), "/");
  EXPECT_EQ(path_parent("a"), ".");
  EXPECT_EQ(path_parent("a/b/"), "a");
  EXPECT_EQ(path_parent("a//b"), "a");
  EXPECT_EQ(path_name("/a/b"), "b");
  EXPECT_EQ(path_name("b/"), "b");
  EXPECT_EQ(path_name("/"), "/");
}

}  // namespace
}  // namespace lb
