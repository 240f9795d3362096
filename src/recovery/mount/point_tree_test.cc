#include "recovery/mount/point_tree.h"

#include <gtest/gtest.h>

#include <set>

#include "recovery/mount/mount_tree.h"
#include "storage/repo/test_repository.h"
#include "stores/postgres/source.h"

namespace lb::mount {
namespace {

using repo::noise;

class TreeTest : public repo::MemoryRepository {
 protected:
  void begin(const std::string& kind = "files") {
    writer = repository->begin("data", nullptr, {}).take();
    meta = {};
    meta.store = "data";
    meta.kind = kind;
    meta.taken = clock.now();
  }
  std::string commit() { return writer->commit(meta).take().id; }
  std::shared_ptr<PointTree> open(const std::string& id, std::uint64_t cache_bytes = 64 << 10) {
    cache = std::make_unique<BlockCache>(cache_bytes);
    return PointTree::open(repository->snapshot(id).take(), *cache, 0, {7, 8}).take();
  }
  void add(const std::string& path, FileKind kind, files::Attributes attributes = {}) {
    attributes.kind = kind;
    attributes.mode = kind == FileKind::directory ? 0750 : 0640;
    ASSERT_TRUE(writer->add(files::key_of(path), files::encode(attributes)).ok());
  }
  void add_file(const std::string& path, const std::string& content,
                files::Attributes attributes = {}) {
    auto stream = writer->open(files::key_of(path), repo::Cut::content).take();
    ASSERT_TRUE(stream->write(view_of(content)).ok());
    ASSERT_TRUE(stream->finish(files::encode(attributes)).ok());
  }
  static std::vector<Child> list(PointTree& tree, Number folder) {
    std::vector<Child> out;
    auto listed = tree.list(folder, 0, [&](const Child& child) {
      out.push_back(child);
      return true;
    });
    EXPECT_TRUE(listed.ok()) << listed.error().text();
    return out;
  }
  // path -> kind of everything below
  static void walk(PointTree& tree, Number folder, const std::string& below,
                   std::map<std::string, FileKind>& out) {
    for (const auto& child : list(tree, folder)) {
      auto path = below.empty() ? child.name : below + "/" + child.name;
      EXPECT_TRUE(out.emplace(path, child.kind).second) << path << " twice";
      auto by_name = tree.child(folder, child.name).take();
      ASSERT_TRUE(by_name) << path;
      EXPECT_EQ(by_name->number, child.number) << path;
      EXPECT_EQ(tree.parent(child.number).take(), folder) << path;
      if (child.kind == FileKind::directory) walk(tree, child.number, path, out);
    }
  }

