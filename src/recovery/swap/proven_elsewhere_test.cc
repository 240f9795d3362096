#include "recovery/swap/proven_elsewhere.h"

#include <gtest/gtest.h>

namespace lb::swap {
namespace {

Timestamp at(const char* text) { return parse_time(text).take(); }
const Timestamp now = at("2026-01-13T12:00:00Z");
const Timestamp commit = at("2026-01-12T02:14:00Z");

record::DrillRecord drill() {
  record::DrillRecord out;
  out.id = "06FQ0DR1";
  out.target = "emulator";
  out.ended = at("2026-01-12T12:00:00Z");
  out.verdict = record::Verdict::pass;
  record::StoreResult store;
  store.store = "db";
  store.point = "06FQ0KZ4";
  store.reached = commit;
  store.checks_passed = store.checks_total = 3;
  out.stores = {store};
  return out;
}
WantedProof wanted() { return {"db", "06FQ0KZ4", commit, "emulator", std::chrono::hours(72)}; }
std::string reason(const std::vector<record::DrillRecord>& drills) {
  auto proof = proven_elsewhere(drills, wanted(), now);
  EXPECT_EQ(proof.proven, proof.reason.empty());
  return proof.reason;
}

TEST(ProvenElsewhere, ByADrillThatPassedThere) {
  auto proof = proven_elsewhere({drill()}, wanted(), now);
  EXPECT_TRUE(proof.proven) << proof.reason;
  EXPECT_EQ(proof.drill, "06FQ0DR1");
  EXPECT_EQ(proof.ended, drill().ended);
}

TEST(ProvenElsewhere, EachThingThatIsMissingIsNamed) {
  EXPECT_EQ(reason({}), "no drill has restored db in emulator");
  auto other = drill();
  other.target = "sandbox";
  EXPECT_EQ(reason({other}), "no drill has restored db in emulator");
  other = drill();
  other.stores[0].point = "06FQ0AAA";
  EXPECT_EQ(reason({other}),
            "point 06FQ0KZ4 was not restored there: drill 06FQ0DR1 of"
            " 2026-01-12T12:00:00Z took another one");
  other = drill();
  other.stores[0].reached = commit + Seconds(1);
  EXPECT_NE(reason({other}).find("to another moment"), std::string::npos);
  for (auto verdict : {record::Verdict::fail, record::Verdict::inconclusive}) {
    other = drill();
    other.verdict = verdict;
    other.reason = "balances differ";
    EXPECT_NE(reason({other}).find("did not pass: balances differ"), std::string::npos);
  }
  other = drill();
  other.stores[0].checks_passed = 0;
  EXPECT_NE(reason({other}).find("checked nothing of db"), std::string::npos);
  other = drill();
  other.ended = now - std::chrono::hours(73);
  EXPECT_NE(reason({other}).find("not of the last"), std::string::npos);
  other.ended = now + Seconds(1);
  EXPECT_NE(reason({other}).find("not of the last"), std::string::npos) << "from the future";
}

TEST(ProvenElsewhere, TheNearestMissIsTheReason) {
  auto failed = drill(), other = drill();
  failed.verdict = record::Verdict::fail;
  other.stores[0].point = "06FQ0AAA";
  EXPECT_NE(reason({failed, other}).find("did not pass"), std::string::npos);
  EXPECT_NE(reason({other, failed}).find("did not pass"), std::string::npos);
  EXPECT_TRUE(proven_elsewhere({failed, drill(), other}, wanted(), now).proven);
}

TEST(ProvenElsewhere, AMomentOfAnAuditCountsByItself) {
  auto audit = drill();
  audit.verdict = record::Verdict::fail;  // as a whole
  audit.stores.clear();
  record::AuditedMoment good, bad;
  good.verdict = record::Verdict::pass;
  good.checks_passed = 2;
  record::MomentStore store;
  store.store = "db";
  store.point = "06FQ0KZ4";
  store.reached = commit;
  good.stores = {store};
  bad = good;
  bad.verdict = record::Verdict::fail;
  audit.audit.emplace();
  audit.audit->moments = {bad};
  EXPECT_NE(reason({audit}), "");
  audit.audit->moments = {bad, good};
  EXPECT_EQ(reason({audit}), "");
}

}  // namespace
}  // namespace lb::swap
