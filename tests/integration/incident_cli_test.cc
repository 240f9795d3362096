// Incidents with the real program: messages arrive at a webhook in their order and at their times,
// an answer stops them, and whoever carries them on may be killed or be there several times.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/base/time.h"
#include "foundation/sys/test_server.h"
#include "tests/harness/kill_moments.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

struct Arrived {
  Json body;
  Timestamp made() const { return parse_time(body["at"].string()).take(); }
};

// Answers 200 to everything.
class Inbox {
 public:
  std::string url() const { return server_.url("/hook"); }
  std::vector<Arrived> all() {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }
  // "ada trigger", in the order in which they came.
  std::string told() {
    std::string out;
    for (const auto& one : all())
      out += cat(out.empty() ? "" : "; ", one.body["to"].string(), " ", one.body["event"].string());
    return out;
  }
  // Of a sender that was killed before it had noted the answer, the same message comes again.
  std::set<std::string> ids() {
    std::set<std::string> out;
    for (const auto& one : all()) out.insert(one.body["id"].string());
    return out;
  }
  // As long as somebody is there who sends.
  bool wait_for(std::size_t count, Running* sender = nullptr) {
    while (all().size() < count && (sender == nullptr || sender->alive()))
      std::this_thread::sleep_for(milliseconds(20));
    return all().size() >= count;
  }

 private:
  std::string take(const std::string& request) {
    const auto body = request.substr(request.find("\r\n\r\n") + 4);
    auto json = parse_json(body);
    if (json.ok()) {
      const std::lock_guard lock(mutex_);
      arrived_.push_back({std::move(json).take()});
    }
    return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  }
  std::mutex mutex_;
  std::vector<Arrived> arrived_;
  TestServer server_{[this](const std::string& request) { return take(request); }};
};

