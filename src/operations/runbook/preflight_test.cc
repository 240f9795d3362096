#include "operations/runbook/preflight.h"

#include "foundation/base/text.h"
#include "operations/runbook/rehearsal.h"
#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using State = PreflightFinding::State;
using Words = std::vector<std::string>;

TEST(JudgePreflight, WhatIsToldIsNotSaidToBeInPlace) {
  auto end = judge_preflight({{State::good, "repository", ""},
                              {State::told, "db does not answer", ""},
                              {State::good, "repository", ""}});
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->ok);
  EXPECT_EQ(end->text, "in place: repository. to be known: db does not answer");
}

TEST(JudgePreflight, WhatIsMissingOrWasNotSeenFailsTheStepWithEveryHintOnce) {
  auto end = judge_preflight({{State::good, "disk", ""},
                              {State::missing, "no jq", "install it"},
                              {State::missing, "no curl", "install it"},
                              {State::unseen, "roles", "look"}});
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(end.error().text(), "no jq; no curl; roles (could not be looked at)");
  EXPECT_EQ(end.error().hint(), "install it; look");
  EXPECT_EQ(end.error().left(), "in place: disk");
}

TEST(JudgePreflight, NothingLookedAtIsNotGood) { EXPECT_FALSE(judge_preflight({}).ok()); }

class Needing : public testing::RunbookTest {
 protected:
  PreflightNeeds needs(const std::string& steps, const Variables& known = {}) {
    use("tasks: {rotate: {run: make rotate, every: monthly}}\n"
        "runbooks:\n  main:\n    steps:\n" +
            steps,
        "main");
    return preflight_needs(plan, script, known);
  }
};

TEST_F(Needing, ACopyThatIsReadIsNotTheRepository) {
  const std::string out_of = "      - restore: {store: db, to: staging, from: $copy}\n";
  auto copy = needs(out_of + out_of, {{"copy", "./copy"}});
  EXPECT_EQ(copy.copies, Words{"./copy"});
  EXPECT_FALSE(copy.reads_repository);
  EXPECT_TRUE(needs(out_of + "      - choose: {store: db}\n").reads_repository);
  auto own = needs("      - restore: {store: db, to: staging}\n");
  EXPECT_TRUE(own.copies.empty());
  EXPECT_TRUE(own.reads_repository);
}

TEST_F(Needing, RestoresTargetsAndCommandsAreEachNamedOnce) {
  auto out = needs(R"(      - {run: make stop, undo: make start, probe: make stopped}
      - restore: {store: db, to: staging, how: beside}
      - restore: {store: db, to: staging, how: beside}
      - restore: {store: db, to: production, how: beside-then-swap, stop: make stop, start: make go}
      - switch: {to: staging, run: make switch}
      - task: rotate
      - manual: call somebody
)");
  ASSERT_EQ(out.restores.size(), 2u);
  EXPECT_EQ(out.restores[0].target->name, "staging");
  EXPECT_EQ(out.restores[0].how, "beside");
  EXPECT_EQ(out.restores[1].how, "beside-then-swap");
  EXPECT_EQ(out.targets.size(), 2u);
  auto commands = out.commands;
  std::sort(commands.begin(), commands.end());
  EXPECT_EQ(commands, (Words{"make go", "make rotate", "make start", "make stop", "make stopped",
                             "make switch"}));
  EXPECT_EQ(out.not_known, Words{});
}

TEST_F(Needing, AVariableWithoutAValueIsSaidAndOneWithAValueIsFollowed) {
  const char* steps = R"(      - ask: {where: text}
      - restore: {store: db, to: $where}
)";
  auto before = needs(steps);
  EXPECT_EQ(before.restores.size(), 0u);
  ASSERT_EQ(before.not_known.size(), 1u);
  EXPECT_TRUE(before.not_known[0].starts_with("step 2: ")) << before.not_known[0];
  auto after = needs(steps, {{"where", "staging"}});
  ASSERT_EQ(after.restores.size(), 1u);
  EXPECT_EQ(after.not_known, Words{});
  auto wrong = needs(steps, {{"where", "nowhere"}});
  EXPECT_EQ(wrong.not_known, Words{"step 2: the plan has no target nowhere"});
}

