#include "operations/runbook/judge.h"

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "foundation/crypto/signature.h"
#include "operations/runbook/post_mortem.h"
#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using record::RunInputKind;
using testing::Machine;

constexpr const char* gated = R"(runbooks:
  main:
    steps:
      - gate: {approve: lead, show: [point], expires: 30m}
      - restore: {store: db, to: production}
      - run: after
)";

class Gates : public testing::RunbookTest {
 protected:
  void SetUp() override { use(gated, "main"); }
  Json hash(const Driver& run) {
    return Json::object().set("hash", run.state().at(1).asks["hash"]);
  }
  void approve(const Driver& run, const std::string& user) {
    say(one, user, RunInputKind::approve, "", hash(run), 1);
  }
  void confirm(const std::string& word) {
    say(one, "ada", RunInputKind::confirm, "", Json::object().set("word", word));
  }
  Machine one{&shelf};
};

TEST_F(Gates, TheRequesterDoesNotApproveWhatIsDestroyed) {
  auto run = start(one);
  approve(*run, "ada");
  go(*run);
  EXPECT_NE(last_refusal(one).find("does not approve what it destroys"), std::string::npos);
  auto emergency = hash(*run);
  emergency.set("break_glass", true);
  say(one, "ada", RunInputKind::approve, "nobody answers", emergency, 1);
  go(*run);
  EXPECT_EQ(run->state().at(1).status, StepStatus::asks);
  approve(*run, "bob");
  go(*run);
  EXPECT_EQ(run->state().at(1).status, StepStatus::done);
  EXPECT_EQ(run->state().at(1).by, "bob (lead, team)");
}

// A later gate that may be passed over leaves the decision with this one.
TEST_F(Gates, AGateThatMayBePassedOverGuardsNothingForAnother) {
  const auto guards = [&](const std::string& steps) {
    use(cat("runbooks:\n  main:\n    steps:\n",
            "      - gate: {approve: lead}\n        name: first\n", steps,
            "  inner:\n    steps:\n      - gate: {approve: lead}\n"
            "      - restore: {store: db, to: production}\n"),
        "main");
    return guards_destruction(plan, script, RunState{}, 1);
  };
  const std::string restore = "      - restore: {store: db, to: production}\n";
  const std::string gate = "      - gate: {approve: lead}\n";
  EXPECT_TRUE(guards(restore));
  EXPECT_FALSE(guards(gate + restore));
  EXPECT_TRUE(guards(gate + "        when: it is large\n" + restore));
  EXPECT_TRUE(guards("      - run: try\n        fail: {goto: over}\n" + gate + restore +
                     "        name: over\n"));
  EXPECT_TRUE(
      guards("      - parallel:\n          - gate: {approve: lead}\n"
             "          - restore: {store: db, to: production}\n"));
  EXPECT_FALSE(guards("      - use: inner\n        when: it is bad\n"))
      << "what the use holds for its gate holds for its restore";
}

TEST_F(Gates, OnlyWhoIsNamedDecidesUnlessTheGlassIsBroken) {
  auto run = start(one);
  approve(*run, "eve");
  go(*run);
  EXPECT_NE(last_refusal(one).find("the decision is with lead"), std::string::npos);
  auto emergency = hash(*run);
  emergency.set("break_glass", true);
  say(one, "eve", RunInputKind::approve, "", emergency, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("needs a reason"), std::string::npos);
  say(one, "nobody", RunInputKind::approve, "all are asleep", emergency, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("nobody the plan knows"), std::string::npos);
  say(one, "eve", RunInputKind::approve, "lead is on a plane", emergency, 1);
  go(*run);
  EXPECT_EQ(run->state().at(1).status, StepStatus::done);
  EXPECT_TRUE(run->state().at(1).result["break_glass"].boolean());
  ASSERT_EQ(acts.informed.size(), 1u) << "who should have decided is told, loudly";
  EXPECT_EQ(acts.informed[0].first, "lead");
  EXPECT_NE(acts.informed[0].second.find("GLASS WAS BROKEN"), std::string::npos);
  EXPECT_EQ(acts.alarmed, std::vector<std::string>{"lead"});
  ASSERT_EQ(acts.reviews.size(), 1u) << "and somebody has to look at it afterwards";
  const auto later = follow_ups(plan, script, run->state(), one.log.events("r1").take());
  ASSERT_FALSE(later.empty());
  EXPECT_EQ(later[0].text, acts.reviews[0]) << "the same task, however it is made";
}