class IncidentCli : public testing::Test {
 protected:
  IncidentCli() : boat(LIFEBOAT_BINARY) {
    write_text(boat / "media/a.txt", "one");
    boat.environment()["HOOK"] = inbox.url();
    boat.environment()["SUDO_USER"] = "root";
    plan("3s");
    boat.must({"init"});
  }
  void plan(const std::string& within) {
    boat.write_plan(cat(R"(stores: {media: {files: ./media}}
channels: {hook: {webhook: env:HOOK}}
people:
  ada:  {users: ada, via: hook, deputy: bob}
  bob:  {users: bob, via: hook, escalate: max}
  max:  {via: hook}
escalation:
  P0: {within: )",
                        within, R"(, to: ada, repeat: 0, means: nobody can buy}
  P1: {within: )",
                        within, R"(, to: bob, repeat: 0}
runbooks:
  db-loss:
    symptoms: [queries return errors, connection fails]
    objective: {rto: 4h}
    steps: [{run: "until [ -e go ]; do sleep 0.1; done"}]
  files-lost: {symptoms: [files missing], steps: [{manual: look}]}
)"));
  }
  void as(const std::string& user) { boat.environment()["SUDO_USER"] = user; }
  void on(const std::string& machine) { boat.environment()["LIFEBOAT_STATE"] = boat / machine; }
  Json shown() { return boat.must({"incident", "show", "--json"}).summary(); }
  std::string open(const std::string& severity = "P0") {
    auto ran = boat.must({"incident", "open", severity, "no orders", "--symptom", "queries fail",
                          "--affected", "all", "--json"});
    return ran.summary()["incident"].string();
  }

  Inbox inbox;
  Lifeboat boat;
};

TEST_F(IncidentCli, ToldOneAfterTheOtherUntilNobodyIsLeft) {
  plan("2s");
  auto opened = boat.must({"incident", "open", "P0", "no orders", "-s", "queries fail"});
  EXPECT_NE(opened.out.find("lifeboat run db-loss --incident"), std::string::npos) << opened.out;
  EXPECT_NE(opened.err.find("told ada"), std::string::npos) << opened.err;
  EXPECT_NE(opened.err.find("bob is told next"), std::string::npos) << opened.err;
  auto watch = boat.start({"incident", "watch"});
  while (watch->alive() && shown()["next"]["state"].string() != "silent")
    std::this_thread::sleep_for(milliseconds(50));
  ASSERT_TRUE(inbox.wait_for(3, watch.get())) << inbox.told() << watch->err_so_far();
  EXPECT_EQ(inbox.told(), "ada trigger; bob trigger; max trigger");
  auto all = inbox.all();
  EXPECT_GE(all[1].made() - all[0].made(), std::chrono::seconds(2));
  EXPECT_GE(all[2].made() - all[1].made(), std::chrono::seconds(2));
  EXPECT_EQ(all[0].body["subject"].string(), "test: P0 no orders");
  EXPECT_EQ(all[0].body["severity"].string(), "critical");
  EXPECT_EQ(all[0].body["about"].string(), all[2].body["about"].string());
  while (watch->alive() && watch->err_so_far().find("nobody answered") == std::string::npos)
    std::this_thread::sleep_for(milliseconds(50));
  EXPECT_TRUE(watch->alive()) << watch->err_so_far();
  watch->signal(SIGINT);
  EXPECT_NE(watch->wait().exit_code, 0);
  EXPECT_EQ(shown()["next"]["state"].string(), "silent");
}

TEST_F(IncidentCli, AnAnswerStopsTheChainAndTheEndIsTold) {
  plan("1h");
  const auto id = open();
  auto watch = boat.start({"incident", "watch", id});
  as("ada");
  auto ack = boat.must({"incident", "ack", "-m", "on it"});
  EXPECT_NE(ack.out.find("acknowledged by ada (ada)"), std::string::npos) << ack.out;
  EXPECT_EQ(watch->wait().exit_code, 0) << "nothing is left to watch";
  EXPECT_EQ(boat.must({"incident", "watch", "--once"}).exit_code, 0);
  // What was due is no longer, whatever the time: tomorrow, too, nobody is told.
  EXPECT_EQ(shown()["next"]["state"].string(), "over");
  EXPECT_TRUE(shown()["next"]["due"].is_null());
  EXPECT_EQ(inbox.told(), "ada trigger; ada acknowledge");
  EXPECT_NE(boat.must({"incident", "ack"}).out.find("already"), std::string::npos);
  boat.must({"incident", "assign", "max"});
  boat.must({"incident", "note", "-m", "the provider says 30 minutes"});
  EXPECT_EQ(boat.run({"incident", "close"}).exit_code, 2) << "a reason is asked for";
  boat.must({"incident", "close", "-m", "index rebuilt"});
  EXPECT_EQ(inbox.told(), "ada trigger; ada acknowledge; max note; ada resolve");
  auto show = boat.must({"incident", "show"}).out;
  for (const char* part : {"closed: no orders", "told ada (P0.1.1)", "acknowledged: on it",
                           "the provider says 30 minutes", "assigned to max", "index rebuilt",
                           "target RTO", "runbook db-loss"})
    EXPECT_NE(show.find(part), std::string::npos) << part << "\n" << show;
  EXPECT_EQ(boat.run({"incident", "ack", id}).exit_code, 2) << "it is closed";
  EXPECT_EQ(boat.run({"incident", "ack"}).exit_code, 1) << "none is open";
}

// Killed again and again at any moment between two messages.
TEST_F(IncidentCli, KilledWatchersLoseNobodyAndTellNobodyTwice) {
  open();
  KillMoments moments(milliseconds(2500), 6);
  while (moments.more()) {
    auto watch = boat.start({"incident", "watch"});
    std::this_thread::sleep_for(moments.next());
    const bool at_work = watch->alive();
    watch->signal(SIGKILL);
    watch->wait();
    moments.killed(at_work);
  }
  EXPECT_TRUE(moments.enough());
  auto last = boat.start({"incident", "watch"});
  const auto over = [&] {
    const auto all = boat.must({"message", "ls", "--json"}).summary()["messages"].items();
    const bool settled = std::none_of(
        all.begin(), all.end(), [](const auto& one) { return one["state"].string() == "waiting"; });
    return settled && shown()["next"]["state"].string() == "silent";
  };
  while (last->alive() && !over()) std::this_thread::sleep_for(milliseconds(50));
  EXPECT_TRUE(last->alive()) << last->err_so_far();
  EXPECT_EQ(inbox.ids().size(), 3U) << inbox.told();
  std::set<std::string> people;
  for (const auto& one : inbox.all()) people.insert(one.body["to"].string());
  EXPECT_EQ(people, (std::set<std::string>{"ada", "bob", "max"}));
}

// The second has all the time there is to answer: however slow the machine, the third is not due.
TEST_F(IncidentCli, TwoMachinesThatShareARepositoryTellEachStepOnce) {
  boat.write_plan(R"(stores: {media: {files: ./media}}
channels: {hook: {webhook: env:HOOK}}
people:
  ada: {users: ada, via: hook}
  bob: {users: bob, via: hook}
  max: {via: hook}
escalation:
  P0: {within: 2s, to: ada, then: [{within: 30d, to: bob}, {within: 2s, to: max}], repeat: 0}
)");
  on("one");
  const auto id = open();
  auto first = boat.start({"incident", "watch"});
  on("two");
  auto second = boat.start({"incident", "watch"});
  auto third = boat.start({"incident", "watch"});
  const std::vector<Running*> watches = {first.get(), second.get(), third.get()};
  while (inbox.all().size() < 2) {
    for (auto* watch : watches) ASSERT_TRUE(watch->alive()) << watch->err_so_far();
    std::this_thread::sleep_for(milliseconds(20));
  }
  as("bob");
  boat.must({"incident", "ack", id.substr(id.size() - 8)});
  // All three have looked since, and know that somebody answered.
  for (auto* watch : watches) {
    while (watch->alive() && watch->err_so_far().find(": acknowledged") == std::string::npos)
      std::this_thread::sleep_for(milliseconds(50));
    EXPECT_TRUE(watch->alive()) << watch->err_so_far();
    watch->signal(SIGKILL);
    watch->wait();
  }
  const auto told = inbox.told();
  EXPECT_TRUE(told.starts_with("ada trigger; bob trigger; ")) << told;
  std::size_t triggers = 0;
  for (const auto& one : inbox.all()) triggers += one.body["event"].string() == "trigger";
  EXPECT_EQ(triggers, 2U) << told;
  on("one");
  EXPECT_EQ(shown()["acknowledged"]["by"].string(), "bob (bob)");
  on("three");  // has never seen it
  EXPECT_EQ(shown()["state"].string(), "acknowledged");
}

TEST_F(IncidentCli, ARunOfItCarriesItOnAndThePostMortemTellsBoth) {
  boat.must({"backup"});
  const auto id = open();
  auto run = boat.start({"run", "db-loss", "--incident", id, "--no-wait"});
  EXPECT_TRUE(inbox.wait_for(2, run.get())) << inbox.told() << run->err_so_far();
  write_text(boat / "go", "");
  EXPECT_EQ(run->wait().exit_code, 0);
  EXPECT_TRUE(inbox.told().starts_with("ada trigger; bob trigger")) << inbox.told();
  EXPECT_EQ(shown()["runs"].items().at(0)["runbook"].string(), "db-loss");
  as("ada");
  boat.must({"incident", "close", "-m", "restored"});
  auto review = boat.must({"postmortem"}).out;
  for (const char* part :
       {"incident: P0 opened: no orders", "incident: told bob (P0.1.2), by Lifeboat",
        "nobody acknowledged it", "the run ended: done", "incident: closed: restored, by ada"})
    EXPECT_NE(review.find(part), std::string::npos) << part << "\n" << review;
  EXPECT_LT(review.find("P0 opened"), review.find("the run ended"));
  EXPECT_EQ(boat.run({"run", "db-loss", "--incident", id}).exit_code, 2) << "it is closed";
}

TEST_F(IncidentCli, SeveritiesSymptomsAndMistakes) {
  auto fit = boat.must({"incident", "suggest", "queries failing", "--json"}).summary();
  EXPECT_EQ(fit["suggestions"].items().at(0)["runbook"].string(), "db-loss");
  EXPECT_EQ(boat.run({"incident", "suggest", "weather"}).exit_code, 1);
  EXPECT_EQ(boat.run({"incident", "open", "P7", "x"}).exit_code, 2);
  EXPECT_EQ(boat.run({"incident", "open", "P0"}).exit_code, 2);
  EXPECT_EQ(boat.run({"incident", "open", "P0", "x", "--failed-at", "yesterday"}).exit_code, 2);
  EXPECT_EQ(
      boat.run({"incident", "open", "P0", "x", "--failed-at", "2199-01-01T00:00:00Z"}).exit_code,
      2);
  EXPECT_EQ(boat.run({"incident", "show"}).exit_code, 1);
  EXPECT_NE(boat.must({"incident", "ls"}).out.find("no incident yet"), std::string::npos);
  EXPECT_TRUE(inbox.all().empty());
  auto quiet = boat.must({"incident", "open", "P3", "slow reports"});
  EXPECT_NE(quiet.err.find("nobody is told"), std::string::npos) << quiet.err;
  boat.must({"incident", "severity", "P1", "-m", "payments too"});
  ASSERT_TRUE(inbox.wait_for(1));
  EXPECT_EQ(inbox.told(), "bob trigger");
  EXPECT_EQ(boat.run({"incident", "assign", "bb"}).exit_code, 2);
  open();
  EXPECT_EQ(boat.run({"incident", "ack"}).exit_code, 2) << "two are open: which?";
  EXPECT_EQ(boat.must({"incident", "ls", "--json"}).summary()["incidents"].items().size(), 2U);
}

// A key says who speaks where the system user does not: refused like an approval of a run, checked
// again by whoever reads it.
TEST_F(IncidentCli, AKeySaysWhoSpeaks) {
  const auto made = boat.must({"person", "key", boat / "max.key"});
  boat.must({"person", "key", boat / "other.key"});
  const auto with_keys = [&](const std::string& key) {
    boat.write_plan(
        cat("stores: {media: {files: ./media}}\nchannels: {hook: {webhook: env:HOOK}}\n",
            "people: {ada: {users: ada, via: hook}, max: {via: hook, ", key, "}}\n",
            "escalation: {P0: {within: 1h, to: ada}}\n"));
  };
  with_keys(std::string(trim(made.out)));
  open();
  as("nobody");
  const auto refused = [&](const std::string& key, const std::string& person) {
    auto ran = boat.run({"incident", "ack", "--key", boat / key, "--as", person});
    EXPECT_EQ(ran.exit_code, 5) << ran.err;
    EXPECT_TRUE(shown()["acknowledged"].is_null());
    return ran.err;
  };
  EXPECT_NE(refused("other.key", "max").find("the signature is not that of max"),
            std::string::npos);
  EXPECT_NE(refused("max.key", "ada").find("the plan knows no key of 'ada'"), std::string::npos);
  EXPECT_EQ(boat.run({"incident", "ack", "--key", boat / "max.key"}).exit_code, 2);
  EXPECT_EQ(boat.run({"incident", "ack", "--as", "max"}).exit_code, 2);

  const std::vector<std::string> max = {"--key", boat / "max.key", "--as", "max"};
  const auto say = [&](std::vector<std::string> words) {
    words.insert(words.end(), max.begin(), max.end());
    boat.must(words);
  };
  say({"incident", "ack"});
  say({"incident", "note", "-m", "looking"});
  say({"incident", "assign", "ada"});
  EXPECT_EQ(shown()["acknowledged"]["by"].string(), "nobody (max)");
  say({"incident", "close", "-m", "over"});
  on("elsewhere");
  EXPECT_EQ(shown()["closed"]["by"].string(), "nobody (max)");
  EXPECT_EQ(shown()["unproven"].items().size(), 0U);
  EXPECT_NE(boat.must({"incident", "show"}).out.find("nobody (max)  looking"), std::string::npos);
  with_keys("users: max");
  EXPECT_EQ(shown()["closed"]["by"].string(),
            "nobody (max), by a key of max that the plan does not have");
}

TEST_F(IncidentCli, StatusAlarmsUntilSomebodyAnswers) {
  boat.must({"backup"});
  boat.must({"status"});
  open();
  auto status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4);
  EXPECT_NE(status.out.find("P0 no orders: nobody has answered"), std::string::npos) << status.out;
  as("ada");
  boat.must({"incident", "ack"});
  EXPECT_NE(boat.must({"status"}).out.find("ada (ada) looks after it"), std::string::npos);
  boat.must({"incident", "close", "-m", "over"});
  EXPECT_EQ(boat.must({"status"}).out.find("incident"), std::string::npos);
  boat.must({"incident", "open", "P1", "old", "-s", "queries fail", "--failed-at",
             "2020-01-01T00:00:00Z"});
  boat.must({"incident", "ack"});
  status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4);
  EXPECT_NE(status.out.find("target RTO 4h of runbook db-loss is missed"), std::string::npos)
      << status.out;
}