TEST(ListeningPorts, AreThoseInStateListen) {
  const char* table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00\n"
      "   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00\n"
      "   2: 00000000000000000000000001000000:1538 00000000000000000000000000000000:0000 0A 0\n"
      "   3: 0100007F:XYZ9 00000000:0000 0A\n   4: short\n";
  EXPECT_EQ(listening_ports(table), (std::vector<std::uint16_t>{8080, 5432}));
}

TEST(PlaceOfUrl, NamesHostAndPort) {
  auto seen = [](const std::string& url) {
    auto place = place_of_url(url);
    return cat(place.host, " ", place.port, place.local() ? " local" : "");
  };
  EXPECT_EQ(seen("http://localhost:8000/x?y"), "localhost 8000 local");
  EXPECT_EQ(seen("https://shop.example"), "shop.example 443");
  EXPECT_EQ(seen("http://u:p@127.0.0.1"), "127.0.0.1 80 local");
  EXPECT_EQ(seen("http://[::1]:81/"), "::1 81 local");
  EXPECT_EQ(seen("http://h:99999"), "h 0");
  EXPECT_EQ(seen("ftp://h"), "h 0");
  EXPECT_EQ(seen("nothing"), " 0");
}

// The other half of a drill's preflight: the step says what the drill saw, and what it did not.
class DrilledPreflight : public testing::RunbookTest, private drill::Rehearsal {
 protected:
  ActEnd step(const std::string& words) {
    use("runbooks:\n  main:\n    steps:\n      - preflight: [" + words + "]\n", "main");
    RehearsalActs rehearsing(plan, *this, clock_);
    return rehearsing.act({plan, script, script.at(1), "r1", "drill", 1, {}, {}, {}}, {});
  }
  std::vector<std::string> unseen_;

 private:
  Status restore(const std::vector<std::string>&, std::stop_token) override { return {}; }
  Status serve(std::stop_token) override { return {}; }
  Result<std::vector<record::CheckResult>> check(const std::vector<std::string>&,
                                                 std::stop_token) override {
    return std::vector<record::CheckResult>{};
  }
  Result<record::CheckResult> check_one(const std::string&, const plan::Check&,
                                        std::stop_token) override {
    return record::CheckResult{};
  }
  std::optional<drill::RestoredDatabase> database_of(const std::string&) const override {
    return std::nullopt;
  }
  Result<HttpAnswer> ask(const HttpRequest&) override { return HttpAnswer{}; }
  std::string point_of(const std::string&) const override { return ""; }
  std::vector<std::string> preflight_unseen() const override { return unseen_; }
  record::DrillRecord& record() override { return record_; }

  SimClock clock_{from_micros(1'800'000'000'000'000)};
  record::DrillRecord record_;
};

TEST_F(DrilledPreflight, SaysWhatOfTheSandboxWasSeenAndWhatWasNotLookedAt) {
  auto end = step("disk, roles, version, target");
  EXPECT_TRUE(end.ok);
  EXPECT_EQ(end.text, "in the sandbox: disk, version; not looked at: roles, target");
}

TEST_F(DrilledPreflight, HoldsWhatItCannotLookAt) {
  auto end = step("credentials, network");
  EXPECT_TRUE(end.data["held"].boolean());
  EXPECT_EQ(end.text, "held: not looked at: credentials, network");
}

TEST_F(DrilledPreflight, ExtensionsThatNobodySawAreNotSaidToBeThere) {
  unseen_ = {"db: extensions not examined: pg_config failed"};
  auto end = step("version, extensions");
  EXPECT_EQ(end.text,
            "in the sandbox: version; not looked at: extensions "
            "(db: extensions not examined: pg_config failed)");
}

}  // namespace
}  // namespace lb::runbook
