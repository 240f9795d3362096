#include "model/record/drill_record.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"

namespace lb::record {
namespace {

Timestamp at(std::int64_t seconds) {
  return from_micros(1'768'269'600'000'123 + seconds * 1'000'000);
}

CheckResult full_check() {
  CheckResult check;
  check.suite = "db";
  check.name = "orphaned jobs";
  check.kind = "sql";
  check.store = "db";
  check.state = CheckState::fail;
  check.expected = "0";
  check.got = "3";
  check.reason = "3 rows without a user";
  check.evidence = {"id=7", "id=\"8\" <b>"};
  check.examined = 1'000'000'007;
  check.newest = at(5);
  check.critical = true;
  check.started = at(6);
  check.took = Micros(1234567);
  check.place = "lifeboat.yaml:31:7";
  return check;
}

Stage full_stage() {
  Stage stage;
  stage.name = "restore db";
  stage.store = "db";
  stage.started = at(1);
  stage.took = Micros(42);
  stage.bytes = 1ull << 52;
  stage.ok = false;
  stage.note = "interrupted";
  return stage;
}

StoreResult full_store() {
  StoreResult store;
  store.store = "db";
  store.kind = "postgres";
  store.point = "01jh";
  store.point_taken = at(-100);
  store.next_commit = at(8);
  store.reached = at(-3);
  store.reached_note = "commit at LSN 0/5A3F28 on timeline 1";
  store.measured_rpo = Micros(3'000'000);
  store.measured_restore = Micros(9'000'000);
  store.target_rpo = Micros(1);
  store.target_rto = Micros(2);
  store.goal = Micros(3);
  store.worst_case_loss = Micros(4);
  store.bytes = 5;
  store.items = 6;
  store.checks_passed = 7;
  store.checks_total = 8;
  store.rpo_met = false;
  return store;
}

PitrAudit full_audit() {
  MomentStore store{
      "db", "postgres", "01jh0000000000000000000001", at(1), at(2), at(3), "LSN 0/1", Micros(4), 5};
  AuditedMoment moment{at(6), Verdict::fail, "gone", at(7), Micros(8), Micros(9), 10, 11, {store}};
  return {Micros(12), at(13), at(14), 15, 16, {{at(17), at(18), "a hole"}}, {moment}};
}

DrillRecord full_record() {
  DrillRecord record;
  record.id = "01jh0000000000000000000000";
  record.system = "content-crew";
  record.drill = "full";
  record.started_by = "schedule";
  record.host = "db1";
  record.version = "0.1.0";
  record.plan_file = "lifeboat.yaml";
  record.plan_fingerprint = "sha256:ab";
  record.repository = "directory /srv/backups";
  record.started = at(0);
  record.ended = at(60);
  record.loss_moment = at(-1);
  record.loss_note = "given with --lost-at";
  record.target = "sandbox";
  record.point_wanted = "latest";
  record.verdict = Verdict::fail;
  record.reason = "1 check failed";
  record.stores = {full_store()};
  record.stages = {full_stage()};
  record.checks = {full_check()};
  record.isolation = {{"network namespace"}, 2, {"10.1.2.3:443 tcp"}, "nft counters"};
  record.measured_rpo = Micros(11);
  record.measured_rto = Micros(12);
  record.target_rpo = Micros(13);
  record.target_rto = Micros(14);
  record.goal = Micros(15);
  record.rto_clock = "alarm to the last check";
  record.rpo_clock = "newest row to the moment of loss";
  record.findings = {{"failure", "orphaned jobs", "find the writer"}};
  record.audit = full_audit();
  record.runbook = "db-loss";
  record.steps = {{3, "stop the api", "Before", "dba", "held", "held", Micros(16), Micros(17)}};
  record.roles = {{"dba", "does", {3}, {"eve (dba)"}}};
  record.decisions = {{2, "lead", "approved", "ada (lead)", "go", at(60), {"point: p1"}}};
  record.tasks = {{"find out why", "dba", at(90)}};
  record.deviations = {"step 4 was left out"};
  record.next_due = at(86400);
  record.journal = {"intent", "outcome"};
  record.cleaned_up = true;
  return record;
}

// Every value of `full` must differ from its default: else the round trip would prove nothing for
// it.
void expect_all_differ(const Json& full, const Json& plain) {
  for (const auto& [name, value] : full.members()) {
    if (name == "schema") continue;
    EXPECT_NE(value, plain[name]) << name << " has its default in the test record";
  }
}

TEST(DrillRecord, EveryMemberOfTheStructuresIsEncoded) {
  // A member added to a structure stops this from compiling until it is counted and encoded.
  const auto check = full_check();
  [[maybe_unused]] const auto& [c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15] =
      check;
  const auto stage = full_stage();
  [[maybe_unused]] const auto& [s1, s2, s3, s4, s5, s6, s7] = stage;
  const auto store = full_store();
  [[maybe_unused]] const auto& [t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15,
                                t16, t17, t18] = store;
  const auto record = full_record();
  [[maybe_unused]] const auto& [r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15,
                                r16, r17, r18, r19, r20, r21, r22, r23, r24, r25, r26, r27, r28,
                                r29, r30, r31, r32, r33, r34, r35, r36, r37, r38, r39, r40] =
      record;
  [[maybe_unused]] const auto& [d1, d2, d3, d4, d5, d6, d7, d8] = record.steps.at(0);
  [[maybe_unused]] const auto& [p1, p2, p3, p4] = record.roles.at(0);
  [[maybe_unused]] const auto& [q1, q2, q3, q4, q5, q6, q7] = record.decisions.at(0);
  [[maybe_unused]] const auto& [w1, w2, w3] = record.tasks.at(0);
  const auto audit = full_audit();
  [[maybe_unused]] const auto& [a1, a2, a3, a4, a5, a6, a7] = audit;
  [[maybe_unused]] const auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9] = audit.moments.at(0);
  [[maybe_unused]] const auto& [n1, n2, n3, n4, n5, n6, n7, n8, n9] =
      audit.moments.at(0).stores.at(0);
  const Json json = encode(record);
  EXPECT_EQ(json.members().size(), 40u);  // `schema` is the number's text form
  EXPECT_EQ(json["checks"].items().at(0).members().size(), 15u);
  EXPECT_EQ(json["stages"].items().at(0).members().size(), 7u);
  EXPECT_EQ(json["stores"].items().at(0).members().size(), 18u);
  EXPECT_EQ(json["steps"].items().at(0).members().size(), 8u);
  EXPECT_EQ(json["roles"].items().at(0).members().size(), 4u);
  EXPECT_EQ(json["decisions"].items().at(0).members().size(), 7u);
  EXPECT_EQ(json["tasks"].items().at(0).members().size(), 3u);
  EXPECT_EQ(json["audit"].members().size(), 7u);
  [[maybe_unused]] const auto& [g1, g2, g3] = audit.gaps.at(0);
  EXPECT_EQ(json["audit"]["gaps"].items().at(0).members().size(), 3u);
  const auto& moment = json["audit"]["moments"].items().at(0);
  EXPECT_EQ(moment.members().size(), 9u);
  EXPECT_EQ(moment["stores"].items().at(0).members().size(), 9u);
  EXPECT_EQ(json["isolation"].members().size(), 4u);
  EXPECT_EQ(json["findings"].items().at(0).members().size(), 3u);
}

TEST(DrillRecord, EveryFieldSurvivesTheRoundTripThroughText) {
  const Json json = encode(full_record());
  expect_all_differ(json, encode(DrillRecord{}));
  DrillRecord plain;
  plain.checks.emplace_back();
  plain.stages.emplace_back();
  plain.stores.emplace_back();
  for (const char* list : {"checks", "stages", "stores"}) {
    expect_all_differ(json[list].items().at(0), encode(plain)[list].items().at(0));
  }
  plain.audit.emplace().moments.emplace_back().stores.emplace_back();
  plain.audit->gaps.emplace_back();
  const Json audit = encode(plain)["audit"];
  expect_all_differ(json["audit"], audit);
  expect_all_differ(json["audit"]["gaps"].items().at(0), audit["gaps"].items().at(0));
  const auto& moment = json["audit"]["moments"].items().at(0);
  expect_all_differ(moment, audit["moments"].items().at(0));
  expect_all_differ(moment["stores"].items().at(0),
                    audit["moments"].items().at(0)["stores"].items().at(0));
  auto parsed = parse_json(json.dump());
  ASSERT_TRUE(parsed.ok()) << parsed.error().text();
  auto back = decode_drill(*parsed);
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(encode(*back), json);
  EXPECT_EQ(back->checks.at(0).newest, at(5));
  EXPECT_EQ(back->stores.at(0).measured_rpo, Micros(3'000'000));
  EXPECT_EQ(back->verdict, Verdict::fail);
  EXPECT_FALSE(back->stages.at(0).ok);
}

// What was signed of a record is over its bytes: one that says nothing of people must be written as
// it was before records could.
TEST(DrillRecord, WhatCameLaterIsNotWrittenWhereItIsNotSaid) {
  DrillRecord record = full_record();
  record.roles.clear();
  record.decisions.clear();
  record.tasks.clear();
  record.steps.at(0).predicted.reset();
  const Json json = encode(record);
  EXPECT_EQ(json.members().size(), 37u);
  EXPECT_EQ(json["steps"].items().at(0).members().size(), 7u);
}

TEST(DrillRecord, AbsentValuesStayAbsent) {
  auto back = decode_drill(encode(DrillRecord{}));
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_FALSE(back->measured_rpo.has_value());
  EXPECT_FALSE(back->next_due.has_value());
  EXPECT_TRUE(back->stores.empty());
  EXPECT_EQ(back->verdict, Verdict::inconclusive);
}

TEST(DrillRecord, MembersOfALaterVersionAreIgnoredAndMissingOnesKeepDefaults) {
  auto parsed = parse_json(R"({"schema":"lifeboat.drill/1","id":"x","system":"s","drill":"d",
    "verdict":"PASS","started":"2026-01-13T02:00:00Z","ended":"2026-01-13T02:01:00Z",
    "colour":"later","checks":[{"name":"n","state":"pass","mood":1}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.error().text();
  auto back = decode_drill(*parsed);
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(back->rto_clock, "start of the drill to the last check");
  EXPECT_EQ(back->checks.at(0).state, CheckState::pass);
}

void expect_refused(const std::string& member, Json value, const std::string& named) {
  Json json = encode(full_record());
  json.set(member, std::move(value));
  auto back = decode_drill(json);
  ASSERT_FALSE(back.ok()) << member;
  EXPECT_EQ(back.error().kind(), ErrorKind::corrupt);
  EXPECT_NE(back.error().text().find(named), std::string::npos) << back.error().text();
}

TEST(DrillRecord, WrongDocumentsAreCorruptAndTheErrorNamesThePlace) {
  expect_refused("schema", "lifeboat.drill/2", "lifeboat.drill/1");
  expect_refused("schema", Json(), "schema");
  expect_refused("verdict", "MAYBE", "verdict: unknown value \"MAYBE\"");
  expect_refused("verdict", 1, "verdict");
  expect_refused("started", "yesterday", "started: a time");
  expect_refused("measured_rpo_us", 1.5, "measured_rpo_us");
  expect_refused("stores", "db", "stores: a list");
  expect_refused("cleaned_up", "yes", "cleaned_up");
  expect_refused("id", 7, "id: text expected");
  Json stage = Json::object();
  stage.set("name", "choose").set("bytes", -1);
  expect_refused("stages", Json::array().push(stage), "stages: [0]: bytes");
  expect_refused("checks", Json::array().push(Json::object()), "checks: [0]: name is missing");
  EXPECT_FALSE(decode_drill(Json("text")).ok());
  EXPECT_FALSE(decode_drill(Json()).ok());
}

TEST(DrillRecord, NamesAreThoseOfTheReports) {
  EXPECT_EQ(name_of(Verdict::pass), "PASS");
  EXPECT_EQ(name_of(Verdict::fail), "FAIL");
  EXPECT_EQ(name_of(Verdict::inconclusive), "INCONCLUSIVE");
  EXPECT_EQ(name_of(CheckState::error), "error");
  EXPECT_EQ(name_of(CheckState::skipped), "skipped");
}

}  // namespace
}  // namespace lb::record