TEST_F(IncidentCli, TasksAreKeptUntilTheyAreDone) {
  boat.must({"backup"});
  write_text(boat / "go", "");
  boat.must({"run", "db-loss", "--no-wait"});
  auto first = boat.must({"postmortem", "--tasks"});
  EXPECT_NE(first.err.find("1 of 1 actions are new"), std::string::npos) << first.err;
  on("other");
  auto second = boat.must({"postmortem", "--tasks"});
  EXPECT_NE(second.err.find("0 of 1 actions are new"), std::string::npos) << second.err;
  boat.must({"status"});
  boat.must({"task", "add", "order a disk", "--owner", "ada", "--due", "2020-01-01T00:00:00Z"});
  auto status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4);
  EXPECT_NE(status.out.find("order a disk (of ada), due 2020-01-01"), std::string::npos)
      << status.out;
  auto tasks = boat.must({"task", "ls", "--json"}).summary()["tasks"].items();
  ASSERT_EQ(tasks.size(), 2U);
  std::string id;
  for (const auto& task : tasks) {
    if (task["state"].string() == "overdue") id = task["task"].string();
  }
  as("ada");
  on("state");
  boat.must({"task", "done", id.substr(id.size() - 8), "-m", "it is here"});
  boat.must({"status"});
  EXPECT_NE(boat.must({"task", "ls", "--all"}).out.find("order a disk (ada (ada): it is here)"),
            std::string::npos);
  EXPECT_EQ(boat.run({"task", "done", "nothing"}).exit_code, 1);
  EXPECT_EQ(boat.run({"task", "add", "x", "--due", "soon"}).exit_code, 2);
  EXPECT_EQ(boat.run({"task", "add", "x", "--owner", "nobody"}).exit_code, 2);
}