TEST_F(Gates, ADecisionIsBoundToWhatWasShown) {
  auto run = start(one);
  auto old = hash(*run);
  acts.facts.set("point", "p2");
  say(one, "bob", RunInputKind::approve, "", old, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("changed since"), std::string::npos);
  EXPECT_NE(run->state().at(1).asks["hash"], old["hash"]) << "it is shown anew";
  say(one, "bob", RunInputKind::approve, "", old, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("shown before"), std::string::npos);
  approve(*run, "bob");
  go(*run);
  EXPECT_EQ(run->state().at(1).status, StepStatus::done);
  // It changes once more before anything is destroyed.
  EXPECT_EQ(run->state().at(2).need, Need::confirmation);
  acts.facts.set("point", "p3");
  confirm("production");
  go(*run);
  EXPECT_EQ(acts.done["restore db to production"], 0);
  EXPECT_EQ(run->state().at(1).status, StepStatus::asks) << "the decision is asked again";
}

TEST_F(Gates, ADecisionEndsWithItsTime) {
  auto run = start(one);
  auto old = hash(*run);
  auto links = acts.invited.size();
  one.clock.advance(std::chrono::minutes(31));
  say(one, "bob", RunInputKind::approve, "", old, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("the time for it ended"), std::string::npos);
  EXPECT_GT(acts.invited.size(), links) << "it is asked anew";
  approve(*run, "bob");
  go(*run);
  EXPECT_EQ(run->state().at(2).need, Need::confirmation);
  one.clock.advance(std::chrono::hours(2));
  confirm("production");
  go(*run);
  EXPECT_EQ(acts.done["restore db to production"], 0);
  EXPECT_EQ(run->state().at(1).status, StepStatus::asks);
}

TEST_F(Gates, ALinkEndsWithTheTimeOfItsQuestion) {
  auto run = start(one);
  auto data = hash(*run);
  data.set("link", acts.invited.at(0).second);
  one.clock.advance(std::chrono::minutes(31));
  say(one, "far", RunInputKind::approve, "", data, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("the time for it ended"), std::string::npos);
  say(one, "far", RunInputKind::approve, "", data, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("is of an earlier question"), std::string::npos);
  EXPECT_EQ(run->state().at(1).status, StepStatus::asks);
}

// A clock that went back would make a decision hold for ever.
TEST_F(Gates, AClockSetBackAsksAnew) {
  for (int minutes : {2, 120}) {
    state::RecordShelf own;
    Machine machine(&own);
    auto run = start(machine);
    say(machine, "bob", RunInputKind::approve, "", hash(*run), 1);
    go(*run);
    ASSERT_EQ(run->state().at(2).need, Need::confirmation);
    machine.clock.set_wall(machine.clock.now() - std::chrono::minutes(minutes));
    say(machine, "ada", RunInputKind::confirm, "", Json::object().set("word", "production"));
    go(*run);
    EXPECT_EQ(run->state().at(1).status, minutes == 2 ? StepStatus::done : StepStatus::asks);
  }
  EXPECT_EQ(acts.done["restore db to production"], 1);
}

TEST_F(Gates, AQuestionThatWasAskedInTimesToComeIsAskedAnew) {
  for (int minutes : {2, 120}) {
    state::RecordShelf own;
    Machine machine(&own);
    auto run = start(machine);
    const auto asked = hash(*run);
    machine.clock.set_wall(machine.clock.now() - std::chrono::minutes(minutes));
    say(machine, "bob", RunInputKind::approve, "", asked, 1);
    go(*run);
    EXPECT_EQ(run->state().at(1).status, minutes == 2 ? StepStatus::done : StepStatus::asks);
    if (minutes == 2) continue;
    EXPECT_NE(last_refusal(machine).find("the clock was set back"), std::string::npos);
    say(machine, "bob", RunInputKind::approve, "", hash(*run), 1);
    go(*run);
    EXPECT_EQ(run->state().at(1).status, StepStatus::done);
  }
}

