// One suite that every implementation of BlobStore passes; for tests only. A program includes it,
// says how each of its places is made, and instantiates it:
//
//   std::unique_ptr<BlobPlace> lb::make_blob_place(const std::string& name) { … }
//   INSTANTIATE_TEST_SUITE_P(All, BlobContract, testing::Values("memory"), name_of_place);
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "foundation/flow/task_group.h"
#include "storage/blob/blob_store.h"

namespace lb {

// An empty store, and what it needs to live.
struct BlobPlace {
  virtual ~BlobPlace() = default;
  virtual BlobStore& store() = 0;
};

// Defined by each program. Null: it cannot be had here, and `BlobContract` skips with the reason
// that the program left in `missing_place`.
std::unique_ptr<BlobPlace> make_blob_place(const std::string& name);
inline std::string missing_place;

inline Buffer bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
inline std::string name_of_place(const testing::TestParamInfo<const char*>& chosen) {
  return chosen.param;
}

class BlobContract : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    place_ = make_blob_place(GetParam());
    if (!place_) GTEST_SKIP() << missing_place;
  }
  BlobStore& store() { return place_->store(); }
  std::vector<std::string> keys(const std::string& prefix, const std::string& after = {}) {
    auto listed = store().list(prefix, after);
    EXPECT_TRUE(listed.ok()) << listed.error().text();
    std::vector<std::string> out;
    for (const auto& info : listed.value()) out.push_back(info.key);
    return out;
  }

 private:
  std::unique_ptr<BlobPlace> place_;
};

TEST_P(BlobContract, GivesBackWhatWasPut) {
  auto data = bytes_of("hello, store");
  ASSERT_TRUE(store().put("p/one/00", data).ok());
  ASSERT_TRUE(store().flush().ok());
  EXPECT_EQ(store().get("p/one/00").value(), data);
  EXPECT_EQ(store().get_range("p/one/00", 7, 5).value(), bytes_of("store"));
  EXPECT_EQ(store().get_range("p/one/00", 12, 0).value(), Buffer());
  Buffer five(5);
  ASSERT_TRUE(store().get_range_into("p/one/00", 7, five).ok());
  EXPECT_EQ(five, bytes_of("store"));
  EXPECT_EQ(store().info("p/one/00")->size, data.size());
}

TEST_P(BlobContract, GivesTheEndOfAnObject) {
  auto data = bytes_of("hello, store");
  ASSERT_TRUE(store().put("p/one/00", data).ok());
  EXPECT_EQ(store().get_tail("p/one/00", 5).value(), bytes_of("store"));
  EXPECT_EQ(store().get_tail("p/one/00", 0).value(), Buffer());
  EXPECT_EQ(store().get_tail("p/one/00", data.size()).value(), data);
  EXPECT_EQ(store().get_tail("p/one/00", 1000).value(), data);
  EXPECT_EQ(store().get_tail("nope", 5).error().kind(), ErrorKind::not_found);
  ASSERT_TRUE(store().put("empty", {}).ok());
  EXPECT_EQ(store().get_tail("empty", 5).value(), Buffer());
}

TEST_P(BlobContract, HoldsEmptyObjects) {
  ASSERT_TRUE(store().put("empty", {}).ok());
  EXPECT_EQ(store().get("empty").value(), Buffer());
  EXPECT_EQ(store().info("empty")->size, 0u);
}

TEST_P(BlobContract, NeverOverwrites) {
  ASSERT_TRUE(store().put("k", bytes_of("first")).ok());
  auto second = store().put("k", bytes_of("second"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
  EXPECT_EQ(store().get("k").value(), bytes_of("first"));
}

TEST_P(BlobContract, MissingIsNotFound) {
  EXPECT_EQ(store().get("nope").error().kind(), ErrorKind::not_found);
  EXPECT_EQ(store().get_range("no/pe", 0, 1).error().kind(), ErrorKind::not_found);
  EXPECT_EQ(store().info("nope").error().kind(), ErrorKind::not_found);
  Buffer one(1);
  EXPECT_EQ(store().get_range_into("no/pe", 0, one).error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(store().remove("nope").ok());
}

TEST_P(BlobContract, RangeBeyondTheEndIsCorrupt) {
  ASSERT_TRUE(store().put("k", bytes_of("12345")).ok());
  EXPECT_EQ(store().get_range("k", 0, 6).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(store().get_range("k", 6, 0).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(store().get_range("k", ~0ull, 2).error().kind(), ErrorKind::corrupt);
  Buffer six(6);
  EXPECT_EQ(store().get_range_into("k", 0, six).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(store().get_range_into("k", ~0ull, six).error().kind(), ErrorKind::corrupt);
}

TEST_P(BlobContract, ListsInKeyOrder) {
  for (const char* key : {"a/b/2", "a-b", "a/b/1", "a", "b/1", "ab/1", "a0"}) {
    if (std::string_view(key) == "a") continue;  // a key cannot also be a folder
    ASSERT_TRUE(store().put(key, bytes_of(key)).ok()) << key;
  }
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys(""), (Keys{"a-b", "a/b/1", "a/b/2", "a0", "ab/1", "b/1"}));
  EXPECT_EQ(keys("a/"), (Keys{"a/b/1", "a/b/2"}));
  EXPECT_EQ(keys("a/b/1"), (Keys{"a/b/1"}));
  EXPECT_EQ(keys("a"), (Keys{"a-b", "a/b/1", "a/b/2", "a0", "ab/1"}));
  EXPECT_EQ(keys("", "a/b/1"), (Keys{"a/b/2", "a0", "ab/1", "b/1"}));
  EXPECT_EQ(keys("a/b/", "a/b/2"), Keys{});
  EXPECT_EQ(keys("nothing/here"), Keys{});
  auto listed = store().list("b/", "").take();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].size, 3u);
}

TEST_P(BlobContract, RemovedIsGoneAndMayBePutAgain) {
  ASSERT_TRUE(store().put("t/1", bytes_of("x")).ok());
  ASSERT_TRUE(store().remove("t/1").ok());
  EXPECT_EQ(store().get("t/1").error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(keys("").empty());
  ASSERT_TRUE(store().put("t/1", bytes_of("y")).ok());
  EXPECT_EQ(store().get("t/1").value(), bytes_of("y"));
}

TEST_P(BlobContract, RefusesKeysThatLeaveTheStore) {
  for (const char* key :
       {"", "/", "../x", "a/../b", "a//b", ".hidden", "a/", "tmp/x", "a b", "ä"}) {
    auto put = store().put(key, bytes_of("x"));
    ASSERT_FALSE(put.ok()) << key;
    EXPECT_EQ(put.error().kind(), ErrorKind::invalid) << key;
  }
}

TEST_P(BlobContract, OneOfManyWritersWins) {
  std::atomic<int> won{0}, lost{0};
  auto status = for_each_parallel(16, 8, {}, [&](std::size_t i) -> Status {
    auto put = store().put("race/key", Buffer(1000, static_cast<std::uint8_t>(i)));
    if (put.ok()) {
      ++won;
    } else if (put.error().kind() == ErrorKind::conflict) {
      ++lost;
    }
    return {};
  });
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 15);
  auto kept = store().get("race/key").take();
  EXPECT_EQ(kept, Buffer(1000, kept[0]));
}

}  // namespace lb
