#include "storage/state/run_log.h"

#include <gtest/gtest.h>

#include "storage/state/record_shelf.h"
#include "storage/state/test_world.h"

namespace lb::state {
namespace {

using record::RunEvent;
using record::RunEventKind;
using record::RunInput;
using record::RunInputKind;

constexpr const char* act = "run db-loss";

// One machine: a journal of its own.
struct Machine {
  explicit Machine(repo::Repository* repository)
      : journal(Journal::open(test.world, test.path).take()), log(*journal, repository) {}
  TestWorld test;
  std::unique_ptr<Journal> journal;
  RunLog log;

  Status append(std::uint64_t number, RunEventKind kind, const std::string& text = "") {
    RunEvent event;
    event.number = number;
    event.kind = kind;
    event.at = from_micros(1'800'000'000'000'000 + static_cast<std::int64_t>(number));
    event.host = "a";
    event.text = text;
    if (kind == RunEventKind::opened) event.data = Json::object().set("runbook", "db-loss");
    return log.append("r1", act, event);
  }
};

TEST(RunLog, AnotherMachineReadsWhatOneWrote) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  ASSERT_TRUE(one.append(2, RunEventKind::began, "stop the api").ok());
  EXPECT_EQ(one.log.behind(), "");
  auto events = two.log.events("r1");
  ASSERT_TRUE(events.ok()) << events.error().text();
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[1].text, "stop the api");
  EXPECT_EQ((*events)[1].kind, RunEventKind::began);
  auto heads = two.log.runs(true).take();
  ASSERT_EQ(heads.size(), 1u);
  EXPECT_EQ(heads[0].runbook, "db-loss");
  EXPECT_FALSE(heads[0].closed);
  // It goes on where the first one was, also when the repository is gone meanwhile.
  shelf.put_fails = ErrorKind::unavailable;
  ASSERT_TRUE(two.append(3, RunEventKind::closed).ok());
  EXPECT_NE(two.log.behind(), "");
  EXPECT_TRUE(two.log.runs(false).value().at(0).closed);
}

TEST(RunLog, ANumberIsTakenOnce) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  ASSERT_TRUE(two.log.events("r1").ok());
  ASSERT_TRUE(two.append(2, RunEventKind::began, "by two").ok());
  auto late = one.append(2, RunEventKind::began, "by one");
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind(), ErrorKind::conflict);
  EXPECT_EQ(late.error().exit_code(), ExitCode::locked);
}

TEST(RunLog, ANumberIsTakenOnceOnOneMachineWithoutARepository) {
  Machine one(nullptr);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  RunLog second(*one.journal, nullptr);
  RunEvent event;
  event.number = 1;
  EXPECT_EQ(second.append("r1", act, event).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(one.log.events("r1").value().size(), 1u);
}

TEST(RunLog, WhatCouldNotBeSentFollowsInOrder) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  shelf.put_fails = ErrorKind::unavailable;
  ASSERT_TRUE(one.append(2, RunEventKind::began).ok());
  ASSERT_TRUE(one.append(3, RunEventKind::ended).ok());
  EXPECT_EQ(two.log.events("r1").value().size(), 1u);
  shelf.put_fails.reset();
  ASSERT_TRUE(one.append(4, RunEventKind::began).ok());
  EXPECT_EQ(one.log.behind(), "");
  EXPECT_EQ(two.log.events("r1").value().size(), 4u);
}

// One that fails alone keeps those behind it back: a kill between them must leave no gap.
TEST(RunLog, NoneIsSentBeforeOneThatCameFirst) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  shelf.put_fails_of = "000002";
  ASSERT_TRUE(one.append(2, RunEventKind::began).ok());
  shelf.put_fails_of = "000002";
  ASSERT_TRUE(one.append(3, RunEventKind::ended).ok());
  EXPECT_TRUE(shelf.put_fails_of.empty()) << "it was tried";
  EXPECT_FALSE(shelf.held.contains({"run.r1", "000003"}));
  EXPECT_NE(one.log.behind(), "");
  auto events = two.log.events("r1");
  ASSERT_TRUE(events.ok()) << events.error().text();
  EXPECT_EQ(events->size(), 1u);
  ASSERT_TRUE(one.append(4, RunEventKind::began).ok());
  EXPECT_EQ(one.log.behind(), "");
  EXPECT_EQ(two.log.events("r1").value().size(), 4u);
}