// Whom alerts: names hears of it once, whichever verb looks first, and on whichever machine.
TEST_F(IncidentCli, WhatIsOverdueIsToldOnce) {
  const std::string plan =
      "stores: {media: {files: ./media}}\nchannels: {hook: {webhook: env:HOOK}}\n"
      "people: {ada: {users: ada, via: hook}, bob: {users: bob, via: hook}}\n";
  boat.write_plan(plan);
  boat.must({"backup"});
  boat.must({"task", "add", "order a disk", "--owner", "ada", "--due", "2020-01-01T00:00:00Z"});
  boat.must({"task", "add", "no hurry", "--due", "7d"});
  EXPECT_EQ(boat.run({"status"}).exit_code, 4);
  EXPECT_TRUE(inbox.all().empty()) << "the plan names nobody";
  boat.write_plan(plan + "alerts: {warning: {on: [review overdue], send: [bob]}}\n");
  const auto first = boat.run({"status"});
  EXPECT_EQ(first.exit_code, 4);
  EXPECT_NE(first.err.find("told bob: overdue: order a disk"), std::string::npos) << first.err;
  ASSERT_EQ(inbox.all().size(), 1U) << inbox.told();
  EXPECT_EQ(inbox.all()[0].body["to"].string(), "bob");
  EXPECT_EQ(inbox.all()[0].body["subject"].string(), "test: overdue: order a disk");
  boat.run({"status"});
  boat.must({"task", "ls"});
  boat.must({"incident", "watch", "--once"});
  on("elsewhere");
  boat.must({"task", "ls"});
  boat.must({"incident", "watch", "--once"});
  EXPECT_EQ(inbox.all().size(), 1U) << inbox.told();
  boat.must({"task", "add", "renew it", "--due", "2020-01-01T00:00:00Z"});
  boat.must({"incident", "watch", "--once"});
  ASSERT_EQ(inbox.all().size(), 2U) << inbox.told();
  EXPECT_EQ(inbox.all()[1].body["subject"].string(), "test: overdue: renew it");
  boat.must({"task", "add", "and that", "--due", "2020-01-01T00:00:00Z"});
  boat.must({"task", "ls"});
  EXPECT_EQ(inbox.all().size(), 3U) << inbox.told();
}

