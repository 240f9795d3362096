#include "storage/index/cache.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/sys/sim_files.h"
#include "storage/index/test_tables.h"

namespace lb::index {
namespace {

constexpr const char* folder = "/cache/0123";

bool keep_all(const Pack&) { return true; }

class CacheTest : public testing::Test {
 protected:
  CachePlace place() { return {files, folder, seal, *random}; }
  Cache open() { return Cache::open(place(), Timestamp{}).take(); }

  // Chunks of one source, all in one pack named after it.
  NewTable table_of(const std::string& source, const std::map<Id, Place>& chunks) {
    NewTable out;
    out.add_source(source);
    auto pack = out.add_pack({"p/" + source, 100, {}});
    for (auto [id, where] : chunks) {
      where.pack = pack;
      out.add(id, where);
    }
    return out;
  }
  // The pack that a table of the cache names for the id.
  std::string pack_of(const Cache& cache, const Id& id) {
    for (const auto& table : cache.tables()) {
      auto found = table->find(id).take();
      if (found) return table->pack(found->pack)->name;
    }
    return "";
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& entry : files.list(folder).take()) out.push_back(entry.name);
    return out;
  }

  SimFiles files;
  SharedSeal seal = test_seal();
  std::unique_ptr<Random> random = seeded_random(9);
};

TEST_F(CacheTest, RemembersItsTables) {
  auto chunks = some_chunks(1, 500);
  {
    auto cache = open();
    EXPECT_TRUE(cache.tables().empty());
    ASSERT_TRUE(cache.add(NewTable()).ok());
    ASSERT_TRUE(cache.add(table_of("x/a", chunks)).ok());
    EXPECT_TRUE(cache.covers("x/a"));
  }
  auto cache = open();
  EXPECT_EQ(cache.tables().size(), 1u);
  EXPECT_TRUE(cache.covers("x/a"));
  EXPECT_FALSE(cache.covers("x/b"));
  for (const auto& [id, where] : chunks) EXPECT_EQ(pack_of(cache, id), "p/x/a");
  EXPECT_EQ(files.info(folder)->mode, 0700u);
  EXPECT_EQ(files.info(path_join(folder, names()[0]))->mode, 0600u);
}

TEST_F(CacheTest, MergesWithoutPacksAndSourcesThatAreGone) {
  auto cache = open();
  auto a = some_chunks(1, 400), b = some_chunks(2, 300), both = some_chunks(3, 200);
  auto with_both = [&](std::map<Id, Place> chunks) {
    chunks.insert(both.begin(), both.end());
    return chunks;
  };
  ASSERT_TRUE(cache.add(table_of("x/a", with_both(a))).ok());
  ASSERT_TRUE(cache.add(table_of("x/b", with_both(b))).ok());
  ASSERT_TRUE(cache.add(table_of("x/c", some_chunks(4, 250))).ok());
  auto keep = [](const Pack& pack) { return pack.name != "p/x/a"; };
  ASSERT_TRUE(cache.merge(keep, {"x/a", "x/b"}, {}).ok());
  auto again = open();
  ASSERT_EQ(again.tables().size(), 1u);
  EXPECT_EQ(again.tables()[0]->entries(), 300u + 200 + 250);
  EXPECT_EQ(again.tables()[0]->packs(), 2u);
  for (const auto& [id, where] : a) EXPECT_EQ(pack_of(again, id), "");
  for (const auto& [id, where] : both) EXPECT_EQ(pack_of(again, id), "p/x/b");
  for (const auto& [id, where] : some_chunks(4, 250)) EXPECT_EQ(pack_of(again, id), "p/x/c");
  EXPECT_TRUE(again.covers("x/a"));
  EXPECT_FALSE(again.covers("x/c")) << "no longer listed";
  EXPECT_EQ(names().size(), 1u);
}

TEST_F(CacheTest, MergesChunksThatSeveralTablesHoldIntoOne) {
  auto cache = open();
  auto chunks = some_chunks(1, 400);
  for (const auto* source : {"x/a", "x/b", "x/c"}) {
    ASSERT_TRUE(cache.add(table_of(source, chunks)).ok());
  }
  ASSERT_TRUE(cache.merge(keep_all, {"x/a", "x/b", "x/c"}, {}).ok());
  ASSERT_EQ(cache.tables().size(), 1u);
  EXPECT_EQ(cache.tables()[0]->entries(), 400u);
  EXPECT_EQ(cache.tables()[0]->packs(), 3u);
  for (const auto& [id, where] : chunks) EXPECT_NE(pack_of(cache, id), "");
}

TEST_F(CacheTest, KeepsFewTablesAndWritesEachEntryFewTimes) {
  auto cache = open();
  std::uint64_t written = 0, entries = 0;
  std::set<std::string> listed;
  for (int i = 0; i < 60; ++i) {
    auto source = cat("x/", 100 + i);
    listed.insert(source);
    auto before = cache.tables().size();
    ASSERT_TRUE(cache.add(table_of(source, some_chunks(static_cast<unsigned>(i), 40))).ok());
    ASSERT_TRUE(cache.merge(keep_all, listed, {}).ok());
    entries += 40;
    written += 40 + (cache.tables().size() <= before ? cache.tables().back()->entries() : 0);
    EXPECT_LE(cache.tables().size(), 6u);
  }
  std::uint64_t held = 0;
  for (const auto& table : cache.tables()) held += table->entries();
  EXPECT_EQ(held, entries);
  EXPECT_LT(written, 12 * entries);
  for (const auto& source : listed) EXPECT_TRUE(cache.covers(source));
}

TEST(TablesToMerge, AreTheLastOnesOfLikeSize) {
  EXPECT_EQ(tables_to_merge({}), 0u);
  EXPECT_EQ(tables_to_merge({5}), 0u);
  EXPECT_EQ(tables_to_merge({5, 5}), 2u);
  EXPECT_EQ(tables_to_merge({1000, 5}), 0u);
  EXPECT_EQ(tables_to_merge({1000, 5, 4}), 2u);
  EXPECT_EQ(tables_to_merge({1000, 20, 5, 4}), 3u);
  EXPECT_EQ(tables_to_merge({0, 0}), 2u);
}

TEST_F(CacheTest, ThrowsAwayWhatIsDamagedForeignOrAbandoned) {
  {
    auto cache = open();
    ASSERT_TRUE(cache.add(table_of("x/a", some_chunks(1, 10))).ok());
  }
  auto path = path_join(folder, names()[0]);
  auto bytes = read_file(files, path, 1 << 20).take();
  bytes[40] ^= 1;
  ASSERT_TRUE(write_durably(files, path, bytes).ok());
  ASSERT_TRUE(write_durably(files, path_join(folder, "table-junk"), view_of("junk")).ok());
  ASSERT_TRUE(write_durably(files, path_join(folder, "new-abandoned"), view_of("junk")).ok());
  ASSERT_TRUE(write_durably(files, path_join(folder, "not ours"), view_of("x")).ok());
  auto cache = Cache::open(place(), parse_time("2100-01-01T00:00:00Z").take()).take();
  EXPECT_TRUE(cache.tables().empty());
  EXPECT_FALSE(cache.covers("x/a"));
  EXPECT_EQ(names(), (std::vector<std::string>{"not ours"}));
}

// What an earlier Lifeboat left: pages of 4 KiB under another name, the header proven as a whole.
TEST_F(CacheTest, ThrowsAwayTablesOfTheFormerLayout) {
  ASSERT_TRUE(make_directories(files, folder, 0700).ok());
  Buffer former(4096), body;
  ByteWriter writer(body);
  writer.text("lifeboat index 1");
  writer.text(seal->owner);
  writer.raw(Salt{});
  for (std::uint64_t value : {1u, 1u, 1u, 0u, 0u}) writer.u64(value);
  former[18] = static_cast<std::uint8_t>(PageKind::header);
  std::copy(body.begin(), body.end(), former.begin() + 32);
  auto digest = seal->mac.of(former);
  std::copy_n(digest.begin(), 16, former.begin());
  former.resize(8192);
  ASSERT_TRUE(write_durably(files, path_join(folder, "table-4k"), former).ok());
  // The same words in a page of today's size.
  Page page{};
  std::copy_n(former.begin() + 16, page.size() - 16, page.begin() + 16);
  seal_header(*seal, page);
  ASSERT_TRUE(header_is_good(*seal, page));
  Buffer small(page.begin(), page.end());
  small.resize(2 * page_bytes);
  ASSERT_TRUE(write_durably(files, path_join(folder, "table-1k"), small).ok());
  EXPECT_TRUE(open().tables().empty());
  EXPECT_TRUE(names().empty());
}

TEST_F(CacheTest, TablesInUseOutliveTheirFiles) {
  auto chunks = some_chunks(1, 500);
  auto cache = open();
  ASSERT_TRUE(cache.add(table_of("x/a", chunks)).ok());
  ASSERT_TRUE(remove_tree(files, "/cache").ok());
  for (const auto& [id, where] : chunks) EXPECT_EQ(pack_of(cache, id), "p/x/a");
  EXPECT_TRUE(open().tables().empty()) << "made anew";
  EXPECT_TRUE(cache.clear().ok()) << "there is nothing left to remove";
}

// Two processes that read the same news, and a merge that was stopped before it removed what it
// replaced.
TEST_F(CacheTest, DropsWhatALargerTableHoldsToo) {
  auto one = open(), two = open();
  ASSERT_TRUE(one.add(table_of("x/a", some_chunks(1, 50))).ok());
  ASSERT_TRUE(two.add(table_of("x/a", some_chunks(1, 50))).ok());
  auto both = table_of("x/a", some_chunks(1, 50));
  both.add_source("x/b");
  for (auto [id, where] : some_chunks(2, 20)) {
    where.pack = 0;
    both.add(id, where);
  }
  ASSERT_TRUE(two.add(std::move(both)).ok());
  EXPECT_EQ(names().size(), 3u);
  auto cache = open();
  EXPECT_EQ(cache.tables().size(), 1u);
  EXPECT_EQ(names().size(), 1u);
  EXPECT_TRUE(cache.covers("x/a") && cache.covers("x/b"));
}

// Every call fails once: the error is reported, and what another opens afterwards is whole.
TEST_F(CacheTest, SurvivesTheFailureOfEveryCall) {
  std::map<Id, Place> all;
  for (std::uint64_t nth = 0;; ++nth) {
    (void)remove_tree(files, "/cache").ok();
    files.fail_call(nth);
    auto status = [&]() -> Status {
      auto cache = LB_TRY(Cache::open(place(), Timestamp{}));
      LB_TRY(cache.add(table_of("x/a", some_chunks(1, 300))));
      LB_TRY(cache.add(table_of("x/b", some_chunks(2, 300))));
      return cache.merge(keep_all, {"x/a", "x/b"}, {});
    }();
    bool fired = files.fault_fired();
    files.fail_call(std::uint64_t{1} << 40);
    auto cache = open();
    for (const auto& [source, seed] : {std::pair("x/a", 1), std::pair("x/b", 2)}) {
      if (!cache.covers(source)) continue;
      for (const auto& [id, where] : some_chunks(static_cast<unsigned>(seed), 300)) {
        ASSERT_EQ(pack_of(cache, id), cat("p/", source)) << nth;
      }
    }
    if (!fired) {
      ASSERT_TRUE(status.ok()) << status.error().text();
      EXPECT_EQ(cache.tables().size(), 1u);
      break;
    }
  }
}

// A power cut at any moment leaves a folder that opens, and nothing in it is believed wrongly.
TEST_F(CacheTest, SurvivesAPowerCut) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    {
      auto cache = open();
      ASSERT_TRUE(cache.add(table_of(cat("x/", seed), some_chunks(seed, 200))).ok());
      ASSERT_TRUE(cache.merge(keep_all, {}, {}).ok());
    }
    auto chance = seeded_random(seed);
    files.crash(chance.get());
    auto cache = open();
    for (std::uint64_t i = 0; i <= seed; ++i) {
      if (!cache.covers(cat("x/", i))) continue;
      for (const auto& [id, where] : some_chunks(i, 200)) {
        for (const auto& table : cache.tables()) {
          auto found = table->find(id);
          EXPECT_TRUE(!found.ok() || !*found || (*found)->offset == where.offset);
        }
      }
    }
    ASSERT_TRUE(cache.clear().ok());
  }
}

TEST_F(CacheTest, AFullDiskIsAnError) {
  files.set_space(20'000);
  auto cache = open();
  EXPECT_EQ(cache.add(table_of("x/a", some_chunks(1, 3000))).error().kind(), ErrorKind::exhausted);
}

}  // namespace
}  // namespace lb::index
