#include "storage/repo/usage.h"

#include <gtest/gtest.h>

namespace lb::repo {
namespace {

constexpr Micros day = std::chrono::hours(24);
const Timestamp now = Timestamp{} + 20000 * day;

TEST(Usage, CountsEachKindOfObject) {
  std::vector<BlobInfo> objects = {
      {"repo", 1, now},   {"k/main", 2, now},     {"i/s", 4, now},
      {"p/s/00", 8, now}, {"x/s.00", 16, now},    {"m/s", 32, now},
      {"e/s", 64, now},   {"w/db/1/2", 128, now}, {"r/drill/x", 256, now}};
  auto usage = usage_of(objects, now);
  EXPECT_EQ(usage.packs, 8u);
  EXPECT_EQ(usage.indexes, 48u);
  EXPECT_EQ(usage.verdicts, 64u);
  EXPECT_EQ(usage.logs, 128u);
  EXPECT_EQ(usage.records, 256u);
  EXPECT_EQ(usage.other, 7u);
  EXPECT_EQ(usage.total(), 511u);
}

TEST(Usage, GrowthIsThatOfTheLastThirtyDays) {
  std::vector<BlobInfo> objects = {
      {"p/a", 1'000'000, now - 90 * day}, {"p/b", 300, now - 20 * day}, {"p/c", 300, now - day}};
  auto usage = usage_of(objects, now);
  EXPECT_EQ(usage.recent, 600u);
  EXPECT_EQ(usage.bytes_a_day(), 20u);
}

TEST(Usage, AYoungRepositoryIsMeasuredSinceItBegan) {
  std::vector<BlobInfo> objects = {{"p/a", 100, now - 2 * day}, {"p/b", 100, now}};
  EXPECT_EQ(usage_of(objects, now).bytes_a_day(), 100u);
}

TEST(Usage, NothingIsSaidOfMinutesOrOfStoresWithoutTimes) {
  std::vector<BlobInfo> fresh = {{"p/a", 100, now - std::chrono::minutes(5)}};
  EXPECT_FALSE(usage_of(fresh, now).bytes_a_day());
  std::vector<BlobInfo> timeless = {{"p/a", 100}};
  EXPECT_FALSE(usage_of(timeless, now).bytes_a_day());
}

TEST(Usage, TheDayTheDiskIsFull) {
  EXPECT_EQ(full_at(10, 100, now), now + 10 * day);
  EXPECT_FALSE(full_at(0, 100, now)) << "nothing grows";
  EXPECT_FALSE(full_at(1, 1'000'000'000, now)) << "too far away to be told";
}

}  // namespace
}  // namespace lb::repo
