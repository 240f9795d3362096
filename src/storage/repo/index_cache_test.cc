// The cache of the index, and merged index objects, through whole sessions.
#include "foundation/sys/sim_files.h"
#include "storage/repo/index_object.h"
#include "storage/repo/known_chunks.h"
#include "storage/repo/merge_indexes.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

// Counts what is read of indexes.
class IndexReads final : public BlobStore {
 public:
  explicit IndexReads(BlobStore& inner) : inner_(inner) {}
  Status put(const std::string& key, ByteView bytes) override { return inner_.put(key, bytes); }
  Status flush() override { return inner_.flush(); }
  Result<Buffer> get(const std::string& key) override {
    if (key.starts_with("x/")) ++gets;
    return inner_.get(key);
  }
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override {
    if (key.starts_with("x/")) ++ranges;
    return inner_.get_range(key, offset, size);
  }
  Result<BlobInfo> info(const std::string& key) override { return inner_.info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    return inner_.list(prefix, after);
  }
  Status remove(const std::string& key) override { return inner_.remove(key); }
  std::string describe() const override { return inner_.describe(); }

  int gets = 0, ranges = 0;

 private:
  BlobStore& inner_;
};

class IndexCache : public MemoryRepository {
 protected:
  std::unique_ptr<Repository> open_cached() {
    auto options = small_budget;
    options.memory_bytes = 4 << 20;  // several packs hold the content
    options.cache_folder = "/cache";
    options.files = &files;
    return open_repository(reads, clock, *random, key, options).take();
  }
  // What a session of a fresh process stores anew of this content.
  SnapshotInfo cached_backup(const Content& rows) {
    clock.advance(Seconds(1));
    reads.gets = reads.ranges = 0;
    auto info = write_snapshot(*open_cached(), "data", rows, clock.now());
    EXPECT_TRUE(info.ok()) << info.error().text();
    return info.ok() ? *info : SnapshotInfo{};
  }
  std::vector<std::string> cache_files() {
    std::vector<std::string> out;
    for (const auto& folder : files.list("/cache").take()) {
      for (const auto& entry : files.list("/cache/" + folder.name).take()) {
        out.push_back(cat("/cache/", folder.name, "/", entry.name));
      }
    }
    return out;
  }

  void flip(const std::string& path, std::size_t at) {
    auto bytes = read_file(files, path, 1 << 20).take();
    ASSERT_LT(at, bytes.size());
    bytes[at] ^= 1;
    ASSERT_TRUE(write_durably(files, path, bytes).ok());
  }

