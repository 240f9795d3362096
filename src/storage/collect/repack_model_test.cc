// The rules of repacking hold in every interleaving, and each of them is needed.
#include "storage/collect/repack_model.h"

#include <gtest/gtest.h>

namespace lb::repo::repack_model {
namespace {

constexpr std::uint64_t all = 12'000'000;
constexpr Size with_writer{.rounds = 2};
constexpr Size two_collectors{.collectors = 2, .forgets = false, .pages = false, .aborts = false};
constexpr Size two_rounds{
    .collectors = 2, .rounds = 2, .writer = false, .forgets = false, .pages = false};
constexpr Size two_repackers{
    .rounds = 2, .writer = false, .two_repackers = true, .pages = false, .aborts = false};
constexpr Size crowd{.collectors = 2,
                     .writer = false,
                     .two_repackers = true,
                     .forgets = false,
                     .pages = false,
                     .aborts = false};
constexpr Size moved{.rounds = 2, .two_repackers = true, .moved = true};
constexpr Size moved_and_two_collectors{.collectors = 2,
                                        .rounds = 2,
                                        .two_repackers = true,
                                        .pages = false,
                                        .aborts = false,
                                        .moved = true};

Outcome expect_sound(const Size& size) {
  auto outcome = explore(size, Break::none, all);
  EXPECT_TRUE(outcome.sound) << outcome.trace;
  EXPECT_LT(outcome.states, all) << "not all interleavings were tried";
  EXPECT_GT(outcome.freed, 0u) << "the model must get as far as freeing the old pack";
  EXPECT_EQ(outcome.aborted > 0, size.aborts) << "and aborting";
  return outcome;
}

TEST(RepackModel, HoldsWithAWriter) { expect_sound(with_writer); }

TEST(RepackModel, HoldsWithTwoCollectors) { expect_sound(two_collectors); }

TEST(RepackModel, HoldsWithTwoRepackers) {
  auto outcome = expect_sound(two_repackers);
  EXPECT_GT(outcome.moved_twice, 0u);
  EXPECT_GT(outcome.dropped, 0u);
}

TEST(RepackModel, HoldsInACrowd) { expect_sound(crowd); }

TEST(RepackModel, HoldsOverTwoRounds) { expect_sound(two_rounds); }

TEST(RepackModel, HoldsWhereAWriterReliedOnTheOldPack) { expect_sound(moved); }

class EachRepackRule : public testing::TestWithParam<std::pair<Break, Size>> {};

TEST_P(EachRepackRule, IsNeeded) {
  auto outcome = explore(GetParam().second, GetParam().first, all);
  EXPECT_FALSE(outcome.sound) << "all " << outcome.states << " states are sound without it";
}

INSTANTIATE_TEST_SUITE_P(RepackModel, EachRepackRule,
                         testing::Values(std::pair(Break::speaks_for_all, with_writer),
                                         std::pair(Break::no_intent, moved_and_two_collectors),
                                         std::pair(Break::carries_condemned,
                                                   moved_and_two_collectors),
                                         std::pair(Break::both_of_these, with_writer),
                                         std::pair(Break::verdict_over_abort, two_rounds),
                                         std::pair(Break::ledger_once, with_writer),
                                         std::pair(Break::later_moves_ignored, crowd),
                                         std::pair(Break::oldest_stands, crowd),
                                         std::pair(Break::moved_while_unseen, two_collectors),
                                         std::pair(Break::drops_moves_too_early, with_writer),
                                         std::pair(Break::carries_left_behind, moved)));

// In one place either suffices; in a copy packs and verdicts come from elsewhere.
// As far as a minute goes: all of it takes more memory than a test should.
TEST(RepackModel, HoldsWhereTwoCollectorsLookAtThat) {
  auto outcome = explore(moved_and_two_collectors, Break::none, all / 4);
  EXPECT_TRUE(outcome.sound) << outcome.trace;
  EXPECT_GT(outcome.freed, 0u);
}

TEST(RepackModel, ThatNewPacksAreSeenIsASecondGuard) {
  EXPECT_TRUE(explore(two_collectors, Break::verdict_before_packs, all).sound);
  EXPECT_TRUE(explore(two_collectors, Break::unseen_is_enough, all).sound);
}

}  // namespace
}  // namespace lb::repo::repack_model
