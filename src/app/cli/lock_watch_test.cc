#include "app/cli/lock_watch.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/blob/memory_blob_store.h"

namespace lb::cli {
namespace {

constexpr Micros day = std::chrono::hours(24);
const Timestamp now = from_micros(1'800'000'000'000'000);

TEST(LockWatch, AlarmsInTheLastQuarter) {
  auto state = [](Micros left) { return judge_locks(now + left, 30 * day, "prune", now).state; };
  EXPECT_EQ(state(30 * day), "ok");
  EXPECT_EQ(state(8 * day), "ok");
  EXPECT_EQ(state(7 * day), "ending");
  EXPECT_EQ(state(Micros(1)), "ending");
  EXPECT_EQ(state(Micros(0)), "ended");
  EXPECT_EQ(state(-day), "ended");
  EXPECT_EQ(judge_locks(std::nullopt, day, "prune", now).state, "ok");
}

TEST(LockWatch, SaysWhatToDo) {
  auto ending = judge_locks(now + day, 30 * day, "copy sync", now);
  EXPECT_NE(ending.text.find("lifeboat copy sync extends them"), std::string::npos) << ending.text;
  auto bare = judge_locks(Timestamp{}, 30 * day, "prune", now);
  EXPECT_NE(bare.text.find("without a lock"), std::string::npos) << bare.text;
}

// Locks by key; every object that was put is there.
class Locks final : public BlobStore {
 public:
  Status put(const std::string& key, ByteView bytes) override { return blobs_.put(key, bytes); }
  Status flush() override { return {}; }
  Result<Buffer> get(const std::string& key) override { return blobs_.get(key); }
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override {
    return blobs_.get_range(key, offset, size);
  }
  Result<BlobInfo> info(const std::string& key) override { return blobs_.info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    return blobs_.list(prefix, after);
  }
  Status remove(const std::string& key) override { return blobs_.remove(key); }
  Result<std::optional<Timestamp>> locked_until(const std::string& key) override {
    ++asked;
    LB_TRY(blobs_.info(key).status());
    auto found = ends.find(key);
    return found == ends.end() ? std::nullopt : std::optional(found->second);
  }
  std::string describe() const override { return "locks"; }

  std::map<std::string, Timestamp> ends;
  std::atomic<int> asked = 0;

 private:
  MemoryBlobStore blobs_;
};

class Sample : public testing::Test {
 protected:
  Sample() {
    put("repo", 20);
    put("k/one", 21);
    for (int i = 0; i < 100; ++i) {
      repo::SnapshotInfo info;
      info.id = cat("point", 100 + i);
      sample.points.push_back(info);
      put(cat("e/", info.id), 30);
      sample.packs.push_back(cat("p/", 100 + i));
      put(sample.packs.back(), 30);
    }
  }
  void put(const std::string& key, int days) {
    ASSERT_TRUE(blobs.put(key, view_of("x")).ok());
    blobs.ends[key] = now + days * day;
  }
  std::optional<Timestamp> first() { return first_lock_end(blobs, sample, {}).take(); }
  Locks blobs;
  LockSample sample;
};

TEST_F(Sample, TakesTheFirstEndOfAllThatIsAsked) {
  EXPECT_EQ(first(), now + 20 * day);
  EXPECT_LT(blobs.asked, 70) << "few requests, however many objects there are";
  for (const char* key : {"k/one", "e/point100", "e/point199", "p/100", "p/199"}) {
    auto before = std::exchange(blobs.ends[key], now + 3 * day);
    EXPECT_EQ(first(), now + 3 * day) << key;
    blobs.ends[key] = before;
  }
  blobs.ends.erase("k/one");
  EXPECT_EQ(first(), Timestamp{}) << "it has no lock at all";
}

TEST_F(Sample, PassesOverWhatIsNotThere) {
  ASSERT_TRUE(blobs.remove("e/point100").ok());
  ASSERT_TRUE(blobs.remove("repo").ok());
  EXPECT_EQ(first(), now + 21 * day);
}

}  // namespace
}  // namespace lb::cli
