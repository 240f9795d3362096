// Log objects with a detail: read without the data, small where the log is empty, and seen when
// damaged.
#include "storage/repo/log_store.h"

#include <gtest/gtest.h>

#include "storage/blob/fault_blob_store.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

class LogObjects : public MemoryRepository {
 protected:
  LogName name{"db", 1, 5};
  std::string key = log_key("db", 1, 5);
};

TEST_F(LogObjects, ADetailIsReadWithoutTheData) {
  for (std::size_t detail_bytes : {1u, 3000u, 70'000u, 2'000'000u}) {
    name.segment = detail_bytes;
    auto data = noise(1, 3'000'000), detail = noise(2, detail_bytes);
    ASSERT_TRUE(repository->put_log(name, view_of(data), view_of("sum"), view_of(detail)).ok());
    EXPECT_EQ(text_of(repository->get_log_summary(name).take()), "sum");
    EXPECT_EQ(text_of(repository->get_log(name).take()), data);
    // Half of the data is cut off: who reads it would notice.
    auto where = log_key("db", 1, name.segment);
    auto good = blobs.get(where).take();
    auto bad = good;
    bad.resize(good.size() - data.size() / 2);
    blobs.tamper(where, bad);
    auto read = repository->get_log_detail(name).take();
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(text_of(*read), detail);
    EXPECT_FALSE(repository->get_log(name).ok());
    blobs.tamper(where, good);
  }
  EXPECT_TRUE(repository->verify({.deep = true}, {}, {})->clean());
}

TEST_F(LogObjects, NoDetailIsNoError) {
  EXPECT_FALSE(repository->get_log_detail(name).take()) << "nothing there";
  ASSERT_TRUE(repository->put_log_tail(name, 0, view_of("tail"), view_of("s")).ok());
  EXPECT_FALSE(repository->get_log_detail(name).take()) << "only tails";
  ASSERT_TRUE(repository->put_log(name, view_of("tail and more"), view_of("s")).ok());
  EXPECT_FALSE(repository->get_log_detail(name).take()) << "put without";
  EXPECT_TRUE(repository->put_log(name, view_of("tail and more"), {}, view_of("detail")).ok())
      << "the data is the same";
  EXPECT_FALSE(repository->get_log_detail(name).take()) << "nothing is overwritten";
}

TEST_F(LogObjects, ADetailLargerThanAnySegmentIsLeftOut) {
  ASSERT_TRUE(repository->put_log(name, view_of("data"), {}, Buffer((64u << 20) + 1, 7)).ok());
  EXPECT_FALSE(repository->get_log_detail(name).take());
  EXPECT_EQ(text_of(repository->get_log(name).take()), "data");
}

TEST_F(LogObjects, TailsGoWithTheirSegmentAndATimelineIsListedOnce) {
  // Of an earlier run: of this segment and of the next one.
  ASSERT_TRUE(repository->put_log_tail(name, 0, view_of("earlier"), {}).ok());
  LogName next{"db", 1, 6}, elsewhere{"db", 2, 6};
  ASSERT_TRUE(repository->put_log_tail(next, 0, view_of("ea"), {}).ok());
  ASSERT_TRUE(repository->put_log_tail(elsewhere, 0, view_of("other"), {}).ok());
  CountingBlobStore counted(blobs);
  auto later = open(counted);
  ASSERT_TRUE(later->put_log_tail(name, 7, view_of(" more"), {}).ok());
  const auto before = counted.counts().lists;
  ASSERT_TRUE(later->put_log(name, view_of("earlier more."), {}).ok());
  ASSERT_TRUE(later->put_log_tail(next, 2, view_of("rly"), {}).ok());
  ASSERT_TRUE(later->put_log(next, view_of("early."), {}).ok());
  for (name.segment = 7; name.segment < 40; ++name.segment)
    ASSERT_TRUE(later->put_log(name, view_of("log"), {}).ok());
  EXPECT_EQ(counted.counts().lists, before + 1);
  std::vector<std::string> left;
  for (const auto& object : blobs.list("w/", {}).take()) {
    if (parse_log_key(object.key)->kind == LogKey::Kind::tail) left.push_back(object.key);
  }
  EXPECT_EQ(left, std::vector<std::string>{log_tail_key("db", 2, 6, 0)});
}

TEST_F(LogObjects, TheRestOfASwitchedSegmentCostsNextToNothing) {
  Buffer data(16u << 20, 0);
  auto log = noise(7, 100'000);
  std::copy(log.begin(), log.end(), data.begin());
  ASSERT_TRUE(repository->put_log(name, data, {}, view_of("detail")).ok());
  EXPECT_LT(blobs.info(key)->size, log.size() + 3000);
  EXPECT_EQ(repository->get_log(name).take(), data);
}

TEST_F(LogObjects, ADamagedDetailIsSeen) {
  auto detail = noise(2, 40'000);
  ASSERT_TRUE(repository->put_log(name, view_of("data"), {}, view_of(detail)).ok());
  auto good = blobs.get(key).take();
  for (std::size_t at : {std::size_t{150}, std::size_t{20'000}, good.size() - 60}) {
    auto bad = good;
    bad[at] ^= 1;
    blobs.tamper(key, bad);
    EXPECT_EQ(repository->get_log_detail(name).error().exit_code(), ExitCode::damaged) << at;
    EXPECT_FALSE(repository->get_log(name).ok()) << at;
    EXPECT_FALSE(repository->verify({}, {}, {})->clean()) << at;
  }
  for (std::size_t size = 0; size < good.size(); size += size < 400 ? 7 : 4001) {
    blobs.tamper(key, Buffer(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_FALSE(repository->get_log_detail(name).ok()) << size;
  }
}

// Who holds the write key could seal a head that promises a detail and put nothing behind it.
TEST_F(LogObjects, APromisedDetailThatIsNotThereIsDamage) {
  auto head = encode_log_head({0, 0, false, {}, true});
  auto object = seal_object(repository->core()->keys, *random, SealFor::readers, key, {head});
  ASSERT_TRUE(blobs.put(key, object).ok());
  EXPECT_EQ(repository->get_log_detail(name).error().exit_code(), ExitCode::damaged);
  EXPECT_EQ(repository->get_log(name).error().exit_code(), ExitCode::damaged);
}

}  // namespace
}  // namespace lb::repo
