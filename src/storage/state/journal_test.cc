#include "storage/state/journal.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "foundation/base/text.h"
#include "storage/state/entry_id.h"
#include "storage/state/test_world.h"
#include "storage/state/whereabouts.h"

namespace lb::state {
namespace {

using record::JournalEntry;

std::unique_ptr<Journal> open_journal(TestWorld& test) {
  auto journal = Journal::open(test.world, test.path);
  if (!journal.ok()) ADD_FAILURE() << journal.error().text();
  return journal.ok() ? std::move(journal).take() : nullptr;
}

JournalEntry note(const std::string& text) {
  JournalEntry entry;
  entry.act = "test";
  entry.text = text;
  return entry;
}

std::vector<std::string> texts(Journal& journal, std::size_t newest_max = 10'000) {
  auto entries = journal.entries(newest_max);
  if (!entries.ok()) ADD_FAILURE() << entries.error().text();
  std::vector<std::string> out;
  if (entries.ok()) {
    for (const auto& entry : *entries) out.push_back(entry.text);
  }
  return out;
}

std::uint32_t mode_of(TestWorld& test, const std::string& path) {
  auto info = test.files->info(path);
  return info.ok() ? info->mode : 0;
}

TEST(Journal, KeepsEntriesInOrderAcrossOpenings) {
  TestWorld test;
  {
    auto journal = open_journal(test);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(journal->add(note(cat("entry ", i))).ok());
  }
  auto journal = open_journal(test);
  const auto all = texts(*journal);
  ASSERT_EQ(all.size(), 20u);
  EXPECT_EQ(all.front(), "entry 0");
  EXPECT_EQ(all.back(), "entry 19");
  EXPECT_EQ(texts(*journal, 2), (std::vector<std::string>{"entry 18", "entry 19"}));
  EXPECT_TRUE(texts(*journal, 0).empty());
}

TEST(Journal, EntriesOfOneInstantKeepTheirOrder) {
  TestWorld test;
  SimClock clock(from_micros(1'768'269'600'000'000));
  World world{clock, *test.random, *test.files, test.http, test.processes, test.sandboxes};
  auto journal = Journal::open(world, test.path);
  ASSERT_TRUE(journal.ok()) << journal.error().text();
  for (int i = 0; i < 300; ++i) ASSERT_TRUE((*journal)->add(note(cat(i))).ok());
  const auto all = texts(**journal);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], cat(i));
}

TEST(Journal, FillsWhatIsEmptyAndKeepsWhatIsGiven) {
  TestWorld test;
  auto journal = open_journal(test);
  ASSERT_TRUE(journal->add(note("filled")).ok());
  JournalEntry given = note("given");
  given.id = "0id";
  given.at = from_micros(5);
  given.host = "elsewhere";
  given.actor = "someone";
  given.run = "run";
  given.store = "db";
  given.details.set("bytes", 7);
  ASSERT_TRUE(journal->add(given).ok());
  auto entries = journal->entries(10);
  ASSERT_TRUE(entries.ok());
  const auto& first = entries->at(0);
  EXPECT_EQ(record::encode(first), record::encode(given));
  const auto& filled = entries->at(1);
  EXPECT_EQ(filled.id.size(), 26u);
  EXPECT_GT(filled.at, from_micros(5));
  EXPECT_EQ(filled.host, whereabouts(*test.files).host);
  EXPECT_NE(filled.host, "unknown");
  EXPECT_FALSE(filled.actor.empty());
  EXPECT_EQ(journal->add(given).error().kind(), ErrorKind::conflict);  // an id names one entry
}

TEST(Journal, FileAndFolderAreForTheOwnerAlone) {
  TestWorld test;
  auto journal = open_journal(test);
  ASSERT_TRUE(journal->add(note("x")).ok());
  EXPECT_EQ(mode_of(test, test.folder / "state"), 0700u);
  EXPECT_EQ(mode_of(test, test.path), 0600u);
  EXPECT_EQ(mode_of(test, test.path + "-wal"), 0600u);
  journal.reset();
  ASSERT_TRUE(test.files->set_mode(test.path, 0644).ok());
  journal = open_journal(test);
  EXPECT_EQ(mode_of(test, test.path), 0600u);
}

TEST(Journal, RefusesAFolderInPlaceOfTheFile) {
  TestWorld test;
  ASSERT_TRUE(make_directories(*test.files, test.path, 0700).ok());
  auto journal = Journal::open(test.world, test.path);
  ASSERT_FALSE(journal.ok());
  EXPECT_EQ(journal.error().kind(), ErrorKind::invalid);
}

TEST(Journal, AFileOfANewerVersionIsLeftAlone) {
  TestWorld test;
  open_journal(test).reset();
  Command command;
  command.argv = {"python3", "-c",
                  "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); "
                  "c.execute('PRAGMA user_version=9'); c.commit()",
                  test.path};
  command.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  auto ran = real_processes()->run(command, Seconds(60), {});
  ASSERT_TRUE(ran.ok() && ran->ok());
  auto journal = Journal::open(test.world, test.path);
  ASSERT_FALSE(journal.ok());
  EXPECT_EQ(journal.error().kind(), ErrorKind::unsupported);
}

// The file with the given bytes in place of a sound journal is set aside, unharmed, and said so.
void expect_set_aside(TestWorld& test, const Buffer& damaged) {
  auto journal = open_journal(test);
  ASSERT_NE(journal, nullptr);
  auto entries = journal->entries(10);
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 1u);
  const auto& warning = entries->front();
  EXPECT_FALSE(warning.ok);
  const std::string aside = warning.details["set_aside"].string();
  EXPECT_NE(warning.text.find(aside), std::string::npos);
  auto kept = read_file(*test.files, aside, 1 << 20);
  ASSERT_TRUE(kept.ok()) << kept.error().text();
  EXPECT_EQ(*kept, damaged);
  ASSERT_TRUE(journal->add(note("on")).ok());
}

TEST(Journal, AFileThatIsNoDatabaseIsSetAside) {
  TestWorld test;
  ASSERT_TRUE(make_directories(*test.files, test.folder / "state", 0700).ok());
  const std::string text(9000, 'x');
  ASSERT_TRUE(write_durably(*test.files, test.path, view_of(text)).ok());
  expect_set_aside(test, Buffer(text.begin(), text.end()));
}

TEST(Journal, ADatabaseWithABrokenPageIsSetAside) {
  TestWorld test;
  {
    auto journal = open_journal(test);
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(journal->add(note(std::string(500, 'y'))).ok());
  }
  auto bytes = read_file(*test.files, test.path, 1 << 20);
  ASSERT_TRUE(bytes.ok());
  Buffer damaged = *bytes;
  ASSERT_GT(damaged.size(), 100'000u);
  for (std::size_t i = 8192; i < damaged.size(); ++i) damaged[i] ^= 0x5a;
  ASSERT_TRUE(write_durably(*test.files, test.path, damaged).ok());
  expect_set_aside(test, damaged);
}

TEST(Journal, TwoThreadsAndTwoOpeningsWriteAtOnce) {
  TestWorld test;
  auto one = open_journal(test), two = open_journal(test);
  {
    std::vector<std::jthread> writers;
    for (Journal* journal : {one.get(), one.get(), two.get()}) {
      writers.emplace_back([journal] {
        for (int i = 0; i < 50; ++i) EXPECT_TRUE(journal->add(note("x")).ok());
      });
    }
  }
  EXPECT_EQ(texts(*one).size(), 150u);
  EXPECT_EQ(texts(*two).size(), 150u);
}

// Runs as a child of the test below: its working directory tells it what to write and where.
TEST(JournalChild, DISABLED_WritesFiftyEntries) {
  auto clock = real_clock();
  auto random = real_random();
  auto files = real_files();
  NoProcesses processes;
  NoHttp http;
  NoSandboxes sandboxes;
  World world{*clock, *random, *files, http, processes, sandboxes};
  auto journal = Journal::open(world, "state/journal.sqlite");
  ASSERT_TRUE(journal.ok()) << journal.error().text();
  for (int i = 0; i < 50; ++i) {
    auto added = (*journal)->add(note("child"));
    ASSERT_TRUE(added.ok()) << added.error().text();
  }
}

TEST(Journal, SeveralProcessesMakeAndFillOneFileTogether) {
  TestWorld test;
  auto self = test.files->read_link("/proc/self/exe");
  ASSERT_TRUE(self.ok());
  Command command;
  command.argv = {*self, "--gtest_also_run_disabled_tests", "--gtest_filter=JournalChild.*"};
  command.directory = test.folder.path();
  auto processes = real_processes();
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 3; ++i) {
    auto child = processes->start(command);
    ASSERT_TRUE(child.ok()) << child.error().text();
    children.push_back(std::move(child).take());
  }
  auto journal = open_journal(test);
  ASSERT_NE(journal, nullptr);
  for (int i = 0; i < 50; ++i) {
    auto added = journal->add(note("parent"));
    EXPECT_TRUE(added.ok()) << added.error().text();
  }
  for (auto& child : children) {
    auto finished = child->wait({});
    ASSERT_TRUE(finished.ok());
    EXPECT_TRUE(finished->ok());
  }
  EXPECT_EQ(texts(*journal).size(), 200u);
}

TEST(Act, RecordsIntentNotesAndOutcomeUnderOneRun) {
  TestWorld test;
  auto journal = open_journal(test);
  auto act = Act::begin(test.world, *journal, "backup db", "db", "back up db",
                        Json::object().set("parent", "01x"));
  ASSERT_TRUE(act.ok()) << act.error().text();
  ASSERT_TRUE((*act)->note("half way").ok());
  ASSERT_TRUE((*act)->finish(true, "done", Json::object().set("bytes", 9)).ok());
  EXPECT_EQ((*act)->finish(true, "again", Json()).error().kind(), ErrorKind::internal);
  auto entries = journal->entries_of_run((*act)->run());
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ(entries->at(0).phase, JournalEntry::Phase::intent);
  EXPECT_EQ(entries->at(0).details["parent"].string(), "01x");
  EXPECT_EQ(entries->at(1).phase, JournalEntry::Phase::note);
  EXPECT_EQ(entries->at(2).phase, JournalEntry::Phase::outcome);
  EXPECT_EQ(entries->at(2).details["bytes"].integer(), 9);
  for (const auto& entry : *entries) {
    EXPECT_EQ(entry.act, "backup db");
    EXPECT_EQ(entry.store, "db");
    EXPECT_TRUE(entry.ok);
  }
  auto interrupted = journal->interrupted();
  ASSERT_TRUE(interrupted.ok());
  EXPECT_TRUE(interrupted->empty());
}

TEST(Act, TheNewestOutcomesAreFoundByWhatWasDone) {
  TestWorld test;
  auto journal = open_journal(test);
  auto done = [&](const std::string& what, bool ok, const std::string& text) {
    auto act = Act::begin(test.world, *journal, what, {}, "began", Json::object()).take();
    ASSERT_TRUE(act->note("half way").ok());
    ASSERT_TRUE(act->finish(ok, text, Json::object()).ok());
  };
  for (const char* text : {"one", "two", "three"}) {
    done("prune", true, text);
    done("copy sync", true, "other");
  }
  done("prune", false, "four");
  std::vector<std::string> found;
  for (const auto& entry : journal->outcomes("prune", 3).take()) found.push_back(entry.text);
  EXPECT_EQ(found, (std::vector<std::string>{"two", "three", "four"}));
  EXPECT_TRUE(journal->outcomes("drill", 3)->empty());
}

TEST(Act, WithoutFinishItIsAbandoned) {
  TestWorld test;
  auto journal = open_journal(test);
  std::string run;
  {
    auto act = Act::begin(test.world, *journal, "restore db", "db", "restore", Json());
    ASSERT_TRUE(act.ok());
    run = (*act)->run();
    auto during = journal->interrupted();  // our own process lives: nothing was interrupted
    ASSERT_TRUE(during.ok());
    EXPECT_TRUE(during->empty());
  }
  auto entries = journal->entries_of_run(run);
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_FALSE(entries->at(1).ok);
  EXPECT_EQ(entries->at(1).text, "abandoned");
}

// kill -9 between intent and outcome: the intent is on disk, and the next start is told of it.
TEST(ActDeathTest, AKillBetweenIntentAndOutcomeIsSeenByTheNextStart) {
  TestWorld test;
  open_journal(test).reset();
  EXPECT_EXIT(
      {
        auto journal = open_journal(test);
        auto act = Act::begin(test.world, *journal, "backup db", "db", "back up db", Json());
        if (act.ok()) std::raise(SIGKILL);
      },
      testing::KilledBySignal(SIGKILL), "");
  auto journal = open_journal(test);
  auto interrupted = journal->interrupted();
  ASSERT_TRUE(interrupted.ok());
  ASSERT_EQ(interrupted->size(), 1u);
  EXPECT_EQ(interrupted->front().act, "backup db");
  // The same act, done by a later run, settles it; another act does not.
  const auto run_to_end = [&](const char* name, bool ok) {
    auto act = Act::begin(test.world, *journal, name, "db", "again", Json());
    ASSERT_TRUE(act.ok());
    ASSERT_TRUE((*act)->finish(ok, "end", Json()).ok());
  };
  run_to_end("restore db", true);
  run_to_end("backup db", false);
  EXPECT_EQ(journal->interrupted().value().size(), 1u);
  run_to_end("backup db", true);
  EXPECT_TRUE(journal->interrupted().value().empty());
}

TEST(Whereabouts, KnowsTheLivingFromTheDead) {
  TestWorld test;
  const auto here = whereabouts(*test.files);
  ASSERT_EQ(split(here.process, '/').size(), 4u) << here.process;
  EXPECT_FALSE(process_gone(*test.files, here.process, here.process));
  auto parts = split(here.process, '/');
  const auto with = [&](std::size_t index, const std::string& value) {
    auto changed = parts;
    changed[index] = value;
    return join(changed, "/");
  };
  EXPECT_TRUE(process_gone(*test.files, with(0, "another-boot"), here.process));
  EXPECT_FALSE(process_gone(*test.files, with(1, "pid:[1]"), here.process));
  EXPECT_TRUE(process_gone(*test.files, with(2, "4194999"), here.process));
  EXPECT_TRUE(process_gone(*test.files, with(3, "1"), here.process));  // the number was given anew
  EXPECT_TRUE(process_gone(*test.files, "", here.process));
}

TEST(EntryIds, SortByTimeAndWithinOneMillisecond) {
  auto random = seeded_random(3);
  EntryIds ids(*random);
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    const auto id = ids.next(from_micros(1'768'269'600'000'000 + i / 10 * 1000));
    EXPECT_GT(id, last);
    EXPECT_EQ(id.size(), 26u);
    last = id;
  }
  EXPECT_GT(ids.next(from_micros(0)), last);  // a clock that went back
  EntryIds others(*random);
  EXPECT_EQ(time_of_id(others.next(from_micros(1'768'269'600'123'456))),
            from_micros(1'768'269'600'123'000));
  EXPECT_FALSE(time_of_id("short"));
  EXPECT_FALSE(time_of_id("UPPERCASEUPPERCASEUPPERCAS"));
}

}  // namespace
}  // namespace lb::state