// A review that the plan asks for again and again: one open task at a time, for all machines.
TEST_F(IncidentCli, ReviewsOfThePlanComeAgain) {
  boat.write_plan(
      "stores: {media: {files: ./media}}\n"
      "people: {ada: {users: ada}}\n"
      "tasks: {logs: {review: backup logs, every: monthly, by: ada}}\n"
      "runbooks:\n  loss: {owner: ada, review: yearly, steps: [{banner: x}]}\n");
  boat.must({"backup"});
  on("one");
  auto open_tasks = [&] { return boat.must({"task", "ls", "--json"}).summary()["tasks"].items(); };
  ASSERT_EQ(open_tasks().size(), 2U);
  on("two");
  const auto tasks = open_tasks();
  ASSERT_EQ(tasks.size(), 2U) << "the same, not two more";
  boat.must({"status"});
  as("ada");
  std::string id;
  for (const auto& task : tasks) {
    if (task["text"].string() == "review backup logs") id = task["task"].string();
  }
  boat.must({"task", "done", id, "-m", "all green"});
  const auto next = open_tasks();
  ASSERT_EQ(next.size(), 2U);
  EXPECT_NE(boat.must({"task", "ls", "--all"}).out.find("all green"), std::string::npos);
  for (const auto& task : next) EXPECT_NE(task["task"].string(), id);
}

// Nothing but this machine: everything is said all the same, and sent when the repository is back.
TEST_F(IncidentCli, WithoutTheRepositoryPeopleAreToldAllTheSame) {
  on("one");
  boat.must({"incident", "ls"});
  fs::rename(boat.repository(), boat / "away");
  const auto ran = boat.run({"incident", "open", "P0", "the storage is gone", "--json"});
  fs::rename(boat / "away", boat.repository());
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(inbox.told(), "ada trigger");
  EXPECT_NE(ran.err.find("this machine only"), std::string::npos) << ran.err;
  on("two");
  EXPECT_EQ(boat.run({"incident", "show"}).exit_code, 1);
  on("one");
  shown();
  on("two");
  EXPECT_EQ(shown()["title"].string(), "the storage is gone");
}

}  // namespace
}  // namespace lb::test
