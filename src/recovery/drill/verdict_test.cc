#include "recovery/drill/verdict.h"

#include <gtest/gtest.h>

namespace lb::drill {
namespace {

using record::CheckState;
using record::Verdict;

const Timestamp start = parse_time("2026-01-13T02:00:00Z").take();

// A drill that would pass: one store, one check, everything inside its objectives.
record::DrillRecord good() {
  record::DrillRecord record;
  record.started = start;
  record.loss_moment = start;
  record.cleaned_up = true;
  record.target_rto = Seconds(600);
  record::StoreResult store;
  store.store = "db";
  store.reached = start - Seconds(2);
  store.target_rpo = Seconds(60);
  record.stores.push_back(store);
  record::CheckResult check;
  check.suite = "db";
  check.name = "tables";
  check.state = CheckState::pass;
  check.examined = 3;
  check.started = start + Seconds(10);
  check.took = Seconds(5);
  record.checks.push_back(check);
  return record;
}

TEST(Verdict, PassMeasuresLossAndTime) {
  auto record = good();
  judge(record, {});
  EXPECT_EQ(record.verdict, Verdict::pass) << record.reason;
  EXPECT_EQ(record.measured_rpo, Micros(Seconds(2)));
  EXPECT_EQ(record.measured_rto, Micros(Seconds(15)));
  EXPECT_TRUE(record.findings.empty());
}

TEST(Verdict, AFailedCheckFails) {
  auto record = good();
  record.checks[0].state = CheckState::fail;
  record.checks[0].reason = "2 tables missing";
  judge(record, {});
  EXPECT_EQ(record.verdict, Verdict::fail);
  EXPECT_EQ(record.reason, "1 failed of 1 checks");
  ASSERT_EQ(record.findings.size(), 1u);
  EXPECT_EQ(record.findings[0].severity, "failure");
}

TEST(Verdict, ErrorIsNeverPass) {
  auto record = good();
  record.checks.push_back(record.checks[0]);
  record.checks[1].state = CheckState::error;
  judge(record, {});
  EXPECT_EQ(record.verdict, Verdict::inconclusive);
}

TEST(Verdict, NothingExaminedIsNeverPass) {
  auto record = good();
  record.checks.clear();
  judge(record, {});
  EXPECT_EQ(record.verdict, Verdict::fail);
  EXPECT_FALSE(record.measured_rto.has_value());
  auto skipped = good();
  skipped.checks[0].state = CheckState::skipped;
  judge(skipped, {});
  EXPECT_EQ(skipped.verdict, Verdict::fail);
}

TEST(Verdict, MissedObjectivesFailAndNearOnesWarn) {
  auto late = good();
  late.stores[0].reached = start - Seconds(61);
  judge(late, {});
  EXPECT_EQ(late.verdict, Verdict::fail);
  EXPECT_FALSE(late.stores[0].rpo_met);

  auto slow = good();
  slow.target_rto = Seconds(14);
  judge(slow, {});
  EXPECT_EQ(slow.verdict, Verdict::fail);

  auto close = good();
  close.stores[0].reached = start - Seconds(50);
  judge(close, {});
  EXPECT_EQ(close.verdict, Verdict::pass);
  ASSERT_EQ(close.findings.size(), 1u);
  EXPECT_EQ(close.findings[0].severity, "warning");

  auto unmeasured = good();
  unmeasured.stores[0].reached.reset();
  judge(unmeasured, {});
  EXPECT_EQ(unmeasured.verdict, Verdict::fail) << "an objective that was not measured is not met";
}

TEST(Verdict, TheBackupAndThePlaceAreToldApart) {
  struct Case {
    Error error;
    bool sandbox_lacks;
    Verdict verdict;
  };
  const std::vector<Case> cases = {
      {Error(ErrorKind::corrupt, "frame does not authenticate"), false, Verdict::fail},
      {Error(ErrorKind::not_found, "beyond the log").with_exit(ExitCode::point_unreachable), false,
       Verdict::fail},
      {Error(ErrorKind::corrupt, "pack is gone"), true, Verdict::fail},
      {Error(ErrorKind::exhausted, "no space"), false, Verdict::inconclusive},
      {Error(ErrorKind::unsupported, "no namespaces"), true, Verdict::inconclusive},
      {Error(ErrorKind::unavailable, "service ended"), false, Verdict::fail},
      {Error(ErrorKind::unavailable, "cgroup"), true, Verdict::inconclusive},
      {Error(ErrorKind::cancelled, "stopped"), false, Verdict::inconclusive},
  };
  for (const auto& each : cases) {
    auto record = good();
    record.checks.clear();
    judge(record, {each.error, "restore", each.sandbox_lacks});
    EXPECT_EQ(record.verdict, each.verdict) << each.error.text();
    EXPECT_NE(record.reason.find(each.error.text()), std::string::npos);
    ASSERT_FALSE(record.findings.empty());
    EXPECT_FALSE(record.findings[0].recommendation.empty());
  }
}

}  // namespace
}  // namespace lb::drill
