#include "operations/watch/alerts.h"

#include <gtest/gtest.h>

#include "model/plan/reader.h"
#include "operations/incident/claims.h"
#include "operations/notify/test_machine.h"
#include "storage/state/record_shelf.h"

namespace lb::watch {
namespace {

const Timestamp start = from_micros(1'768'269'600'000'000);

plan::Plan plan_of(const std::string& alerts) {
  auto out = plan::read_plan(
      "plan.yaml",
      "version: 1\nsystem: shop\nrepository: {at: /backups, key: env:KEY}\n"
      "stores: {media: {files: /srv/media}}\nchannels: {out: {command: \"cat > /dev/null\"}}\n"
      "people: {ada: {via: out}, bob: {via: out}, max: {via: out}}\n" +
          alerts,
      nullptr);
  EXPECT_EQ(plan::format_mistakes(out.mistakes, false), "");
  return out.plan;
}

const plan::Plan& the_plan() {
  static const plan::Plan plan = plan_of(R"(alerts:
  critical: {on: [backup failed, {disk: 80%}], send: [ada, bob]}
  warning: {on: [drill overdue, backup failed, {disk: 60%}], send: [bob, max]}
)");
  return plan;
}

struct Machine : notify::TestMachine {
  Machine(repo::Repository* shared, std::string its_name)
      : TestMachine(the_plan(), std::move(its_name), start), log(*journal, shared, "alert") {}
  std::vector<std::string> tell(const std::vector<Finding>& findings,
                                const std::vector<std::string>& all_of = {},
                                const plan::Plan& plan = the_plan()) {
    auto told = watch::tell({world, plan, postman, log, name, name}, findings, all_of);
    EXPECT_TRUE(told.ok()) << told.error().text();
    return told.ok() ? *told : std::vector<std::string>();
  }
  // "ada trigger shop: backup failed: db", oldest first.
  std::vector<std::string> stored() {
    std::vector<std::string> out;
    for (const auto& item : outbox->items(50).take()) {
      const auto letter = notify::decode_letter(item.letter).take();
      out.push_back(cat(item.to, " ", name_of(letter.event), " ", letter.subject));
    }
    return out;
  }

  state::FactLog log;
};

using Lines = std::vector<std::string>;

Finding failed(bool wrong = true) { return {"backup failed", "db", wrong, "No answer."}; }
Finding overdue(const std::string& drill, bool wrong = true) {
  return {"drill overdue", drill, wrong, ""};
}
Finding disk(double share) { return {"disk", "/backups", false, "", share}; }

TEST(Alerts, EachChangeIsToldOnce) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one");
  EXPECT_EQ(one.tell({failed(false)}), Lines{}) << "it never was";
  EXPECT_EQ(one.tell({failed()}), Lines{"told ada, bob, max: backup failed: db"});
  EXPECT_EQ(one.tell({failed()}), Lines{});
  EXPECT_EQ(one.tell({failed(false)}), Lines{"told ada, bob, max: over: backup failed: db"});
  EXPECT_EQ(one.tell({failed(false)}), Lines{});
  EXPECT_EQ(one.tell({failed()}).size(), 1U) << "anew";
  EXPECT_EQ(
      one.stored(),
      (Lines{"ada trigger shop: backup failed: db", "bob trigger shop: backup failed: db",
             "max trigger shop: backup failed: db", "ada resolve shop: over: backup failed: db",
             "bob resolve shop: over: backup failed: db",
             "max resolve shop: over: backup failed: db", "ada trigger shop: backup failed: db",
             "bob trigger shop: backup failed: db", "max trigger shop: backup failed: db"}));
}

// A service that keeps incidents closes what the first message opened, and nothing else.
TEST(Alerts, TheEndIsAboutItsBeginning) {
  Alarm alarm;
  alarm.id = "a1";
  alarm.event = "backup failed";
  alarm.subject = "db";
  alarm.wrong = true;
  alarm.severity = notify::Severity::critical;
  const auto begun = letter_of(the_plan(), alarm, 2, start);
  alarm.wrong = false;
  const auto ended = letter_of(the_plan(), alarm, 2, start);
  EXPECT_EQ(begun.about, ended.about);
  EXPECT_NE(begun.key, ended.key);
  EXPECT_NE(begun.about, letter_of(the_plan(), alarm, 3, start).about);
  EXPECT_EQ(begun.severity, notify::Severity::critical);
  EXPECT_EQ(ended.severity, notify::Severity::info);
}

TEST(Alerts, TheMessageSaysWhatToBeginWith) {
  const auto plan = plan_of(R"(alerts: {critical: {on: [everything], send: ada}}
escalation: {P1: {within: 5m, to: ada}}
runbooks:
  db-loss: {symptoms: [database connection refused], steps: [{manual: look}]}
  other: {symptoms: [files encrypted], steps: [{manual: look}]}
)");
  Finding found{"store unreachable", "db, from h1", true, "The database: connection refused."};
  const auto text = letter_of(plan, alarms_of(plan, {found}).at(0), 1, start).text;
  EXPECT_NE(text.find("The database: connection refused."), std::string::npos) << text;
  EXPECT_NE(text.find("lifeboat incident open P1 \"store unreachable: db, from h1\""),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("lifeboat run db-loss"), std::string::npos) << text;
  EXPECT_EQ(text.find("lifeboat run other"), std::string::npos) << text;
  found.text = std::string(50'000, 'x');
  EXPECT_LT(letter_of(plan, alarms_of(plan, {found}).at(0), 1, start).text.size(), 5000U);
  found.wrong = false;
  EXPECT_EQ(letter_of(plan, alarms_of(plan, {found}).at(0), 1, start).text.find("incident open"),
            std::string::npos);
}

TEST(Alerts, TheLoudestRuleSaysHowLoud) {
  const auto alarms = alarms_of(the_plan(), {failed(), overdue("full")});
  ASSERT_EQ(alarms.size(), 2U);
  EXPECT_EQ(alarms[0].severity, notify::Severity::critical);
  EXPECT_EQ(alarms[0].to, (Lines{"ada", "bob", "max"}));
  EXPECT_EQ(alarms[1].severity, notify::Severity::warning);
  EXPECT_EQ(alarms[1].to, (Lines{"bob", "max"}));
  EXPECT_TRUE(alarms_of(the_plan(), {{"log gap", "db", true}}).empty()) << "nobody is named";
  const auto all = plan_of("alerts: {info: {on: [everything], send: max}}\n");
  EXPECT_EQ(alarms_of(all, {{"log gap", "db", true}, disk(0.99)}).size(), 1U);
}

TEST(Alerts, EachBoundIsHeardByItsOwnAndNotAgainAtItsEdge) {
  Machine one(nullptr, "one");
  EXPECT_EQ(one.tell({disk(0.6)}), Lines{}) << "60 % is not above 60 %";
  EXPECT_EQ(one.tell({disk(0.61)}), Lines{"told bob, max: disk: /backups"});
  EXPECT_EQ(one.tell({disk(0.59)}), Lines{}) << "not clearly below";
  EXPECT_EQ(one.tell({disk(0.61)}), Lines{});
  EXPECT_EQ(one.tell({disk(0.85)}), Lines{"told ada, bob: disk: /backups"});
  EXPECT_EQ(one.tell({disk(0.5)}).size(), 2U) << "both have ended";
  EXPECT_EQ(one.stored().back().substr(4), "resolve shop: over: disk above 60%: /backups");
}

TEST(Alerts, ABoundOfNothingEndsToo) {
  const auto plan = plan_of("alerts: {warning: {on: [{slow_queries: 0}], send: ada}}\n");
  Machine one(nullptr, "one");
  const auto slow = [](double count) { return Finding{"slow_queries", "db", false, "", count}; };
  EXPECT_EQ(one.tell({slow(0)}, {}, plan), Lines{});
  EXPECT_EQ(one.tell({slow(1)}, {}, plan), Lines{"told ada: slow_queries: db"});
  EXPECT_EQ(one.tell({slow(0)}, {}, plan), Lines{"told ada: over: slow_queries: db"});
}

TEST(Alerts, OfTwoMachinesOneTellsAndTheOtherTellsTheEnd) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one"), two(&shelf, "two");
  EXPECT_EQ(one.tell({failed()}).size(), 1U);
  EXPECT_EQ(two.tell({failed()}), Lines{});
  EXPECT_TRUE(two.stored().empty());
  EXPECT_EQ(two.tell({failed(false)}).size(), 1U);
  EXPECT_EQ(one.tell({failed(false)}), Lines{});
  EXPECT_EQ(one.stored().size(), 3U);
  EXPECT_EQ(two.stored().size(), 3U);
}

TEST(Alerts, AMachineThatClaimedAndDiedIsReplaced) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one"), two(&shelf, "two");
  const auto id = alert_id("backup failed", "db", "");
  ASSERT_TRUE(one.log.claim(id, "raised-1.1", cat("one@", format_time(start))).ok());
  EXPECT_EQ(two.tell({failed()}), Lines{}) << "the other one is at it";
  two.clock.advance(incident::claim_lasts + Seconds(1));
  EXPECT_EQ(two.tell({failed()}).size(), 1U);
  EXPECT_EQ(one.tell({failed()}), Lines{});
}

TEST(Alerts, KilledBetweenMessageAndNoteItTellsNobodyTwice) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one");
  const auto alarm = alarms_of(the_plan(), {failed()}).at(0);
  ASSERT_TRUE(one.log.claim(alarm.id, "raised-1.1", cat("one@", format_time(start))).ok());
  ASSERT_TRUE(one.postman.post(letter_of(the_plan(), alarm, 1, start), alarm.to).ok());
  EXPECT_EQ(one.tell({failed()}).size(), 1U);
  EXPECT_EQ(one.stored().size(), 3U);
}