TEST_F(Gates, TheNameMustBeTyped) {
  auto run = start(one);
  approve(*run, "bob");
  go(*run);
  confirm("prod");
  go(*run);
  EXPECT_NE(last_refusal(one).find("is not production"), std::string::npos);
  EXPECT_EQ(acts.done["restore db to production"], 0);
  confirm("production");
  EXPECT_EQ(go(*run), Driver::End::closed);
  EXPECT_EQ(acts.done["restore db to production"], 1);
}

TEST_F(Gates, NoIsAFailureWithItsReason) {
  auto run = start(one);
  say(one, "bob", RunInputKind::deny, "", hash(*run), 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("needs a reason"), std::string::npos);
  say(one, "bob", RunInputKind::deny, "wait for the provider", hash(*run), 1);
  go(*run);
  EXPECT_EQ(run->state().at(1).status, StepStatus::failed);
  EXPECT_EQ(run->state().at(1).text, "no-go: wait for the provider");
  EXPECT_EQ(acts.done["restore db to production"], 0);
}

TEST_F(Gates, ALinkProvesWhoItWasSentToOnce) {
  auto run = start(one);
  ASSERT_EQ(acts.invited.size(), 1u);
  auto [person, token] = acts.invited[0];
  EXPECT_EQ(person, "lead");
  auto events = one.log.events("r1").take();
  for (const auto& event : events) {
    EXPECT_EQ(record::encode(event).dump().find(token), std::string::npos) << "kept as its digest";
  }
  auto data = hash(*run);
  data.set("link", token + "0");
  say(one, "eve", RunInputKind::approve, "", data, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("was never given out"), std::string::npos);
  data.set("link", token);
  say(one, "ada", RunInputKind::approve, "", data, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("does not approve"), std::string::npos) << "it is her own run";
  say(one, "someone", RunInputKind::approve, "", data, 1);
  go(*run);
  EXPECT_NE(last_refusal(one).find("does not approve"), std::string::npos)
      << "ada is lead too: whose link it is says nothing of a second person";
  Machine other(&shelf);
  auto resumed = driver(other, "eve");
  ASSERT_TRUE(resumed->take_up().ok());
  EXPECT_EQ(resumed->state().requester, "ada (lead, team)");
}

TEST_F(Gates, ALinkEndsWithItsQuestionAndCountsOnce) {
  use(replace_all(gated, "approve: lead", "approve: management"), "main");
  auto run = start(one);
  ASSERT_EQ(acts.invited.size(), 1u);
  const auto by_link = [&](const std::string& token) {
    auto data = hash(*run);
    say(one, "someone", RunInputKind::approve, "", data.set("link", token), 1);
    go(*run);
  };
  const auto first = acts.invited[0].second;
  one.clock.advance(std::chrono::minutes(31));
  by_link(first);
  EXPECT_NE(last_refusal(one).find("the time for it ended"), std::string::npos);
  ASSERT_EQ(acts.invited.size(), 2u) << "it is asked anew, with another link";
  by_link(first);
  EXPECT_NE(last_refusal(one).find("of an earlier question"), std::string::npos);
  EXPECT_EQ(run->state().at(1).status, StepStatus::asks);
  by_link(acts.invited[1].second);
  EXPECT_EQ(run->state().at(1).status, StepStatus::done);
  EXPECT_EQ(run->state().at(1).by, "someone (management)");
  const auto before = one.log.events("r1").take().size();
  by_link(acts.invited[1].second);
  EXPECT_NE(last_refusal(one).find("does not wait for people"), std::string::npos)
      << last_refusal(one);
  EXPECT_GT(one.log.events("r1").take().size(), before);
}

