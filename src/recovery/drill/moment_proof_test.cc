#include "recovery/drill/moment_proof.h"

#include <gtest/gtest.h>

namespace lb::drill {
namespace {

using record::CheckState;

Timestamp at(int seconds) { return from_micros(1'768'000'000'000'000 + seconds * 1'000'000LL); }

// The copy stands at the commit of second 9, the next commit in the log is of second 12.
MomentEvidence good() {
  MomentEvidence evidence;
  evidence.moment = at(10);
  evidence.base_taken = at(0);
  evidence.reached = {0x1000, 1, at(9), Micros(5), 100};
  evidence.next = pg::Commit{77, 0x1000, 0x1040, at(12), false};
  evidence.log_until = at(100);
  return evidence;
}

void expect_refused(const MomentEvidence& evidence, const std::string& why) {
  auto result = judge_moment(evidence);
  EXPECT_EQ(result.state, CheckState::fail);
  EXPECT_NE(result.reason.find(why), std::string::npos) << result.reason;
}

TEST(MomentProof, StandsBetweenTwoCommits) {
  auto result = judge_moment(good());
  EXPECT_EQ(result.state, CheckState::pass) << result.reason;
  EXPECT_EQ(result.examined, 1u);
  auto same_second = good();
  same_second.reached.last_commit = same_second.moment;
  EXPECT_EQ(judge_moment(same_second).state, CheckState::pass) << "at or before";
}

TEST(MomentProof, ACommitTooFewIsFound) {
  auto evidence = good();
  evidence.next->time = evidence.moment;
  expect_refused(evidence, "lacks transaction 77");
  evidence.next->time = at(10) + Micros(1);
  EXPECT_EQ(judge_moment(evidence).state, CheckState::pass);
}

TEST(MomentProof, ACommitTooManyIsFound) {
  auto evidence = good();
  evidence.reached.last_commit = at(10) + Micros(1);
  expect_refused(evidence, "holds a commit of");
}

TEST(MomentProof, ABaseOfLaterIsFound) {
  auto evidence = good();
  evidence.base_taken = at(11);
  expect_refused(evidence, "the base is of");
}

TEST(MomentProof, WithoutANextCommitTheLogMustReachTheMoment) {
  auto evidence = good();
  evidence.next.reset();
  EXPECT_EQ(judge_moment(evidence).state, CheckState::pass);
  evidence.log_until = at(9);
  expect_refused(evidence, "the log ends before");
  evidence.log_until.reset();
  expect_refused(evidence, "the log ends before");
}

TEST(MomentProof, ABaseWithoutALaterCommitMayBeRight) {
  auto evidence = good();
  evidence.reached.last_commit.reset();
  EXPECT_EQ(judge_moment(evidence).state, CheckState::pass);
  evidence.next->time = at(5);
  expect_refused(evidence, "lacks transaction 77");
}

}  // namespace
}  // namespace lb::drill
