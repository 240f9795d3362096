// The rules of collection hold in every interleaving, and each of them is needed.
#include "storage/collect/protocol_model.h"

#include <gtest/gtest.h>

namespace lb::repo::model {
namespace {

constexpr std::uint64_t all = 100'000'000;
constexpr Size two_writers{.writers = 2, .collectors = 1, .rounds = 1};
constexpr Size two_collectors{.writers = 1, .collectors = 2, .rounds = 1};
constexpr Size late{.writers = 2, .collectors = 2, .rounds = 1, .condemned = true};

void expect_sound(const Size& size, Break broken = Break::none) {
  auto outcome = explore(size, broken, all);
  EXPECT_TRUE(outcome.sound) << outcome.trace;
  EXPECT_LT(outcome.states, all) << "not all interleavings were tried";
  EXPECT_GT(outcome.deleted, 0u) << "the model must get as far as deleting,";
  EXPECT_GT(outcome.rescued, 0u) << "rescuing";
  EXPECT_GT(outcome.aborted, 0u) << "and aborting";
}

TEST(CollectionModel, HoldsWithTwoWriters) { expect_sound(two_writers); }

TEST(CollectionModel, HoldsWithTwoCollectors) { expect_sound(two_collectors); }

TEST(CollectionModel, HoldsWhenTwoCollectorsQuarrelLate) { expect_sound(late); }

TEST(CollectionModel, HoldsOverSeveralRounds) {
  expect_sound({.writers = 1, .collectors = 1, .rounds = 3});
}

class EachRule : public testing::TestWithParam<std::pair<Break, Size>> {};

TEST_P(EachRule, IsNeeded) {
  auto outcome = explore(GetParam().second, GetParam().first, all);
  EXPECT_FALSE(outcome.sound) << "all " << outcome.states << " states are sound without it";
}

INSTANTIATE_TEST_SUITE_P(CollectionModel, EachRule,
                         testing::Values(std::pair(Break::no_wait, two_writers),
                                         std::pair(Break::list_before_intent, two_writers),
                                         std::pair(Break::abort_without_verdict, two_writers),
                                         std::pair(Break::no_rescue, two_writers),
                                         std::pair(Break::delete_undecided, late),
                                         std::pair(Break::writer_forgets_ledger, two_writers),
                                         std::pair(Break::reader_forgets_ledger, two_writers),
                                         std::pair(Break::decision_outlives, late),
                                         std::pair(Break::packs_before_condemned, two_writers),
                                         std::pair(Break::marker_before_ledger, two_writers),
                                         std::pair(Break::awaited_before_condemned, two_writers)));

// Their writer is waited for, so they would be rescued: the rule spares work, not data.
TEST(CollectionModel, ThatPacksOfRunningSessionsStayIsThriftAlone) {
  expect_sound(two_writers, Break::running_packs_garbage);
}

}  // namespace
}  // namespace lb::repo::model
