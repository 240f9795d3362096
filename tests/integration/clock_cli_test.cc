// Runbooks on a machine whose clock is set forward and back while they run, and between: nothing is
// late, done twice or held for ever because of it. The clock of the real program is libfaketime's.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/base/time.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* faketime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

class ClockCli : public testing::Test {
 protected:
  ClockCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (!fs::exists(faketime)) GTEST_SKIP() << faketime << " is missing";
    auto& environment = boat.environment();
    environment["LEDGER"] = boat / "ledger";
    environment["LD_PRELOAD"] = faketime;
    environment["FAKETIME_TIMESTAMP_FILE"] = boat / "clock";
    environment["FAKETIME_NO_CACHE"] = "1";
    // Somebody sets the clock of a machine; what it counts since its start goes on.
    environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
    set_clock("+0");
    as("ada");
    write_text(boat / "media/a.txt", "one");
  }
  // By renaming: nobody reads half of it.
  void set_clock(const std::string& offset) {
    write_text(boat / "clock.new", offset + "\n");
    fs::rename(boat / "clock.new", boat / "clock");
  }
  void as(const std::string& user) { boat.environment()["SUDO_USER"] = user; }
  void plan(const std::string& steps) {
    boat.write_plan(
        "stores: {media: {files: ./media, every: hourly}}\n"
        "people: {operator: {users: [ada]}, lead: {users: [boss]}}\n"
        "runbooks:\n  main:\n    steps:\n" +
        steps);
    boat.must({"init"});
  }
  Json shown() { return boat.must({"run", "show", "--json"}).lines().back(); }
  std::string state_of(std::size_t step) {
    return shown()["steps"].items().at(step - 1)["state"].string();
  }
  std::string ledger() {
    return fs::exists(boat / "ledger") ? read_text(boat / "ledger") : std::string();
  }
  // Until it is there, or the program has ended.
  void wait_for(const std::string& path, Running& of) {
    while (of.alive() && !fs::exists(path))
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_TRUE(fs::exists(path)) << of.err_so_far();
  }

  Lifeboat boat;
};

// What is at work, and what is waited for, counts by what the machine counts, not by its calendar.
TEST_F(ClockCli, SetWhileStepsAreAtWorkItMakesNothingLateAndNothingWait) {
  plan(
      "      - run: \"touch working; until test -e go; do sleep 0.02; done; echo ran >> $LEDGER\"\n"
      "        limit: 10m\n"
      "      - wait: {for: 2s}\n"
      "      - run: \"echo after >> $LEDGER\"\n");
  auto run = boat.start({"run", "main", "--no-wait"});
  wait_for(boat / "working", *run);
  for (const char* offset : {"+1d", "-1d"}) {
    set_clock(offset);
    EXPECT_EQ(state_of(1), "running") << offset << ": " << run->err_so_far();
  }
  write_text(boat / "go", "");
  while (run->alive() && run->err_so_far().find("▶ 2/") == std::string::npos)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  set_clock("-3d");
  const auto end = run->wait();
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(ledger(), "ran\nafter\n");
  EXPECT_EQ(shown()["state"].string(), "done");
}

// A decision holds from when it was made until it expires: not for ever because the clock went
// back, and not for an attempt that was asked for when it was over.
TEST_F(ClockCli, SetBetweenQuestionAndAnswerADecisionIsAskedForAnew) {
  plan(
      "      - gate: {approve: lead, expires: 1h}\n"
      "      - {run: \"echo decided >> $LEDGER\", probe: \"grep -qx decided $LEDGER\"}\n");
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  set_clock("+2h");
  as("boss");
  boat.run({"approve"});
  as("ada");
  EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 75) << "it came too late";
  EXPECT_EQ(ledger(), "");
  as("boss");
  boat.must({"approve"});
  as("ada");
  set_clock("-2h");
  EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 75) << "made in times to come";
  EXPECT_EQ(ledger(), "");
  as("boss");
  boat.must({"approve"});
  as("ada");
  const auto end = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(ledger(), "decided\n");
}