TEST_F(Gates, AKeyProvesItsOwner) {
  Secret seed{ByteView(Buffer(32, 7))};
  auto key = to_hex(signing_public_key_of(seed));
  plan.people.push_back({});
  plan.people.back().name = "boss";
  plan.people.back().key = key;
  plan.people[0].members = {"boss"};  // lead
  auto run = start(one);
  record::RunInput input;
  input.kind = RunInputKind::approve;
  input.user = "root";
  input.host = "far";
  input.step = 1;
  input.at = one.clock.now();
  input.data = hash(*run);
  input.data.set("person", "boss").set("signature", Json());
  auto loose = input;
  loose.data.set("signature", to_hex(sign(seed, view_of(signed_text("r1", loose)))));
  ASSERT_TRUE(one.log.put("r1", "run x", loose).ok());
  go(*run);
  EXPECT_NE(last_refusal(one).find("shown before"), std::string::npos) << "of which question?";
  input.data.set("expires", run->state().at(1).asks["expires"]);
  auto signature = sign(seed, view_of(signed_text("r1", input)));
  auto forged = input;
  forged.data.set("signature",
                  to_hex(sign(Secret{ByteView(Buffer(32, 8))}, view_of(signed_text("r1", input)))));
  ASSERT_TRUE(one.log.put("r1", "run x", forged).ok());
  go(*run);
  EXPECT_NE(last_refusal(one).find("not that of boss"), std::string::npos);
  input.data.set("signature", to_hex(signature));
  ASSERT_TRUE(one.log.put("r1", "run x", input).ok());
  go(*run);
  EXPECT_EQ(run->state().at(1).status, StepStatus::done) << last_refusal(one);
  EXPECT_NE(run->state().at(1).by.find("boss"), std::string::npos);
}

// Whoever may write into the repository must not make a new yes of an old one.
TEST_F(Gates, ASignedYesCountsForItsQuestionAlone) {
  Secret seed{ByteView(Buffer(32, 7))};
  plan.people[0].key = to_hex(signing_public_key_of(seed));  // lead
  auto run = start(one);
  record::RunInput input;
  input.kind = RunInputKind::approve;
  input.user = "root";
  input.host = "far";
  input.step = 1;
  input.at = one.clock.now();
  input.data = hash(*run);
  input.data.set("expires", run->state().at(1).asks["expires"])
      .set("person", "lead")
      .set("signature", Json());
  input.data.set("signature", to_hex(sign(seed, view_of(signed_text("r1", input)))));
  one.clock.advance(std::chrono::minutes(31));
  go(*run);
  ASSERT_EQ(run->state().at(1).asks["hash"], input.data["hash"]) << "the same is asked anew";
  ASSERT_TRUE(one.log.put("r1", "run x", input).ok());
  go(*run);
  EXPECT_NE(last_refusal(one).find("shown before"), std::string::npos) << last_refusal(one);
  EXPECT_EQ(run->state().at(1).status, StepStatus::asks);
}

TEST_F(Gates, TheAccountableDecidesAfterTheResponsibleReported) {
  use(R"(raci:
  go/no-go: {management: A, dba: R, lead: I, team: C}
runbooks:
  main: {steps: [{gate: {task: go/no-go}}, {run: a}]}
)",
      "main");
  auto run = start(one);
  approve(*run, "max");
  go(*run);
  EXPECT_NE(last_refusal(one).find("dba has to report before"), std::string::npos);
  say(one, "max", RunInputKind::report, "all checks pass");
  go(*run);
  EXPECT_NE(last_refusal(one).find("not known as one who reports"), std::string::npos);
  say(one, "eve", RunInputKind::report, "all checks pass");
  approve(*run, "max");
  go(*run);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(run->state().notes.at(0).text, "all checks pass");
  ASSERT_EQ(acts.informed.size(), 2u);
  EXPECT_EQ(acts.informed[0].first, "team") << "consulted before";
  EXPECT_EQ(acts.informed[1].first, "lead") << "told afterwards";
  EXPECT_NE(acts.informed[1].second.find("decided by max"), std::string::npos);
}

class People : public testing::RunbookTest {
 protected:
  Machine one{&shelf};
};

TEST_F(People, ACriticalStepIsLeftOutByTwo) {
  use("runbooks:\n  main:\n    steps: [{manual: isolate, critical: true}, {run: a}]\n", "main");
  auto run = start(one);
  say(one, "ada", RunInputKind::skip);
  go(*run);
  EXPECT_NE(last_refusal(one).find("needs a reason"), std::string::npos);
  say(one, "ada", RunInputKind::skip, "it is isolated already");
  go(*run);
  EXPECT_EQ(run->state().at(1).need, Need::skip_approval);
  EXPECT_EQ(acts.done["a"], 0);
  say(one, "ada", RunInputKind::approve);
  go(*run);
  EXPECT_NE(last_refusal(one).find("does not approve that"), std::string::npos);
  say(one, "stranger", RunInputKind::approve);
  go(*run);
  EXPECT_EQ(run->state().at(1).need, Need::skip_approval);
  say(one, "eve", RunInputKind::approve);
  EXPECT_EQ(go(*run), Driver::End::closed);
  EXPECT_EQ(run->state().at(1).status, StepStatus::skipped);
  EXPECT_EQ(run->state().at(1).result["asked_by"].string(), "ada (lead, team)");
}