TEST(Alerts, WithoutTheRepositoryEachMachineTellsAndRemembers) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one"), two(&shelf, "two");
  shelf.put_fails = ErrorKind::unavailable;
  EXPECT_EQ(one.tell({failed()}).size(), 1U);
  EXPECT_EQ(one.tell({failed()}), Lines{});
  EXPECT_EQ(two.tell({failed()}).size(), 1U);
  shelf.put_fails.reset();
  EXPECT_EQ(one.tell({failed(false)}).size(), 1U);
  EXPECT_EQ(two.tell({failed(false)}), Lines{}) << "it learns that it is over, and was told";
}

TEST(Alerts, WhatIsNoLongerThereHasEnded) {
  Machine one(nullptr, "one");
  EXPECT_EQ(one.tell({overdue("full"), overdue("small"), failed()}).size(), 3U);
  EXPECT_EQ(one.tell({overdue("small")}, {"drill overdue"}),
            Lines{"told bob, max: over: drill overdue: full"});
  EXPECT_EQ(one.tell({overdue("small")}, {"drill overdue"}), Lines{});
}

// Whoever was told hears of the end, also when the plan names others by now.
TEST(Alerts, TheEndIsForThoseWhoWereTold) {
  Machine one(nullptr, "one");
  EXPECT_EQ(one.tell({overdue("full")}).size(), 1U);
  const auto other = plan_of("alerts: {info: {on: [drill overdue], send: ada}}\n");
  EXPECT_EQ(one.tell({overdue("full", false)}, {}, other),
            Lines{"told bob, max: over: drill overdue: full"});
  EXPECT_EQ(one.tell({overdue("full")}, {}, other), Lines{"told ada: drill overdue: full"});
}

}  // namespace
}  // namespace lb::watch