// What was approved is what was shown: a point that another host brought since, of before the
// moment that is restored, is shown and asked for anew.
TEST_F(ClockCli, AnApprovalIsOfThePointThatWasShown) {
  const auto when = format_time_seconds(
      std::chrono::floor<Micros>(std::chrono::system_clock::now() + std::chrono::minutes(30)));
  boat.write_plan(
      cat("stores: {media: {files: ./media, every: hourly}}\n"
          "targets: {west: {stores: {media: ./west}}}\n"
          "people: {operator: {users: [ada]}, lead: {users: [boss]}}\n"
          "runbooks:\n  main:\n    steps:\n"
          "      - gate: {approve: lead, show: [point, data_loss]}\n"
          "      - restore: {store: media, to: west, at: \"",
          when, "\"}\n"));
  boat.must({"init"});
  boat.must({"backup"});
  set_clock("+60m");
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  as("boss");
  boat.must({"approve"});
  as("ada");
  set_clock("+10m");
  write_text(boat / "media/a.txt", "two");
  boat.must({"backup"});
  set_clock("+61m");
  auto ran = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 75) << ran.err;
  EXPECT_NE(ran.err.find("changed"), std::string::npos) << ran.err;
  EXPECT_EQ(state_of(1), "asks");
  EXPECT_FALSE(fs::exists(boat / "west"));
  as("boss");
  boat.must({"approve"});
  as("ada");
  ran = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(read_text(boat / "west/a.txt"), "two");
}

// The link that was sent ends with the time of its question.
TEST_F(ClockCli, ALinkThatHasExpiredDecidesNothing) {
  boat.write_plan(
      "stores: {media: {files: ./media, every: hourly}}\n"
      "channels: {log: {command: \"cat >> sent.txt\"}}\n"
      "people: {operator: {users: [ada]}, lead: {users: [boss], via: log}}\n"
      "runbooks:\n  main:\n    steps:\n"
      "      - gate: {approve: lead, expires: 1h}\n"
      "      - run: \"echo decided >> $LEDGER\"\n");
  boat.must({"init"});
  const auto link = [&] {
    const auto sent = read_text(boat / "sent.txt");
    const std::string before = "lifeboat approve ";
    const auto at = sent.rfind(before);
    if (at == std::string::npos) return cat("no link in: ", sent);
    const auto from = at + before.size();
    return sent.substr(from, sent.find('\n', from) - from);
  };
  // A message that was not out while the one verb lived goes with the next.
  const auto link_after = [&](const std::string& old) {
    for (int tries = 0; tries < 50 && link() == old; ++tries) boat.run({"resume", "--no-wait"});
    return link();
  };
  const auto none = link();
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  const auto first = link_after(none);
  ASSERT_TRUE(first.starts_with("lifeboat:")) << first;
  set_clock("+2h");
  as("boss");
  boat.run({"approve", first});
  as("ada");
  auto ran = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 75) << ran.err;
  EXPECT_NE(ran.err.find("the time for it ended at"), std::string::npos) << ran.err;
  EXPECT_EQ(state_of(1), "asks");
  EXPECT_EQ(ledger(), "");
  const auto second = link_after(first);
  EXPECT_NE(second, first) << "asked anew, with another";
  as("boss");
  boat.must({"approve", second});
  as("ada");
  EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 0);
  EXPECT_EQ(ledger(), "decided\n");
}

// Events are in their order whatever times they bear.
TEST_F(ClockCli, SetBackAfterAKillTheRunGoesOnWhereItWas) {
  plan(
      "      - run: \"echo first >> $LEDGER\"\n"
      "      - {run: \"echo second >> $LEDGER; touch working; sleep 600\",\n"
      "         probe: \"grep -qx second $LEDGER\"}\n"
      "      - run: \"echo third >> $LEDGER\"\n");
  auto run = boat.start({"run", "main", "--no-wait"});
  wait_for(boat / "working", *run);
  run->signal(SIGKILL);
  run->wait();
  set_clock("-30d");
  const auto end = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(ledger(), "first\nsecond\nthird\n");
  const auto text = boat.must({"run", "show"}).out;
  EXPECT_EQ(text.find("-30"), std::string::npos) << text;
}

}  // namespace
}  // namespace lb::test
