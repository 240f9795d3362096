#include "storage/copy/compare.h"

#include <gtest/gtest.h>

#include "storage/copy/copy_fixture.h"

namespace lb::copy {
namespace {

class CompareTest : public CopyFixture {
 protected:
  CompareTest() { must_sync(copy); }
  CompareReport compare(bool with_key) {
    SyncOptions options;
    if (with_key) options.witness = witness.get();
    auto report = compare_copy(blobs, copy, options, {}, {});
    EXPECT_TRUE(report.ok()) << report.error().text();
    return report.ok() ? *report : CompareReport{};
  }
};

TEST_F(CompareTest, AWholeCopyIsAlike) {
  auto report = compare(false);
  EXPECT_TRUE(report.different.empty());
  EXPECT_EQ(report.objects, keys().size() - keys("i/").size());
  EXPECT_EQ(report.missing, 0u);
}

TEST_F(CompareTest, EveryObjectThatDiffersIsNamedWithTheSideThatIsDamaged) {
  for (const auto& object : copy.list("", {}).take()) {
    if (object.key == "repo") continue;
    auto good = copy.get(object.key).take();
    for (bool cut : {true, false}) {
      auto bad = cut ? Buffer(good.begin(), good.end() - 1) : damaged(object.key, good.size() / 3);
      copy.tamper(object.key, bad);
      auto in_copy = compare(true);
      copy.tamper(object.key, good);
      blobs.tamper(object.key, bad);
      auto in_source = compare(true);
      blobs.tamper(object.key, good);
      ASSERT_EQ(in_copy.different.size(), 1u) << object.key;
      EXPECT_EQ(in_copy.different[0].key, object.key);
      EXPECT_EQ(in_copy.different[0].problem, "is damaged in the copy") << object.key;
      ASSERT_EQ(in_source.different.size(), 1u) << object.key;
      EXPECT_EQ(in_source.different[0].problem, "is damaged in the repository, whole in the copy");
    }
  }
}

TEST_F(CompareTest, WhatIsMissingIsCounted) {
  ASSERT_TRUE(copy.remove(keys("p/").front()).ok());
  EXPECT_EQ(compare(false).missing, 1u);
}

}  // namespace
}  // namespace lb::copy