  SimFiles files;
  IndexReads reads{blobs};
  const Content content{{"a", noise(1, 2'000'000)}, {"b", noise(2, 300'000)}};
};

TEST_F(IndexCache, ReadsOnlyWhatIsNew) {
  EXPECT_EQ(cached_backup(content).new_bytes, 2'300'000u);
  EXPECT_EQ(reads.gets, 0);
  EXPECT_EQ(cached_backup(content).new_bytes, 0u);
  EXPECT_EQ(reads.gets, 1);
  auto more = content;
  more["c"] = noise(3, 400'000);
  EXPECT_EQ(cached_backup(more).new_bytes, 400'000u);
  EXPECT_EQ(reads.gets, 0) << "the second stored nothing";
  auto last = cached_backup(more);
  EXPECT_EQ(last.new_bytes, 0u);
  EXPECT_EQ(reads.gets, 1);
  EXPECT_EQ(read(last.id), more);
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

TEST_F(IndexCache, MayBeDeletedOrDamagedAtAnyMoment) {
  cached_backup(content);
  for (int round = 0; round < 6; ++round) {
    EXPECT_EQ(cached_backup(content).new_bytes, 0u) << round;
    auto names = cache_files();
    ASSERT_FALSE(names.empty());
    if (round % 3 == 0) {
      ASSERT_TRUE(remove_tree(files, "/cache").ok());
    } else {
      // The header, or the page of sources, behind that of the packs: both are read at once.
      flip(names[0], round % 3 == 1 ? 50 : 2 * index::page_bytes + 50);
    }
  }
  auto writer = open_cached()->begin("data", nullptr, {});
  ASSERT_TRUE(writer.ok());
}

// Pages of chunks are not read before a chunk is looked for: then the session goes on as if it did
// not know those of the page, and the next makes the cache anew.
TEST_F(IndexCache, ADamagedPageOfChunksCostsSpaceAlone) {
  cached_backup(content);
  EXPECT_EQ(cached_backup(content).new_bytes, 0u);
  auto names = cache_files();
  ASSERT_EQ(names.size(), 1u);
  flip(names[0], files.info(names[0])->size - index::page_bytes + 50);
  auto again = cached_backup(content);
  EXPECT_GT(again.new_bytes, 0u);
  EXPECT_LT(again.new_bytes, 2'300'000u) << "other pages are believed";
  EXPECT_TRUE(cache_files().empty()) << "what is damaged goes";
  EXPECT_EQ(read(again.id), content);
  auto next = cached_backup(content);
  EXPECT_EQ(next.new_bytes, 0u);
  EXPECT_FALSE(cache_files().empty());
  EXPECT_EQ(read(next.id), content);
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

TEST_F(IndexCache, GoesWhileASessionRuns) {
  cached_backup(content);
  cached_backup(content);
  auto opened = open_cached();
  auto writer = opened->begin("data", nullptr, {}).take();
  ASSERT_TRUE(remove_tree(files, "/cache").ok());
  for (const auto& [name, bytes] : content) ASSERT_TRUE(write_row(*writer, name, bytes).ok());
  auto info = writer->commit({}).take();
  EXPECT_EQ(info.new_bytes, 0u);
  EXPECT_EQ(read(info.id), content);
}

// More chunks than a session of this size keeps in memory, and the disk of the cache is full from
// some moment on.
TEST_F(IndexCache, ADiskThatFillsUpIsSaidOnceAndHarmsNothing) {
  Content many;
  for (int i = 0; i < 30'000; ++i) many[cat("f", 100'000 + i)] = cat("content ", i);
  for (std::uint64_t space : {1ull << 40, 1000ull, 2'000'000ull}) {
    auto repo = open_cached();
    auto writer = repo->begin("data", nullptr, {}).take();
    files.set_space(space);
    for (const auto& [name, bytes] : many) {
      auto whole = cat(space, " ", bytes);
      WholeRow row{name, view_of(whole), Buffer{7}};
      ASSERT_TRUE(writer->add_whole({&row, 1}).ok());
    }
    clock.advance(Seconds(1));
    SnapshotMeta meta;
    meta.store = "data";
    auto info = writer->commit(meta);
    files.set_space(1ull << 40);
    ASSERT_TRUE(info.ok()) << info.error().text();
    const auto& warnings = info->meta.warnings;
    bool full = space < 1ull << 40;
    ASSERT_EQ(warnings.size(), full ? 1u : 0u) << join(warnings, "\n");
    EXPECT_TRUE(!full || warnings[0].find("kept in memory") != std::string::npos);
    auto there = read(info->id);
    ASSERT_EQ(there.size(), many.size());
    for (const auto& [name, bytes] : many) ASSERT_EQ(there[name], cat(space, " ", bytes));
  }
}

TEST_F(IndexCache, IsOfOneRepository) {
  cached_backup(content);
  cached_backup(content);
  MemoryBlobStore other_blobs;
  ASSERT_TRUE(init_repository(other_blobs, clock, *random, key, cheap_keys).ok());
  auto options = small_budget;
  options.cache_folder = "/cache";
  options.files = &files;
  auto other = open_repository(other_blobs, clock, *random, key, options).take();
  auto id = other->id();
  EXPECT_EQ(write_snapshot(*other, "data", content, clock.now())->new_bytes, 2'300'000u);
  // Not even when somebody puts the tables of one where those of another belong.
  for (const auto& name : cache_files()) {
    auto bytes = read_file(files, name, 1 << 20).take();
    ASSERT_TRUE(write_durably(files, cat("/cache/", id, "/", path_name(name), "0"), bytes).ok());
  }
  clock.advance(Seconds(1));
  auto again = open_repository(other_blobs, clock, *random, key, options).take();
  auto info = write_snapshot(*again, "data", {{"d", noise(9, 100'000)}}, clock.now());
  EXPECT_EQ(info->new_bytes, 100'000u);
}

TEST_F(IndexCache, LostPacksAreStoredAgain) {
  cached_backup(content);
  EXPECT_EQ(cached_backup(content).new_bytes, 0u);
  auto packs = keys("p/");
  ASSERT_TRUE(blobs.remove(packs[0]).ok());
  auto info = cached_backup(content);
  EXPECT_GT(info.new_bytes, 0u);
  EXPECT_LT(info.new_bytes, 2'300'000u);
  EXPECT_EQ(read(info.id), content);
  EXPECT_EQ(cached_backup(content).new_bytes, 0u) << "found in the newer table";
}

// The cache may fail at any call: the backup stores and says the same, at worst without it.
TEST_F(IndexCache, SurvivesTheFailureOfEveryCallOfTheDisk) {
  const Content few{{"a", noise(1, 60'000)}};
  cached_backup(few);
  for (std::uint64_t nth = 0;; ++nth) {
    files.fail_call(nth);
    auto info = cached_backup(few);
    bool fired = files.fault_fired();
    files.fail_call(std::uint64_t{1} << 40);
    ASSERT_TRUE(read(info.id) == few) << nth;
    if (!fired) {
      EXPECT_TRUE(info.meta.warnings.empty()) << info.meta.warnings[0];
      EXPECT_EQ(info.new_bytes, 0u);
      break;
    }
  }
}

TEST_F(IndexCache, ADiskThatIsFullCostsMemoryAlone) {
  cached_backup(content);
  files.set_space(5000);
  auto info = cached_backup(content);
  EXPECT_EQ(info.new_bytes, 0u);
  ASSERT_EQ(info.meta.warnings.size(), 1u);
  EXPECT_NE(info.meta.warnings[0].find("kept in memory"), std::string::npos);
}

class MergedIndexes : public IndexCache {
 protected:
  Content many(int count) {
    Content out;
    for (int i = 0; i < count; ++i) {
      out[cat("f", i)] = noise(100 + static_cast<unsigned>(i), 40'000);
      back_up(out);
    }
    return out;
  }
};

TEST_F(MergedIndexes, StandForManyAndLoseNothing) {
  auto all = many(12);
  ASSERT_EQ(keys("x/").size(), 12u);
  auto merged = merge_indexes(*repository->core(), {});
  ASSERT_TRUE(merged.ok()) << merged.error().text();
  EXPECT_EQ(merged->objects, 12u);
  EXPECT_EQ(merged->written, 1u);
  ASSERT_EQ(keys("x/").size(), 1u);
  EXPECT_TRUE(is_merged_index(keys("x/")[0]));
  EXPECT_TRUE(verify().clean()) << describe(verify());
  EXPECT_EQ(back_up(all).new_bytes, 0u);
  EXPECT_EQ(cached_backup(all).new_bytes, 0u);
  EXPECT_LE(reads.gets, 2);
  auto again = merge_indexes(*repository->core(), {});
  EXPECT_EQ(again->written, 0u) << "few are left alone";
}

TEST_F(MergedIndexes, AreNotReadByACacheThatKnowsTheirParts) {
  auto all = many(12);
  cached_backup(all);
  ASSERT_TRUE(merge_indexes(*repository->core(), {}).ok());
  EXPECT_EQ(cached_backup(all).new_bytes, 0u);
  EXPECT_EQ(reads.gets, 0);
  EXPECT_EQ(reads.ranges, 1);
  EXPECT_EQ(cached_backup(all).new_bytes, 0u);
  EXPECT_EQ(reads.ranges, 0);
}

TEST_F(MergedIndexes, LeaveOutPacksThatAreGone) {
  many(12);
  auto packs = keys("p/");
  ASSERT_TRUE(blobs.remove(packs[0]).ok());
  ASSERT_TRUE(merge_indexes(*repository->core(), {}).ok());
  auto name = keys("x/")[0];
  auto keyring = open_keyring(blobs, key).take();
  auto object = open_index(keyring, name, blobs.get(name).take());
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(object->replaces.size(), 12u);
  EXPECT_EQ(object->index.packs.size(), packs.size() - 1);
  for (const auto& pack : object->index.packs) EXPECT_NE(pack.pack.name, packs[0]);
}

TEST_F(MergedIndexes, AnInterruptedMergeIsFinishedByTheNext) {
  auto all = many(12);
  std::map<std::string, Buffer> old;
  for (const auto& name : keys("x/")) old[name] = blobs.get(name).take();
  ASSERT_TRUE(merge_indexes(*repository->core(), {}).ok());
  for (const auto& [name, bytes] : old) ASSERT_TRUE(blobs.put(name, bytes).ok());
  EXPECT_EQ(cached_backup(all).new_bytes, 0u);
  EXPECT_EQ(reads.gets, 1) << "what is replaced is not read";
  auto next = merge_indexes(*repository->core(), {});
  EXPECT_EQ(next->objects, 12u);
  EXPECT_EQ(next->written, 0u);
  EXPECT_EQ(keys("x/").size(), 1u);
}

TEST_F(MergedIndexes, LeaveDamagedOnesAndTheirPartsAlone) {
  many(12);
  auto names = keys("x/");
  auto bytes = blobs.get(names[0]).take();
  bytes.back() ^= 1;
  ASSERT_TRUE(blobs.remove(names[0]).ok());
  ASSERT_TRUE(blobs.put(names[0], bytes).ok());
  EXPECT_EQ(merge_indexes(*repository->core(), {})->objects, 11u);
  EXPECT_TRUE(blobs.info(names[0]).ok());
}

TEST_F(MergedIndexes, LosingOneCostsDeduplicationAlone) {
  auto all = many(12);
  ASSERT_TRUE(merge_indexes(*repository->core(), {}).ok());
  ASSERT_TRUE(blobs.remove(keys("x/")[0]).ok());
  EXPECT_EQ(read(back_up(all).id), all);
  EXPECT_TRUE(verify().clean());
}

}  // namespace
}  // namespace lb::repo
