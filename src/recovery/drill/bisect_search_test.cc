#include "recovery/drill/bisect_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace lb::drill {
namespace {

struct Found {
  std::optional<std::size_t> clean, first_bad, bad_before_good;
  std::size_t probes = 0, unknown = 0;
};

// "ggb?": what each position would answer, oldest first.
Found search(const std::string& truth) {
  BisectSearch search(truth.size());
  Found out;
  while (auto at = search.next()) {
    EXPECT_FALSE(search.answer(*at)) << "asked twice in " << truth;
    auto c = truth.at(*at);
    search.told(*at, c == 'g' ? Answer::good : c == 'b' ? Answer::bad : Answer::undecided);
    ++out.probes;
    if (out.probes > truth.size()) {
      ADD_FAILURE() << "no end in " << truth;
      break;
    }
  }
  out.clean = search.clean();
  out.first_bad = search.first_bad();
  out.bad_before_good = search.bad_before_good();
  out.unknown = search.unknown_between();
  return out;
}

TEST(BisectSearch, FindsTheEdgeWhereverItIs) {
  for (std::size_t count = 1; count <= 70; ++count) {
    for (std::size_t good = 0; good <= count; ++good) {
      auto found = search(std::string(good, 'g') + std::string(count - good, 'b'));
      auto clean = good == 0 ? std::nullopt : std::optional(good - 1);
      auto bad = good == count ? std::nullopt : std::optional(good);
      EXPECT_EQ(found.clean, clean) << good << " of " << count;
      EXPECT_EQ(found.first_bad, bad) << good << " of " << count;
      EXPECT_EQ(found.unknown, 0u);
      EXPECT_FALSE(found.bad_before_good);
      auto bound =
          good == 0
              ? count
              : 3 + 2 * static_cast<std::size_t>(std::log2(static_cast<double>(count - good + 1)));
      EXPECT_LE(found.probes, bound) << good << " of " << count;
    }
  }
}

TEST(BisectSearch, WhatCannotBeDecidedIsNeitherAndItsNeighboursAreAsked) {
  auto found = search("gg??bb");
  EXPECT_EQ(found.clean, 1u);
  EXPECT_EQ(found.first_bad, 4u);
  EXPECT_EQ(found.unknown, 2u);
  found = search("gggb?");
  EXPECT_EQ(found.clean, 2u);
  EXPECT_EQ(found.first_bad, 3u);
  EXPECT_EQ(search("????").clean, std::nullopt);
  EXPECT_EQ(search("????").probes, 4u) << "all are tried before that is said";
  found = search("?g?bbbbb");
  EXPECT_EQ(found.clean, 1u) << "also where the gallop ended on one that cannot be decided";
  found = search("?gggggg?");
  EXPECT_EQ(found.clean, 6u);
  EXPECT_EQ(found.first_bad, std::nullopt);
  EXPECT_EQ(found.unknown, 1u) << "the newest is not said to be good";
}

TEST(BisectSearch, NothingGood) {
  auto found = search("bbbbbbbb");
  EXPECT_EQ(found.clean, std::nullopt);
  EXPECT_EQ(found.first_bad, 0u);
  EXPECT_LE(found.probes, 5u) << "older ones than the oldest bad one are what matters";
  EXPECT_EQ(search("").probes, 0u);
}

TEST(BisectSearch, ABadOneOlderThanAGoodOneIsNoticedWhenItWasSeen) {
  BisectSearch search(4);
  search.told(3, Answer::bad);
  search.told(2, Answer::good);
  EXPECT_FALSE(search.bad_before_good());
  search.told(1, Answer::bad);
  EXPECT_EQ(search.bad_before_good(), 1u);
  EXPECT_EQ(search.clean(), 2u) << "the newest that passed";
  EXPECT_EQ(search.first_bad(), 3u);
}

}  // namespace
}  // namespace lb::drill
