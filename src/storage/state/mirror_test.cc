#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "storage/state/journal.h"
#include "storage/state/record_shelf.h"
#include "storage/state/test_world.h"

namespace lb::state {
namespace {

using record::JournalEntry;

std::unique_ptr<Journal> open_journal(TestWorld& test, const std::string& path) {
  auto journal = Journal::open(test.world, path);
  if (!journal.ok()) ADD_FAILURE() << journal.error().text();
  return journal.ok() ? std::move(journal).take() : nullptr;
}

void add(Journal& journal, const std::string& text) {
  JournalEntry entry;
  entry.act = "test";
  entry.run = cat("run of ", text);
  entry.text = text;
  entry.phase = JournalEntry::Phase::intent;
  auto added = journal.add(std::move(entry));
  EXPECT_TRUE(added.ok()) << added.error().text();
}

std::vector<std::string> texts(Journal& journal) {
  std::vector<std::string> out;
  auto entries = journal.entries(100'000);
  if (!entries.ok()) ADD_FAILURE() << entries.error().text();
  if (entries.ok()) {
    for (const auto& entry : *entries) out.push_back(entry.text);
  }
  return out;
}

std::size_t lines_held(const RecordShelf& shelf) {
  std::size_t count = 0;
  for (const auto& [key, bytes] : shelf.held) {
    count += static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
  }
  return count;
}

TEST(Mirror, PutsEachEntryOnceAndOneRecordAFlush) {
  TestWorld test;
  RecordShelf shelf;
  auto journal = open_journal(test, test.path);
  for (int i = 0; i < 5; ++i) add(*journal, cat("a", i));
  ASSERT_TRUE(journal->mirror(shelf).ok());
  EXPECT_EQ(shelf.puts, 1);
  EXPECT_EQ(lines_held(shelf), 5u);
  ASSERT_TRUE(journal->mirror(shelf).ok());
  EXPECT_EQ(shelf.puts, 1);
  EXPECT_EQ(shelf.gets, 0);  // what was put here need not be read here
  add(*journal, "b");
  ASSERT_TRUE(journal->mirror(shelf).ok());
  EXPECT_EQ(shelf.puts, 2);
  EXPECT_EQ(lines_held(shelf), 6u);
  EXPECT_EQ(texts(*journal).size(), 6u);
}

TEST(Mirror, ALostLocalFileComesBackWhole) {
  TestWorld test;
  RecordShelf shelf;
  std::string first;
  {
    auto journal = open_journal(test, test.path);
    for (int i = 0; i < 30; ++i) add(*journal, cat("entry ", i));
    ASSERT_TRUE(journal->mirror(shelf).ok());
    first = record::encode(journal->entries(30).value().front()).dump();
  }
  ASSERT_TRUE(remove_tree(*test.files, test.folder / "state").ok());
  auto journal = open_journal(test, test.path);
  EXPECT_TRUE(texts(*journal).empty());
  ASSERT_TRUE(journal->mirror(shelf).ok());
  const auto all = texts(*journal);
  ASSERT_EQ(all.size(), 30u);
  EXPECT_EQ(all.back(), "entry 29");
  EXPECT_EQ(record::encode(journal->entries(30).value().front()).dump(), first);
  EXPECT_EQ(shelf.puts, 1);  // nothing is put a second time
}

TEST(Mirror, TakesWhatOtherHostsWrote) {
  TestWorld test;
  RecordShelf shelf;
  auto here = open_journal(test, test.folder / "here/journal.sqlite");
  auto there = open_journal(test, test.folder / "there/journal.sqlite");
  add(*here, "here 1");
  add(*there, "there 1");
  ASSERT_TRUE(here->mirror(shelf).ok());
  ASSERT_TRUE(there->mirror(shelf).ok());
  ASSERT_TRUE(here->mirror(shelf).ok());
  EXPECT_EQ(texts(*here), (std::vector<std::string>{"here 1", "there 1"}));
  EXPECT_EQ(texts(*there), texts(*here));
  EXPECT_EQ(lines_held(shelf), 2u);
}

TEST(Mirror, InterruptedRunsAreStillKnownAfterTheLocalFileWasLost) {
  TestWorld test;
  RecordShelf shelf;
  EXPECT_EXIT(
      {
        auto journal = open_journal(test, test.path);
        add(*journal, "cut off");
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
  ASSERT_TRUE(open_journal(test, test.path)->mirror(shelf).ok());
  ASSERT_TRUE(remove_tree(*test.files, test.folder / "state").ok());
  auto journal = open_journal(test, test.path);
  ASSERT_TRUE(journal->mirror(shelf).ok());
  auto interrupted = journal->interrupted();
  ASSERT_TRUE(interrupted.ok());
  ASSERT_EQ(interrupted->size(), 1u);
  EXPECT_EQ(interrupted->front().text, "cut off");
}

TEST(Mirror, APutWhoseAnswerWasLostIsNotRepeated) {
  TestWorld test;
  RecordShelf shelf;
  auto journal = open_journal(test, test.path);
  add(*journal, "once");
  shelf.put_answers = ErrorKind::timeout;
  EXPECT_EQ(journal->mirror(shelf).error().kind(), ErrorKind::timeout);
  shelf.put_answers.reset();
  ASSERT_TRUE(journal->mirror(shelf).ok());
  EXPECT_EQ(lines_held(shelf), 1u);
  EXPECT_EQ(texts(*journal).size(), 1u);
}

TEST(Mirror, ARepositoryThatFailsLosesNothing) {
  TestWorld test;
  RecordShelf shelf;
  auto journal = open_journal(test, test.path);
  add(*journal, "kept");
  shelf.put_fails = ErrorKind::unavailable;
  EXPECT_EQ(journal->mirror(shelf).error().kind(), ErrorKind::unavailable);
  shelf.put_fails.reset();
  ASSERT_TRUE(journal->mirror(shelf).ok());
  EXPECT_EQ(lines_held(shelf), 1u);
}

TEST(Mirror, ADamagedRecordIsNamedOnceAndTheRestGoesOn) {
  TestWorld test;
  RecordShelf shelf;
  const std::string broken = "{\"schema\":\"lifeboat.journal/1\",\"id\":";
  shelf.held[{"journal", "00broken"}] = Buffer(broken.begin(), broken.end());
  const std::string foreign = "{\"schema\":\"lifeboat.drill/1\"}\n";
  shelf.held[{"journal", "01foreign"}] = Buffer(foreign.begin(), foreign.end());
  shelf.held[{"journal", "02sealed"}] = {};
  shelf.get_fails["02sealed"] = ErrorKind::corrupt;
  auto journal = open_journal(test, test.path);
  add(*journal, "mine");
  ASSERT_TRUE(journal->mirror(shelf).ok());
  ASSERT_TRUE(journal->mirror(shelf).ok());
  const auto all = texts(*journal);
  ASSERT_EQ(all.size(), 4u);
  for (const char* id : {"00broken", "01foreign", "02sealed"}) {
    const auto names = [&](const std::string& text) { return text.find(id) != std::string::npos; };
    EXPECT_EQ(std::count_if(all.begin(), all.end(), names), 1) << id;
  }
}

TEST(Mirror, ARecordThatCannotBeReadNowIsAnErrorNotDamage) {
  TestWorld test;
  RecordShelf shelf;
  shelf.held[{"journal", "00away"}] = {};
  shelf.get_fails["00away"] = ErrorKind::unavailable;
  auto journal = open_journal(test, test.path);
  EXPECT_EQ(journal->mirror(shelf).error().kind(), ErrorKind::unavailable);
  EXPECT_TRUE(texts(*journal).empty());
}

TEST(Mirror, ManyEntriesGoInBoundedBatches) {
  TestWorld test;
  RecordShelf shelf;
  auto journal = open_journal(test, test.path);
  const std::string large(1 << 20, 'z');
  for (int i = 0; i < 9; ++i) add(*journal, large);
  ASSERT_TRUE(journal->mirror(shelf).ok());
  EXPECT_GE(shelf.puts, 3);
  for (const auto& [key, bytes] : shelf.held) EXPECT_LT(bytes.size(), 5u << 20);
  EXPECT_EQ(lines_held(shelf), 9u);
}

TEST(Mirror, EachRepositoryGetsItsOwnCopy) {
  TestWorld test;
  RecordShelf one, two;
  two.name = "ffeeddccbbaa99887766554433221100";
  auto journal = open_journal(test, test.path);
  add(*journal, "x");
  ASSERT_TRUE(journal->mirror(one).ok());
  ASSERT_TRUE(journal->mirror(two).ok());
  EXPECT_EQ(lines_held(one), 1u);
  EXPECT_EQ(lines_held(two), 1u);
}

record::DrillRecord drill(const std::string& id, int hour) {
  record::DrillRecord out;
  out.id = id;
  out.system = "s";
  out.drill = "full";
  out.started = out.ended = from_micros(1'768'269'600'000'000) + std::chrono::hours(hour);
  out.verdict = record::Verdict::pass;
  return out;
}

TEST(DrillLog, KeepsDrillsOldestFirst) {
  RecordShelf shelf;
  ASSERT_TRUE(put_drill(shelf, drill("b", 1)).ok());
  ASSERT_TRUE(put_drill(shelf, drill("a", 2)).ok());
  auto log = drills(shelf);
  ASSERT_TRUE(log.ok());
  ASSERT_EQ(log->size(), 2u);
  EXPECT_EQ(log->at(0).id, "b");
  EXPECT_EQ(log->at(1).verdict, record::Verdict::pass);
  EXPECT_EQ(put_drill(shelf, drill("a", 3)).error().kind(), ErrorKind::conflict);
}

TEST(DrillLog, ADamagedRecordKeepsItsLineAndSaysSo) {
  RecordShelf shelf;
  ASSERT_TRUE(put_drill(shelf, drill("good", 1)).ok());
  shelf.held[{"drill", "01kd2nj0c4r5t7w9y1z3b5d7fh"}] = Buffer{'{'};
  auto log = drills(shelf);
  ASSERT_TRUE(log.ok());
  ASSERT_EQ(log->size(), 2u);
  const auto& damaged = log->at(0).id == "good" ? log->at(1) : log->at(0);
  EXPECT_EQ(damaged.verdict, record::Verdict::inconclusive);
  EXPECT_NE(damaged.reason.find("damaged"), std::string::npos);
  EXPECT_NE(damaged.started, Timestamp{});
  shelf.get_fails["good"] = ErrorKind::unavailable;
  EXPECT_EQ(drills(shelf).error().kind(), ErrorKind::unavailable);
}

}  // namespace
}  // namespace lb::state