  std::unique_ptr<repo::SnapshotWriter> writer;
  repo::SnapshotMeta meta;
  std::unique_ptr<BlockCache> cache;
};

// Names around the separator's neighbours, prefixes of each other, and bytes
// that are no text.
const std::vector<std::string> odd_names = {"a",  "a.b", "a-b",       "a b", "a\x01", "a\xff",
                                            "ab", "A",   "\xc3\xa9t", "-",   "\x01",  "\xff\xfe"};

TEST_F(TreeTest, ShowsEveryFileOnceWhereItIs) {
  begin();
  std::map<std::string, FileKind> expected;
  add("", FileKind::directory);
  auto put = [&](const std::string& path, FileKind kind) {
    add(path, kind);
    expected[path] = kind;
  };
  for (const auto& one : odd_names) {
    put(one, FileKind::directory);
    for (const auto& two : odd_names) {
      put(one + "/" + two, FileKind::directory);
      for (int i = 0; i < 20; ++i) put(cat(one, "/", two, "/", i), FileKind::regular);
    }
  }
  put("zz", FileKind::fifo);
  auto tree = open(commit());
  std::map<std::string, FileKind> shown;
  walk(*tree, root_number, {}, shown);
  EXPECT_EQ(shown, expected);
  EXPECT_GT(tree->snapshot().outline().size(), 2u) << "too small a table to test anything";
  EXPECT_FALSE(tree->child(root_number, "b").take());
  EXPECT_FALSE(tree->child(root_number, "").take());
  EXPECT_EQ(tree->node(expected.size() + 5).error().kind(), ErrorKind::invalid);
}

TEST_F(TreeTest, AListGoesOnWhereItEnded) {
  begin();
  add("", FileKind::directory);
  for (int i = 0; i < 50; ++i) {
    add(cat("d", i), FileKind::directory);
    for (int j = 0; j < 40; ++j) add(cat("d", i, "/", j), FileKind::regular);
  }
  auto tree = open(commit());
  std::vector<std::string> whole, steps;
  for (const auto& child : list(*tree, root_number)) whole.push_back(child.name);
  ASSERT_EQ(whole.size(), 50u);
  std::uint64_t cursor = 0;
  for (bool more = true; more;) {
    more = false;
    auto listed = tree->list(root_number, cursor, [&](const Child& child) {
      steps.push_back(child.name);
      cursor = child.next;
      more = true;
      return false;
    });
    ASSERT_TRUE(listed.ok());
  }
  EXPECT_EQ(steps, whole);
}

TEST_F(TreeTest, MemoryIsBoundedWhateverTheTable) {
  begin();
  add("", FileKind::directory);
  for (int i = 0; i < 15000; ++i) add(cat("file with a long name ", 100000 + i), FileKind::regular);
  auto tree = open(commit(), 1 << 20);
  EXPECT_EQ(list(*tree, root_number).size(), 15000u);
  EXPECT_LE(cache->bytes(), 1u << 20);
  EXPECT_GT(cache->bytes(), 0u);
}

TEST_F(TreeTest, NamesOfOneFileAreOneFile) {
  begin();
  add("", FileKind::directory);
  files::Attributes first, other, lost;
  first.links = other.links = 2;
  first.xattrs = {{"user.k", Buffer{1, 2}}};
  other.hard_link_to = "one";
  lost.hard_link_to = "not there";
  add_file("one", noise(1, 100000), first);
  add("two", FileKind::regular, other);
  add("three", FileKind::regular, lost);
  auto tree = open(commit());
  auto one = tree->child(root_number, "one").take(), two = tree->child(root_number, "two").take();
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->number, two->number);
  EXPECT_EQ(two->node->size, 100000u);
  EXPECT_EQ(two->node->attributes.links, 2u);
  EXPECT_EQ(two->node->attributes.xattrs.size(), 1u);
  // One name whose file is missing hides no other.
  EXPECT_EQ(tree->child(root_number, "three").error().kind(), ErrorKind::corrupt);
  auto all = list(*tree, root_number);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_FALSE(all[1].node) << all[1].name;
  EXPECT_TRUE(all[2].node);
}

TEST_F(TreeTest, HolesTakeNoSpace) {
  begin();
  auto stream = writer->open("sparse", repo::Cut::content).take();
  ASSERT_TRUE(stream->write(view_of(noise(2, 5000))).ok());
  ASSERT_TRUE(stream->hole(1 << 20).ok());
  ASSERT_TRUE(stream->finish(files::encode({})).ok());
  auto tree = open(commit());
  auto child = tree->child(root_number, "sparse").take();
  ASSERT_TRUE(child && child->node);
  EXPECT_EQ(child->node->size, 5000u + (1 << 20));
  EXPECT_EQ(child->node->allocated, 5000u);
  auto root = tree->node(root_number).take();
  EXPECT_EQ(root.attributes.kind, FileKind::directory) << "also without a row of its own";
  EXPECT_EQ(root.attributes.uid, 7u);
}

TEST_F(TreeTest, ADatabaseIsItsDataDirectory) {
  begin("postgres");
  auto put = [&](const std::string& name, pg::FileAttributes::Kind kind) {
    pg::FileAttributes attributes;
    attributes.kind = kind;
    attributes.mtime = 1'700'000'000;
    ASSERT_TRUE(writer->add(name, pg::encode(attributes)).ok());
  };
  using Kind = pg::FileAttributes::Kind;
  // '/' sorts behind '.' and '-': what lies in a folder does not follow it at
  // once.
  for (const char* folder : {"base", "base/1", "pg_tblspc", "pg_tblspc/7/PG_15"})
    put(folder, Kind::directory);
  for (const char* file : {"base.old", "base-2", "base/1/2601", "base/1/2601_fsm", "PG_VERSION",
                           "pg_tblspc/7/PG_15/9"})
    put(file, Kind::file);
  put("pg_tblspc/7", Kind::symlink);
  put("pg_wal", Kind::symlink);
  auto tree = open(commit());
  std::map<std::string, FileKind> shown;
  walk(*tree, root_number, {}, shown);
  EXPECT_EQ(shown.size(), 12u);
  EXPECT_EQ(shown["base/1/2601"], FileKind::regular);
  EXPECT_EQ(shown["pg_tblspc/7"], FileKind::directory);
  EXPECT_EQ(shown["pg_tblspc/7/PG_15/9"], FileKind::regular);
  EXPECT_EQ(shown["pg_wal"], FileKind::symlink);
  auto version = tree->child(root_number, "PG_VERSION").take();
  EXPECT_EQ(version->node->attributes.uid, 7u);
  EXPECT_EQ(version->node->attributes.mtime_ns, 1'700'000'000'000'000'000);
}

TEST_F(TreeTest, OtherKindsOfStoresAreRefused) {
  begin("redis");
  auto id = commit();
  BlockCache blocks(1 << 20);
  auto refused = PointTree::open(repository->snapshot(id).take(), blocks, 0, {});
  EXPECT_EQ(refused.error().kind(), ErrorKind::unsupported);
}

TEST_F(TreeTest, AStoreIsAFolderOfItsPoints) {
  std::vector<repo::SnapshotInfo> points;
  for (int i = 0; i < 7; ++i) {
    if (i != 3) clock.advance(Seconds(60));  // two within one second
    begin();
    add("", FileKind::directory);
    add_file("n", std::to_string(i));
    points.push_back(writer->commit(meta).take());
  }
  auto tree = MountTree::of_store(*repository, points, {1, 1});
  std::vector<std::string> names;
  ASSERT_TRUE(tree->list(root_id, 0,
                         [&](const Child& child) {
                           names.push_back(child.name);
                           return true;
                         })
                  .ok());
  ASSERT_EQ(names.size(), 8u);
  EXPECT_EQ(names[0], "2026-01-13T02:01:00Z");
  EXPECT_EQ(names[3], names[2] + " " + points[3].id);
  EXPECT_EQ(names[7], "latest");
  EXPECT_EQ(tree->node(tree->child(root_id, "latest").take()->number).take().attributes.link_target,
            names[6]);
  std::set<Id> ids;
  for (int round = 0; round < 2; ++round) {  // more points than are kept open
    for (int i = 0; i < 7; ++i) {
      auto folder = tree->child(root_id, names[static_cast<std::size_t>(i)]).take();
      ASSERT_TRUE(folder);
      EXPECT_EQ(tree->parent(folder->number).take(), root_id);
      auto file = tree->child(folder->number, "n").take();
      ASSERT_TRUE(file);
      ids.insert(file->number);
      EXPECT_EQ(tree->parent(file->number).take(), folder->number);
      auto content = tree->content(file->number).take();
      auto bytes = content.tree->snapshot().read(*content.row, 0, 1).take();
      EXPECT_EQ(bytes[0], '0' + i);
      EXPECT_EQ(tree->path(file->number), names[static_cast<std::size_t>(i)] + "/n");
    }
  }
  EXPECT_EQ(ids.size(), 7u) << "ids of different points differ and stay";
  EXPECT_FALSE(tree->child(root_id, "2020-01-01T00:00:00Z").take());
}

}  // namespace
}  // namespace lb::mount