// A second pair of eyes must be a second person, whatever name it signs with.
TEST_F(People, WhoAsksToLeaveItOutDoesNotApproveUnderAKey) {
  use("runbooks:\n  main:\n    steps: [{manual: isolate, critical: true}, {run: a}]\n", "main");
  Secret seed{ByteView(Buffer(32, 7))};
  plan.people[0].key = to_hex(signing_public_key_of(seed));  // lead: ada or bob
  auto run = start(one);
  say(one, "ada", RunInputKind::skip, "it is isolated already");
  go(*run);
  record::RunInput input;
  input.kind = RunInputKind::approve;
  input.user = "root";
  input.host = "far";
  input.step = 1;
  input.at = one.clock.now();
  input.data = Json::object().set("person", "lead").set("signature", Json());
  input.data.set("signature", to_hex(sign(seed, view_of(signed_text("r1", input)))));
  ASSERT_TRUE(one.log.put("r1", "run x", input).ok());
  go(*run);
  EXPECT_NE(last_refusal(one).find("does not approve that"), std::string::npos);
  EXPECT_EQ(run->state().at(1).need, Need::skip_approval);
}

TEST_F(People, ItemsAreTickedOneByOneAndCriticalOnesStay) {
  use(R"(runbooks:
  main:
    steps:
      - checklist: [one, {item: two, critical: true}, three]
)",
      "main");
  auto run = start(one);
  auto tick = [&](const std::string& item, bool ticked, const std::string& text = "") {
    say(one, "ada", RunInputKind::tick, text,
        Json::object().set("item", item).set("ticked", ticked));
    go(*run);
  };
  tick("four", true);
  EXPECT_NE(last_refusal(one).find("the list has no 'four'"), std::string::npos);
  tick("one", false);
  EXPECT_NE(last_refusal(one).find("needs a reason"), std::string::npos);
  tick("one", false, "does not apply");
  tick("two", false, "no time");
  EXPECT_NE(last_refusal(one).find("'two' is critical"), std::string::npos);
  tick("two", true);
  EXPECT_FALSE(run->state().closed.has_value());
  tick("three", true);
  EXPECT_EQ(run->state().closed, RunResult::done);
}

TEST_F(People, AStepIsDoneByWhoItIsFor) {
  use("runbooks:\n  main:\n    steps: [{manual: promote, by: dba}]\n", "main");
  auto run = start(one);
  say(one, "ada", RunInputKind::done);
  go(*run);
  EXPECT_NE(last_refusal(one).find("is done by dba"), std::string::npos);
  say(one, "eve", RunInputKind::done, "promoted");
  EXPECT_EQ(go(*run), Driver::End::closed);
}

TEST_F(People, ACommandNobodyHasReadWaits) {
  use("runbooks:\n  main:\n    steps: [{run: rm -rf x, review: required}]\n", "main");
  auto run = start(one);
  EXPECT_EQ(run->state().at(1).need, Need::review);
  EXPECT_EQ(acts.done["rm -rf x"], 0);
  say(one, "ada", RunInputKind::done);
  EXPECT_EQ(go(*run), Driver::End::closed);
  EXPECT_EQ(acts.done["rm -rf x"], 1);
}

TEST_F(People, TwoWhoSpeakAtOnceAreHeardInOrder) {
  use("runbooks:\n  main:\n    steps: [{manual: m}, {manual: n}]\n", "main");
  auto run = start(one);
  Machine other(&shelf);
  say(one, "ada", RunInputKind::done, "first", Json::object(), 1);
  say(other, "eve", RunInputKind::done, "second", Json::object(), 1);
  one.clock.advance(std::chrono::seconds(10));
  go(*run);
  EXPECT_EQ(run->state().at(1).status, StepStatus::done);
  EXPECT_EQ(run->state().at(2).status, StepStatus::asks) << "the second does not end the next step";
  EXPECT_NE(last_refusal(one).find("does not wait for people"), std::string::npos);
}

}  // namespace
}  // namespace lb::runbook
