#include "stores/postgres/page_plan.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <set>

#include "stores/postgres/page_check.h"

namespace lb::pg {
namespace {

constexpr std::uint32_t window = 16;

repo::ChunkId id_of(std::uint32_t number) {
  repo::ChunkId id{};
  for (int n = 0; n < 4; ++n)
    id[static_cast<std::size_t>(n)] = static_cast<std::uint8_t>(number >> (8 * n));
  return id;
}

repo::Extent chunk(std::uint32_t number, std::uint32_t pages) {
  repo::Extent extent;
  extent.length = pages * page_bytes;
  extent.id = id_of(number);
  return extent;
}

repo::Extent part(std::uint32_t number, std::uint32_t of_pages, std::uint32_t skip,
                  std::uint32_t pages) {
  repo::Extent extent = chunk(number, pages);
  extent.skip = static_cast<std::uint32_t>(skip * page_bytes);
  extent.chunk_length = static_cast<std::uint32_t>(of_pages * page_bytes);
  return extent;
}

repo::Row row_of(std::vector<repo::Extent> extents) {
  repo::Row row;
  for (const auto& extent : extents) row.size += extent.length;
  row.extents = std::move(extents);
  return row;
}

repo::Row whole_row(std::uint32_t pages) {
  std::vector<repo::Extent> extents;
  for (std::uint32_t at = 0; at < pages; at += window)
    extents.push_back(chunk(at / window + 1, std::min(window, pages - at)));
  return row_of(extents);
}

std::set<std::uint32_t> read_pages(const std::vector<PageStep>& steps) {
  std::set<std::uint32_t> out;
  for (const auto& step : steps) {
    for (std::uint32_t n = 0; step.read && n < step.count; ++n) out.insert(step.first + n);
  }
  return out;
}

void expect_covers(const std::vector<PageStep>& steps, std::uint32_t pages) {
  std::uint32_t at = 0;
  for (const auto& step : steps) {
    EXPECT_EQ(step.first, at);
    EXPECT_GT(step.count, 0u);
    at += step.count;
  }
  EXPECT_EQ(at, pages);
}

TEST(PagePlan, NothingChangedIsOneReuse) {
  const auto steps = plan_pages(whole_row(100), 100 * page_bytes, {});
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_FALSE(steps[0].read);
  EXPECT_EQ(steps[0].count, 100u);
}

TEST(PagePlan, OneChangedPageIsReadAlone) {
  const auto steps = plan_pages(whole_row(100), 100 * page_bytes, {37});
  expect_covers(steps, 100);
  EXPECT_EQ(read_pages(steps), std::set<std::uint32_t>{37});
}

TEST(PagePlan, WhatLiesBehindTheParentsEndIsRead) {
  const auto steps = plan_pages(whole_row(10), 40 * page_bytes, {});
  const auto read = read_pages(steps);
  for (std::uint32_t page = 10; page < 40; ++page) EXPECT_TRUE(read.contains(page)) << page;
}

TEST(PagePlan, AShorterFileEndsWhereItEnds) {
  const auto steps = plan_pages(whole_row(100), 33 * page_bytes, {50, 90});
  expect_covers(steps, 33);
  EXPECT_EQ(read_pages(steps), std::set<std::uint32_t>{32}) << "little of its chunk is left";
  EXPECT_TRUE(plan_pages(whole_row(100), 0, {}).empty());
}

TEST(PagePlan, APageCutByTheEndIsRead) {
  const auto longer = plan_pages(whole_row(3), 3 * page_bytes + 100, {});
  EXPECT_EQ(read_pages(longer), std::set<std::uint32_t>{3});
  auto parent = whole_row(3);
  parent.size -= 100;
  parent.extents.back().length -= 100;
  EXPECT_TRUE(read_pages(plan_pages(parent, 3 * page_bytes, {})).contains(2));
}

TEST(PagePlan, AWindowThatChangedByHalfIsReadWhole) {
  const auto steps = plan_pages(whole_row(64), 64 * page_bytes, {16, 18, 20, 22, 24, 26, 28, 30});
  std::set<std::uint32_t> wanted;
  for (std::uint32_t page = 16; page < 32; ++page) wanted.insert(page);
  EXPECT_EQ(read_pages(steps), wanted);
}

TEST(PagePlan, AChunkOfWhichLittleIsNeededIsGivenUp) {
  // Chunk 9 has 16 pages of which this row needs three: they are read, so that it is free.
  const auto row = row_of({chunk(1, 16), part(9, 16, 0, 3), part(2, 16, 3, 13)});
  EXPECT_EQ(read_pages(plan_pages(row, row.size, {})), (std::set<std::uint32_t>{16, 17, 18}));
  const auto enough = row_of({chunk(1, 16), part(9, 16, 0, 4), part(2, 16, 4, 12)});
  EXPECT_TRUE(read_pages(plan_pages(enough, enough.size, {})).empty());
}

TEST(PagePlan, AWindowOfManyPiecesIsReadWhole) {
  std::vector<repo::Extent> extents;
  for (std::uint32_t n = 0; n < 16; ++n) extents.push_back(part(20 + n / 2, 4, n % 2, 1));
  for (std::uint32_t n = 0; n < 8; ++n) extents.push_back(part(20 + n, 4, 2, 2));
  const auto row = row_of(extents);
  EXPECT_TRUE(read_pages(plan_pages(row, row.size, {})).empty()) << "nothing of it changed";
  EXPECT_EQ(read_pages(plan_pages(row, row.size, {0})).size(), 16u);
}

TEST(PagePlan, HolesStayAndCostNothing) {
  repo::Extent hole;
  hole.hole = true;
  hole.length = 64 * page_bytes;
  const auto row = row_of({chunk(1, 16), hole, chunk(2, 16)});
  EXPECT_TRUE(read_pages(plan_pages(row, row.size, {})).empty());
  EXPECT_EQ(read_pages(plan_pages(row, row.size, {40})), std::set<std::uint32_t>{40});
}

// Whatever the parent looks like: what changed is read, and the steps cover the file.
TEST(PagePlan, ChangedPagesAreAlwaysRead) {
  std::mt19937 source(3);
  const auto chance = [&source] { return static_cast<std::uint32_t>(source()); };
  for (int round = 0; round < 300; ++round) {
    std::vector<repo::Extent> extents;
    for (int n = 0; n < 40; ++n) {
      const std::uint32_t pages = 1 + chance() % 16;
      if (chance() % 5 == 0) {
        extents.push_back(part(100 + chance() % 8, 16, chance() % (17 - pages), pages));
      } else {
        extents.push_back(chunk(static_cast<std::uint32_t>(n), pages));
      }
      extents.back().hole = chance() % 10 == 0;
    }
    const auto row = row_of(extents);
    const auto pages = static_cast<std::uint32_t>(row.size / page_bytes) + chance() % 50;
    std::set<std::uint32_t> changed;
    for (int n = 0; n < 30; ++n) changed.insert(chance() % (pages + 20));
    const auto steps =
        plan_pages(row, std::uint64_t{pages} * page_bytes, {changed.begin(), changed.end()});
    expect_covers(steps, pages);
    const auto read = read_pages(steps);
    for (const auto page : changed) EXPECT_TRUE(page >= pages || read.contains(page));
    for (auto page = static_cast<std::uint32_t>(row.size / page_bytes); page < pages; ++page)
      EXPECT_TRUE(read.contains(page));
  }
}

}  // namespace
}  // namespace lb::pg
