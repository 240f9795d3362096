#include "app/cli/follow_watch.h"

#include <gtest/gtest.h>

namespace lb::cli {
namespace {

plan::Store the_store() {
  plan::Store out;
  out.name = "db";
  out.spool = "/spool";
  out.spool_bytes_max = 1000;
  return out;
}

pg::StreamStatus durable(pg::Lsn stored, pg::Lsn acknowledged) {
  pg::StreamStatus out;
  out.durable = stored;
  out.acknowledged = acknowledged;
  out.slot = "lifeboat_db";
  out.slot_state = "reserved";
  return out;
}

class FollowWatchTest : public testing::Test {
 protected:
  std::optional<bool> wrong(const std::string& event, Micros at = Micros(0)) {
    for (const auto& finding : watch.findings(at)) {
      if (finding.event == event) return finding.wrong;
    }
    return std::nullopt;
  }
  plan::Store store = the_store();
  FollowWatch watch{store, "h1"};
};

TEST_F(FollowWatchTest, SaysNothingBeforeAnythingIsKnown) {
  EXPECT_TRUE(watch.findings(Micros(0)).empty());
}

TEST_F(FollowWatchTest, ATroubleThatPassesIsNoNews) {
  watch.status(durable(100, 100));
  EXPECT_EQ(wrong("log failing"), false);
  watch.trouble("connection lost", Seconds(10));
  EXPECT_EQ(wrong("log failing", Seconds(20)), std::nullopt) << "nobody can tell yet";
  EXPECT_FALSE(watch.in_doubt(Seconds(20)));
  watch.status(durable(200, 200));
  EXPECT_FALSE(watch.in_doubt(Seconds(100)));
  EXPECT_EQ(wrong("log failing", Seconds(100)), false);
}

TEST_F(FollowWatchTest, OneThatLastsIsToldWithItsReason) {
  watch.trouble("connection refused", Seconds(10));
  watch.trouble("connection still refused", Seconds(30));
  const auto at = Seconds(10) + trouble_lasts;
  EXPECT_TRUE(watch.in_doubt(at)) << "counted from the first";
  const auto findings = watch.findings(at);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(findings[0].wrong);
  EXPECT_NE(findings[0].text.find("still refused"), std::string::npos);
  watch.connected();  // nobody writes, that is all
  EXPECT_FALSE(watch.in_doubt(at));
}

TEST_F(FollowWatchTest, AStreamThatEndedIsToldAtOnceUnlessItWasStopped) {
  watch.status(durable(100, 100));
  watch.ended(Status());
  watch.ended(Error(ErrorKind::cancelled, "stopped"));
  EXPECT_EQ(wrong("log failing"), false);
  watch.ended(Error(ErrorKind::not_found, "slot lifeboat_db is lost"));
  EXPECT_EQ(wrong("log failing"), true);
}

TEST_F(FollowWatchTest, AHoleAndASlotAtItsLimit) {
  auto status = durable(100, 100);
  watch.status(status);
  EXPECT_EQ(wrong("log gap"), std::nullopt) << "of older ones it knows nothing";
  EXPECT_EQ(wrong("log filling"), false);
  status.gap = "0/3000000 to 0/9000000";
  status.slot_state = "unreserved";
  watch.status(status);
  EXPECT_EQ(wrong("log gap"), true);
  EXPECT_EQ(wrong("log filling"), true);
}

TEST_F(FollowWatchTest, ASpoolThatFills) {
  watch.status(durable(5000, 5700));
  EXPECT_EQ(wrong("spool filling"), false);
  watch.status(durable(5000, 5900));
  EXPECT_EQ(wrong("spool filling"), true);
  watch.status(durable(5900, 5900));
  EXPECT_EQ(wrong("spool filling"), false);
}

}  // namespace
}  // namespace lb::cli
