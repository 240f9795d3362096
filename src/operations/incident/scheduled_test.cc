#include "operations/incident/scheduled.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "model/plan/reader.h"
#include "model/plan/schedule.h"

namespace lb::incident {
namespace {

Timestamp at(const std::string& text) { return parse_time(text).take(); }

Scheduled monthly() {
  return {"runbook loss", "review runbook loss", "dba", plan::parse_schedule("monthly").take()};
}

TaskState done_at(TaskState task, const std::string& when) {
  task.done = Said{at(when), "ada"};
  return task;
}

TEST(Scheduled, ComesAgainOnceItIsDone) {
  std::vector<TaskState> known;
  auto first = next_of(monthly(), known, at("2026-01-13T10:00:00Z"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->due, at("2026-02-01T00:00:00Z"));
  EXPECT_EQ(first->owner, "dba");
  EXPECT_EQ(next_of(monthly(), known, at("2026-01-20T00:00:00Z"))->id, first->id)
      << "another machine, days later, means the same";
  known.push_back(*first);
  EXPECT_FALSE(next_of(monthly(), known, at("2026-03-13T10:00:00Z"))) << "it is still open";
  EXPECT_TRUE(first->overdue(at("2026-02-02T00:00:00Z")));
  known.back() = done_at(*first, "2026-03-13T10:00:00Z");
  auto second = next_of(monthly(), known, at("2026-03-13T10:00:01Z"));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->due, at("2026-04-01T00:00:00Z")) << "not once for each that was missed";
  EXPECT_NE(second->id, first->id);
}

TEST(Scheduled, DoneEarlyItIsNotDueAgainTheSameDay) {
  auto first = next_of(monthly(), {}, at("2026-01-13T10:00:00Z"));
  auto next =
      next_of(monthly(), {done_at(*first, "2026-01-14T00:00:00Z")}, at("2026-01-14T00:00:01Z"));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->due, at("2026-03-01T00:00:00Z"));
}

TEST(Scheduled, AClockThatJumpsNeitherLosesNorDoublesIt) {
  auto first = next_of(monthly(), {}, at("2026-01-13T10:00:00Z"));
  EXPECT_FALSE(next_of(monthly(), {*first}, at("2020-01-01T00:00:00Z")));
  EXPECT_FALSE(next_of(monthly(), {*first}, at("2036-01-01T00:00:00Z")));
  auto next =
      next_of(monthly(), {done_at(*first, "2026-02-03T00:00:00Z")}, at("2020-01-01T00:00:00Z"));
  EXPECT_EQ(next->due, at("2026-03-01T00:00:00Z"));
}

// A text that says itself that it is old is overdue from the first look on.
TEST(Scheduled, CountsFromWhenThePlanSaysItWasUpdated) {
  auto stale = monthly();
  stale.last = at("2026-01-13T00:00:00Z");
  auto first = next_of(stale, {}, at("2026-06-20T10:00:00Z"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->due, at("2026-02-01T00:00:00Z"));
  EXPECT_TRUE(first->overdue(at("2026-06-20T10:00:00Z")));
  auto done = done_at(*first, "2026-06-21T00:00:00Z");
  EXPECT_EQ(next_of(stale, {done}, at("2026-06-21T00:00:01Z"))->due, at("2026-07-01T00:00:00Z"));
  stale.last = at("2026-08-02T00:00:00Z");
  EXPECT_EQ(next_of(stale, {done}, at("2026-08-03T00:00:00Z"))->due, at("2026-09-01T00:00:00Z"))
      << "updated since, without a word about the task";
}

TEST(Scheduled, AllThatThePlanAsksFor) {
  auto read = plan::read_plan("plan.yaml", R"(version: 1
system: shop
repository: {at: /tmp/r, key: env:KEY}
stores: {db: {postgres: env:URL}}
targets: {sandbox: {isolate: network}}
people: {dba: {users: [ada], review: quarterly, updated: 2026-01-02}}
drills:
  full: {every: yearly, restore: db, into: sandbox, review: [plan, objectives]}
runbooks:
  loss: {owner: dba, review: quarterly, steps: [{banner: x}]}
  none: {steps: [{banner: x}]}
tasks:
  logs: {review: backup logs, every: monthly, by: dba}
  once: {review: incident, by: dba}
)",
                              nullptr);
  ASSERT_EQ(plan::format_mistakes(read.mistakes, false), "");
  std::vector<std::string> lines;
  for (const auto& each : scheduled_of(read.plan))
    lines.push_back(cat(each.text, " [", each.owner, "] ", each.every.text));
  EXPECT_EQ(lines, (std::vector<std::string>{"review runbook loss [dba] quarterly",
                                             "try how dba is reached [dba] quarterly",
                                             "review backup logs [dba] monthly",
                                             "review plan, objectives (drill full) [] yearly"}));
}

}  // namespace
}  // namespace lb::incident
