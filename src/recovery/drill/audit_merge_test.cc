// The records of moments become one record, and that one is judged.
#include "recovery/drill/audit_merge.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/base/text.h"

#include "recovery/drill/verdict.h"

namespace lb::drill {
namespace {

using record::CheckState;
using record::DrillRecord;
using record::Verdict;

Timestamp at(int seconds) { return from_micros(1'768'000'000'000'000 + seconds * 1'000'000LL); }

DrillRecord sample(int begins, CheckState state = CheckState::pass) {
  DrillRecord out;
  out.started = at(begins);
  out.ended = at(begins + 5);
  out.measured_rto = Micros(Seconds(4 + begins));
  out.cleaned_up = true;
  out.isolation.blocked_count = 1;
  record::StoreResult store;
  store.store = "db";
  store.kind = "postgres";
  store.point = "base";
  store.reached = at(begins - 1);
  store.next_commit = at(begins + 3);
  store.measured_rpo = Micros(1);
  out.stores = {store};
  out.stages = {{"replay", "db", at(begins), Micros(7), 99, true, ""}};
  record::CheckResult check;
  check.suite = "data";
  check.name = "rows";
  check.store = "db";
  check.state = state;
  check.got = "12 of 12 tables";
  check.reason = state == CheckState::pass ? "" : "people has 99 rows instead of 100";
  check.examined = 12;
  check.took = Micros(10);
  out.checks = {check};
  judge(out, {});
  return out;
}

DrillRecord unreachable(const std::string& why) {
  DrillRecord out;
  out.started = out.ended = at(0);
  out.cleaned_up = true;
  Ending ending;
  ending.error = Error(ErrorKind::not_found, why).with_exit(ExitCode::point_unreachable);
  ending.stage = "choose";
  judge(out, ending);
  return out;
}

DrillRecord lacking(const std::string& what) {
  auto out = unreachable(what);
  Ending ending{Error(ErrorKind::unsupported, what), "preflight", true};
  out.findings.clear();
  judge(out, ending);
  return out;
}

class Audited {
 public:
  Audited() {
    record.cleaned_up = true;
    record.audit.emplace().to = at(1000);
  }
  Audited& add(DrillRecord one, int moment) {
    merge_.add(std::move(one), at(moment));
    return *this;
  }
  DrillRecord& judged(const std::vector<record::AuditGap>& gaps = {}, const Ending& ending = {}) {
    merge_.finish(gaps);
    judge(record, ending);
    return record;
  }
  DrillRecord record;

 private:
  AuditMerge merge_{record};
};

TEST(Audit, PassesWhenEveryMomentDid) {
  Audited audit;
  auto& record = audit.add(sample(10), 11).add(sample(20), 21).judged();
  EXPECT_EQ(record.verdict, Verdict::pass) << record.reason;
  EXPECT_TRUE(record.findings.empty() || record.findings[0].severity == "note");
  ASSERT_EQ(record.audit->moments.size(), 2u);
  const auto& moment = record.audit->moments[0];
  EXPECT_EQ(moment.moment, at(11));
  EXPECT_EQ(moment.stores.at(0).replay, Micros(7));
  EXPECT_EQ(moment.stores.at(0).log_bytes, 99u);
  EXPECT_EQ(moment.stores.at(0).next_commit, at(13));
  EXPECT_EQ(record.measured_rto, record.audit->moments[1].measured_rto) << "the slowest";
  EXPECT_FALSE(record.measured_rpo.has_value()) << "a lag is no loss";
  EXPECT_FALSE(record.stores.at(0).measured_rpo.has_value());
  EXPECT_EQ(record.isolation.blocked_count, 2u);
}

TEST(Audit, EachCheckStandsOnceOverAllMoments) {
  Audited audit;
  auto& record = audit.add(sample(10), 11).add(sample(20), 21).add(sample(30), 31).judged();
  ASSERT_EQ(record.checks.size(), 1u);
  EXPECT_EQ(record.checks[0].examined, 36u);
  EXPECT_EQ(record.checks[0].took, Micros(30));
  EXPECT_EQ(record.checks[0].got, "right at 3 of 3 moments");
}

TEST(Audit, OneFailedCheckFailsItAndNamesTheMoment) {
  Audited audit;
  auto& record =
      audit.add(sample(10), 11).add(sample(20, CheckState::fail), 21).add(sample(30), 31).judged();
  EXPECT_EQ(record.verdict, Verdict::fail);
  EXPECT_NE(record.reason.find("1 of 3 moments failed"), std::string::npos) << record.reason;
  EXPECT_NE(record.reason.find(format_time(at(21))), std::string::npos) << record.reason;
  EXPECT_NE(record.reason.find("rows: people has 99 rows"), std::string::npos) << record.reason;
  ASSERT_EQ(record.checks.size(), 1u);
  EXPECT_EQ(record.checks[0].state, CheckState::fail);
  EXPECT_EQ(record.checks[0].reason,
            cat("at ", format_time(at(21)), ": people has 99 rows instead of 100"));
}

TEST(Audit, AMomentInAHoleFailsItAndNamesTheHole) {
  Audited audit;
  auto& record = audit.add(sample(10), 11)
                     .add(unreachable("WAL 000000010000000000000007 is missing"), 50)
                     .judged({{at(40), at(60), "db cannot go there"},
                              {at(200), at(300), "this one was reached all the same"}});
  EXPECT_EQ(record.verdict, Verdict::fail);
  EXPECT_NE(record.reason.find("000000010000000000000007"), std::string::npos) << record.reason;
  ASSERT_EQ(record.audit->gaps.size(), 1u) << "only those in which a moment was tried in vain";
  ASSERT_FALSE(record.findings.empty());
  EXPECT_NE(record.findings[0].text.find("db cannot go there (choose: WAL 00000001"),
            std::string::npos)
      << record.findings[0].text;
  auto failures = std::count_if(record.findings.begin(), record.findings.end(),
                                [](auto& finding) { return finding.severity == "failure"; });
  EXPECT_EQ(failures, 1) << "told once, not for every moment in it";
}

TEST(Audit, WhatTheSandboxLacksDecidesNothing) {
  Audited audit;
  auto& record = audit.add(lacking("extension vector is not installed here"), 11)
                     .add(lacking("extension vector is not installed here"), 21)
                     .judged();
  EXPECT_EQ(record.verdict, Verdict::inconclusive);
  EXPECT_NE(record.reason.find("vector"), std::string::npos);
  std::size_t told = 0;
  for (const auto& finding : record.findings)
    told += finding.text.find("vector") != std::string::npos ? 1u : 0u;
  EXPECT_EQ(told, 1u) << "one cause is told once";
}

TEST(Audit, AFailureOutweighsWhatIsUndecidedAndAStop) {
  Audited audit;
  audit.add(lacking("no room"), 11).add(unreachable("a hole"), 21);
  Ending stopped{Error(ErrorKind::cancelled, "stopped after 2 of 9 moments"), "audit", true};
  EXPECT_EQ(audit.judged({}, stopped).verdict, Verdict::fail);
  Audited other;
  other.add(sample(10), 11);
  EXPECT_EQ(other.judged({}, stopped).verdict, Verdict::inconclusive) << "a part is no pass";
}

TEST(Audit, NothingTriedIsNeverAPass) {
  Audited audit;
  EXPECT_EQ(audit.judged().verdict, Verdict::fail);
}

TEST(Audit, WhatOneMomentLeftBehindIsTold) {
  Audited audit;
  auto dirty = sample(10);
  dirty.cleaned_up = false;
  EXPECT_FALSE(audit.add(std::move(dirty), 11).add(sample(20), 21).judged().cleaned_up);
}

}  // namespace
}  // namespace lb::drill
