#include "storage/state/fact_log.h"

#include <gtest/gtest.h>

#include "storage/state/record_shelf.h"
#include "storage/state/test_world.h"

namespace lb::state {
namespace {

using record::Fact;

// One machine: a journal of its own.
struct Machine {
  explicit Machine(repo::Repository* repository)
      : journal(Journal::open(test.world, test.path).take()),
        log(*journal, repository, "incident") {}
  TestWorld test;
  std::unique_ptr<Journal> journal;
  FactLog log;

  Status say(const std::string& kind, bool far = true, Timestamp at = from_micros(1'800'000'000)) {
    auto known = LB_TRY(log.facts("i1", far));
    Fact fact;
    fact.order = record::next_order(known);
    fact.at = at;
    fact.host = "a";
    fact.kind = kind;
    return log.put("i1", fact);
  }
  std::string kinds(bool far = true) {
    std::string out;
    auto facts = log.facts("i1", far);
    EXPECT_TRUE(facts.ok()) << facts.error().text();
    if (!facts.ok()) return "";
    for (const auto& fact : *facts) out += cat(out.empty() ? "" : " ", fact.kind);
    return out;
  }
};

TEST(FactLog, TwoMachinesShareWhatTheySay) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.say("opened").ok());
  EXPECT_EQ(two.log.members(false).value().size(), 0U);
  EXPECT_EQ(two.log.members(true).value(), std::vector<std::string>{"i1"});
  ASSERT_TRUE(two.say("acknowledged").ok());
  ASSERT_TRUE(one.say("closed").ok());
  EXPECT_EQ(two.kinds(), "opened acknowledged closed");
  EXPECT_EQ(two.kinds(false), "opened acknowledged closed") << "kept here from then on";
  EXPECT_EQ(two.log.members(false).value(), std::vector<std::string>{"i1"});
}

TEST(FactLog, WhatWasSaidApartIsJoined) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.say("opened").ok());
  ASSERT_EQ(two.kinds(), "opened");
  shelf.put_fails = ErrorKind::unavailable;
  ASSERT_TRUE(one.say("noted").ok());
  EXPECT_NE(one.log.behind(), "");
  ASSERT_TRUE(two.say("acknowledged").ok());
  EXPECT_EQ(one.kinds(), "opened noted");
  shelf.put_fails.reset();
  EXPECT_EQ(two.kinds(), "opened acknowledged");  // sends its own
  EXPECT_EQ(one.log.facts("i1", true).value().size(), 3U);
  const auto joined = one.kinds();
  EXPECT_EQ(one.kinds(false), joined);
  EXPECT_EQ(two.kinds(), joined);
  EXPECT_EQ(one.log.behind(), "");
}

TEST(FactLog, AMemberOpenedWithoutTheRepositoryArrivesThere) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  shelf.put_fails = ErrorKind::timeout;
  ASSERT_TRUE(one.say("opened").ok());
  shelf.put_fails.reset();
  EXPECT_EQ(two.log.members(true).value().size(), 0U);
  EXPECT_EQ(one.kinds(), "opened");
  EXPECT_EQ(two.log.members(true).value().size(), 1U);
  EXPECT_EQ(two.kinds(), "opened");
}

TEST(FactLog, AnAnswerFollowsWhatItAnswersWhateverTheClocksSay) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.say("opened", true, from_micros(9'000'000'000)).ok());
  ASSERT_TRUE(two.say("acknowledged", true, from_micros(1'000'000)).ok());
  EXPECT_EQ(one.kinds(), "opened acknowledged");
}

TEST(FactLog, IsNoActThatWasInterrupted) {
  Machine one(nullptr);
  ASSERT_TRUE(one.say("opened").ok());
  auto interrupted = one.journal->interrupted();
  ASSERT_TRUE(interrupted.ok());
  EXPECT_EQ(interrupted->size(), 0U);
  EXPECT_EQ(one.log.members(true).value().size(), 1U);
}

TEST(FactLog, AClaimIsOfWhoCameFirst) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf), alone(nullptr);
  EXPECT_EQ(one.log.claim("i1", "P0.1.1", "one").value(), "one");
  EXPECT_EQ(two.log.claim("i1", "P0.1.1", "two").value(), "one");
  EXPECT_EQ(one.log.claim("i1", "P0.1.1", "one").value(), "one");
  EXPECT_FALSE(alone.log.claim("i1", "P0.1.1", "alone").ok());
  EXPECT_EQ(one.kinds(), "") << "a claim is no fact";
}

TEST(FactLog, DamageIsSaid) {
  RecordShelf shelf;
  Machine one(&shelf);
  shelf.held[{"incident.i1", "x"}] = Buffer{'{', '}'};
  auto facts = one.log.facts("i1", true);
  ASSERT_FALSE(facts.ok());
  EXPECT_EQ(facts.error().kind(), ErrorKind::corrupt);
  EXPECT_NE(facts.error().text().find("incident i1"), std::string::npos) << facts.error().text();
}

}  // namespace
}  // namespace lb::state