TEST(RunLog, WhatOneRunCouldNotSendIsNotSentAsAnothers) {
  RecordShelf shelf;
  Machine one(&shelf);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  shelf.put_fails = ErrorKind::unavailable;
  ASSERT_TRUE(one.append(2, RunEventKind::began).ok());
  shelf.put_fails.reset();
  RunEvent other;
  other.number = 1;
  other.kind = RunEventKind::opened;
  ASSERT_TRUE(one.log.append("r2", act, other).ok());
  EXPECT_FALSE(shelf.held.contains({"run.r2", "000002"}));
  EXPECT_NE(one.log.behind(), "") << "the first run still waits";
  ASSERT_TRUE(one.append(3, RunEventKind::ended).ok());
  EXPECT_EQ(one.log.behind(), "");
  EXPECT_TRUE(shelf.held.contains({"run.r1", "000002"}));
}

// A folder that is listed while events are added may show the last one without the one before.
TEST(RunLog, AListingTakenWhileOthersWriteIsTakenAgain) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  for (std::uint64_t number = 1; number <= 3; ++number)
    ASSERT_TRUE(one.append(number, number == 1 ? RunEventKind::opened : RunEventKind::began).ok());
  shelf.unlisted = "000002";
  auto events = two.log.events("r1");
  ASSERT_TRUE(events.ok()) << events.error().text();
  EXPECT_EQ(events->size(), 3u);
}

// The program that could not send was killed: the next one on that machine sends what is missing.
TEST(RunLog, ANewProgramSendsWhatTheLastOneCouldNot) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  shelf.put_answers = ErrorKind::timeout;  // it is there, but nobody said so
  ASSERT_TRUE(one.append(2, RunEventKind::began).ok());
  shelf.put_answers.reset();
  shelf.put_fails = ErrorKind::unavailable;
  ASSERT_TRUE(one.append(3, RunEventKind::ended).ok());
  shelf.put_fails.reset();
  RunLog next(*one.journal, &shelf);
  ASSERT_EQ(next.events("r1").value().size(), 3u);
  EXPECT_EQ(two.log.events("r1").value().size(), 3u);
}

TEST(RunLog, AGapIsNotPassedOver) {
  RecordShelf shelf;
  Machine one(&shelf);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  ASSERT_TRUE(one.append(3, RunEventKind::began).ok());
  auto events = one.log.events("r1");
  ASSERT_FALSE(events.ok());
  EXPECT_EQ(events.error().kind(), ErrorKind::corrupt);
  EXPECT_NE(events.error().text().find("event 2 is missing"), std::string::npos);
}

TEST(RunLog, InputsOfOthersAreFoundWhenAskedFar) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  RunInput input;
  input.kind = RunInputKind::approve;
  input.user = "ada";
  input.step = 4;
  input.data = Json::object().set("hash", "ab");
  ASSERT_TRUE(two.log.put("r1", act, input).ok());
  EXPECT_TRUE(one.log.inputs("r1", false).value().empty());
  auto far = one.log.inputs("r1", true).take();
  ASSERT_EQ(far.size(), 1u);
  EXPECT_EQ(far[0].data["hash"].string(), "ab");
  EXPECT_EQ(far[0].user, "ada");
  EXPECT_EQ(one.log.events("r1").value().size(), 1u) << "an input is no event";
}

// Neither saw the other while the repository was gone. The one that came first is the run; the
// other one's own journal still tells what it did, and says that it does not count.
TEST(RunLog, OfTwoThatDroveApartTheRepositorysCounts) {
  RecordShelf shelf;
  Machine one(&shelf), two(&shelf);
  ASSERT_TRUE(one.append(1, RunEventKind::opened).ok());
  ASSERT_TRUE(two.log.events("r1").ok());
  shelf.put_fails = ErrorKind::unavailable;
  ASSERT_TRUE(one.append(2, RunEventKind::began, "by one").ok());
  ASSERT_TRUE(two.append(2, RunEventKind::began, "by two").ok());
  ASSERT_TRUE(two.append(3, RunEventKind::ended, "by two").ok());
  shelf.put_fails.reset();
  ASSERT_TRUE(one.append(3, RunEventKind::ended, "by one").ok());
  auto late = two.append(4, RunEventKind::began, "by two");
  EXPECT_EQ(late.error().kind(), ErrorKind::conflict);
  for (auto* machine : {&one, &two}) {
    RunLog again(*machine->journal, &shelf);
    auto events = again.events("r1").take();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[1].text, "by one");
    EXPECT_EQ(events[2].text, "by one");
    EXPECT_EQ(again.lost().empty(), machine == &one) << again.lost();
  }
  EXPECT_FALSE(shelf.held.contains({"run.r1", "000004"})) << "nothing of the lost branch is sent";
}

}  // namespace
}  // namespace lb::state
