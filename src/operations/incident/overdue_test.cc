#include "operations/incident/overdue.h"

#include "operations/incident/claims.h"
#include "operations/incident/incident_testing.h"
#include "operations/incident/scheduled.h"
#include "operations/notify/test_machine.h"
#include "storage/state/record_shelf.h"

namespace lb::incident {
namespace {

using record::Fact;
using testing::start;

const plan::Plan& the_plan() {
  static const plan::Plan plan = testing::plan_of(R"(channels: {out: {command: "cat > /dev/null"}}
people:
  ada: {via: out}
  bob: {via: out}
alerts:
  critical: {on: [backup failed], send: bob}
  warning: {on: [drill overdue, review overdue], send: [ada]}
tasks: {logs: {review: backup logs, every: monthly, by: bob}}
)");
  return plan;
}

struct Machine : notify::TestMachine {
  Machine(repo::Repository* shared, std::string its_name)
      : TestMachine(the_plan(), std::move(its_name), start), log(*journal, shared, "task") {}
  void say(const std::string& task, Fact fact) {
    fact.id = log.fresh_id();
    fact.at = clock.now();
    auto put = log.put(task, fact);
    ASSERT_TRUE(put.ok()) << put.error().text();
  }
  void add(const TaskState& task) {
    say(task.id, testing::fact(1, kind::added, Micros(0),
                               Json::object()
                                   .set("text", task.text)
                                   .set("owner", task.owner)
                                   .set("due", format_time(*task.due))));
  }
  std::vector<TaskState> tasks() {
    std::vector<TaskState> out;
    for (const auto& id : log.members(true).take())
      out.push_back(fold_task(the_plan(), id, log.facts(id, true).take()).take());
    return out;
  }
  std::vector<std::string> tell(const plan::Plan& plan = the_plan()) {
    auto told = tell_overdue({world, plan, postman, log, name, name}, tasks());
    EXPECT_TRUE(told.ok()) << told.error().text();
    return told.ok() ? *told : std::vector<std::string>();
  }
  std::vector<std::string> stored() {
    std::vector<std::string> out;
    for (const auto& item : outbox->items(50).take()) out.push_back(cat(item.to, ":", item.key));
    return out;
  }

  state::FactLog log;
};

TaskState task(const char* id, Micros due) {
  TaskState out;
  out.id = id;
  out.text = "order a disk";
  out.due = start + due;
  return out;
}

TEST(Overdue, IsToldOnceWhenItsDateHasPassed) {
  Machine one(nullptr, "one");
  one.add(task("t1", Seconds(60)));
  EXPECT_TRUE(one.tell().empty()) << "it is not due yet";
  one.clock.advance(Seconds(61));
  EXPECT_EQ(one.tell(), std::vector<std::string>{"order a disk"});
  EXPECT_TRUE(one.tell().empty());
  EXPECT_EQ(one.stored(), std::vector<std::string>{"ada:task/t1/overdue"});
}

TEST(Overdue, WhomThePlanDoesNotNameIsNotTold) {
  Machine one(nullptr, "one");
  one.add(task("t1", -Seconds(1)));
  EXPECT_TRUE(one.tell(testing::plan_of("")).empty());
  EXPECT_TRUE(one.stored().empty());
}

TEST(Overdue, AReviewThatIsOverdueAnewIsToldAnew) {
  Machine one(nullptr, "one");
  const auto review = scheduled_of(the_plan()).at(0);
  for (int time = 1; time <= 2; ++time) {
    const auto next = next_of(review, one.tasks(), one.clock.now());
    ASSERT_TRUE(next);
    one.add(*next);
    EXPECT_TRUE(one.tell().empty());
    one.clock.set_wall(*next->due + Seconds(1));
    EXPECT_EQ(one.tell(), std::vector<std::string>{"review backup logs"});
    EXPECT_TRUE(one.tell().empty());
    one.say(next->id, testing::fact(9, kind::done, Micros(0)));
    EXPECT_EQ(one.stored().size(), static_cast<std::size_t>(time));
  }
}

TEST(Overdue, OfTwoMachinesOneTells) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one"), two(&shelf, "two");
  one.add(task("t1", -Seconds(1)));
  const auto seen = two.tasks();  // before the other one has told
  EXPECT_EQ(one.tell().size(), 1U);
  EXPECT_TRUE(tell_overdue({two.world, the_plan(), two.postman, two.log, "two", "two"}, seen)
                  .take()
                  .empty());
  EXPECT_TRUE(two.tell().empty());
  two.clock.advance(claim_lasts * 2);
  EXPECT_TRUE(two.tell().empty()) << "the task says that it was told";
  EXPECT_TRUE(two.stored().empty());
}

TEST(Overdue, AMachineThatClaimedAndDiedIsReplaced) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one"), two(&shelf, "two");
  one.add(task("t1", -Seconds(1)));
  ASSERT_TRUE(one.log.claim("t1", "overdue.1", cat("one@", format_time(start))).ok());
  EXPECT_TRUE(two.tell().empty());
  two.clock.advance(claim_lasts + Seconds(1));
  EXPECT_EQ(two.tell().size(), 1U);
  EXPECT_TRUE(one.tell().empty()) << "it comes back and sees that it was told";
}

TEST(Overdue, KilledBetweenMessageAndNoteItTellsNobodyTwice) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one");
  one.add(task("t1", -Seconds(1)));
  ASSERT_TRUE(one.log.claim("t1", "overdue.1", cat("one@", format_time(start))).ok());
  ASSERT_TRUE(one.postman.post(overdue_letter(the_plan(), one.tasks()[0], start), {"ada"}).ok());
  EXPECT_EQ(one.tell().size(), 1U);
  EXPECT_EQ(one.stored().size(), 1U);
}

TEST(Overdue, WithoutTheRepositoryEachMachineTells) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one"), two(&shelf, "two");
  one.add(task("t1", -Seconds(1)));
  ASSERT_EQ(two.tasks().size(), 1U);
  shelf.put_fails = ErrorKind::unavailable;
  EXPECT_EQ(one.tell().size(), 1U);
  EXPECT_EQ(two.tell().size(), 1U);
}

}  // namespace
}  // namespace lb::incident
