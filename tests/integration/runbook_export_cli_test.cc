// Runbooks as pages by the real program: printed, written, kept in the repository and read back
// from there when the plan is gone.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

const std::string stores = "stores:\n  data: {files: ./data}\n";
const std::string runbooks =
    "people: {lead: {name: Ada, phone: \"+1 555\"}}\n"
    "runbooks:\n"
    "  loss:\n"
    "    steps:\n"
    "      - {run: systemctl stop shop, by: lead}\n"
    "      - restore: {store: data, to: production}\n"
    "  fire: {steps: [{manual: leave the house}]}\n"
    "targets: {production: {protect: true}}\n";

class RunbookExportCli : public testing::Test {
 protected:
  RunbookExportCli() : boat(LIFEBOAT_BINARY) {
    write_text(boat / "data/a", "a");
    boat.write_plan(stores + runbooks);
  }
  bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  std::size_t stored_sets() { return files_below(boat.repository() + "/r/runbook-pages").size(); }
  std::vector<std::string> open_pages() { return files_below(boat.repository() + "/runbooks"); }
  void overwrite(const std::string& path, const std::string& text) {
    fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
    write_text(path, text);
  }
  Lifeboat boat;
};

TEST_F(RunbookExportCli, PrintsAndWritesPages) {
  auto one = boat.must({"runbook", "export", "loss"});
  EXPECT_TRUE(has(one.out, "# Runbook: loss\n")) << one.out;
  EXPECT_TRUE(has(one.out, "  systemctl stop shop\n"));
  EXPECT_TRUE(has(one.out, "lead (Ada, +1 555)"));
  EXPECT_TRUE(
      has(boat.must({"runbook", "export", "loss", "--format", "html"}).out, "<!DOCTYPE html>"));
  boat.must({"runbook", "export", "--all", "--out", boat / "paper"});
  for (const auto* name : {"loss.html", "loss.md", "fire.html", "fire.md"})
    EXPECT_TRUE(fs::exists(boat / ("paper/" + std::string(name)))) << name;
  auto line = boat.must({"runbook", "export", "--all", "--json"}).summary();
  EXPECT_EQ(line["pages"].items().size(), 2U);
  EXPECT_FALSE(fs::exists(boat.repository())) << "no repository is needed";
}

TEST_F(RunbookExportCli, EveryBackupKeepsThePagesOnceUntilTheyChange) {
  boat.must({"init"});
  boat.must({"backup"});
  EXPECT_EQ(stored_sets(), 1U);
  boat.must({"backup"});
  EXPECT_EQ(stored_sets(), 1U) << "they did not change";
  auto text = read_text(boat / "lifeboat.yaml");
  text.replace(text.find("leave the house"), 15, "call the others");
  write_text(boat / "lifeboat.yaml", text);
  boat.must({"backup"});
  EXPECT_EQ(stored_sets(), 2U);
  // A plan without runbooks, as somebody writes it who has nothing but the repository and its key.
  boat.write_plan(stores);
  auto back = boat.must({"runbook", "export", "fire", "--stored"});
  EXPECT_TRUE(has(back.out, "call the others"));
  boat.must({"runbook", "export", "--all", "--stored", "--out", boat / "rescued"});
  EXPECT_TRUE(has(read_text(boat / "rescued/loss.html"), "systemctl stop shop"));
  EXPECT_TRUE(has(boat.run({"runbook", "export", "odd", "--stored"}).err, "it holds: loss, fire"));
  boat.must({"verify"});
}

TEST_F(RunbookExportCli, SaysWhatStepsTookBefore) {
  boat.must({"init"});
  boat.must({"backup"});
  auto before = boat.must({"runbook", "export", "fire", "--measured"}).out;
  EXPECT_TRUE(has(before, "never measured: no run and no drill of it")) << before;
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(boat.run({"run", "fire", "--no-wait"}).exit_code, 75);
    boat.must({"step", "done", "-m", "all are out"});
    EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 0);
  }
  auto after = boat.must({"runbook", "export", "fire", "--measured"}).out;
  EXPECT_TRUE(has(after, "(2 times, last on ")) << after;
  EXPECT_TRUE(has(after, "2 runs; 0 steps were never measured")) << after;
  boat.must({"runbook", "export", "--all", "--measured", "--out", boat / "paper"});
  EXPECT_TRUE(has(read_text(boat / "paper/fire.html"), "(2 times, last on "));
  EXPECT_FALSE(has(boat.must({"runbook", "export", "fire"}).out, "last on"));
  EXPECT_TRUE(has(boat.must({"forecast", "fire"}).out, "LAST"));
  EXPECT_EQ(boat.run({"runbook", "export", "--all", "--measured", "--store"}).exit_code, 2);
  EXPECT_FALSE(has(boat.must({"runbook", "test", "fire"}).out, "or more in"));
  auto text = read_text(boat / "lifeboat.yaml");
  text.replace(text.find("leave the house"), 15, "leave the house, limit: 1ms");
  write_text(boat / "lifeboat.yaml", text);
  EXPECT_TRUE(has(boat.must({"runbook", "test", "fire"}).out, "or more in half of all cases"));
  EXPECT_TRUE(has(boat.must({"forecast", "fire"}).err, "step 1: it took"));
}

// Where estimates are far off is said without being asked for, and is an alarm.
TEST_F(RunbookExportCli, StatusSaysWhichRunbooksTakeTooLong) {
  boat.must({"init"});
  boat.must({"backup"});
  auto runbook_lines = [&] {
    std::string out;
    const auto status = boat.run({"status", "--json"});
    const auto told = status.summary();
    for (const auto& line : told["lines"].items()) {
      if (line["what"].string() != "runbook fire") continue;
      out += line["state"].string() + ": " + line["text"].string() + "\n";
      EXPECT_EQ(status.exit_code, 4) << "half of all cases";
    }
    return out;
  };
  auto allow = [&](const std::string& before, const std::string& after) {
    auto text = read_text(boat / "lifeboat.yaml");
    text.replace(text.find(before), before.size(), after);
    write_text(boat / "lifeboat.yaml", text);
  };
  allow("fire: {steps", "fire: {objective: {rto: 1ms}, steps");
  EXPECT_EQ(runbook_lines(), "") << "nothing was measured";
  EXPECT_EQ(boat.run({"run", "fire", "--no-wait"}).exit_code, 75);
  boat.must({"step", "done", "-m", "all are out"});
  EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 0);
  auto slow = runbook_lines();
  EXPECT_TRUE(has(slow, "too slow: all of it took ")) << slow;
  EXPECT_TRUE(has(slow, "in half of all cases, and the objective is ")) << slow;
  EXPECT_TRUE(has(slow, "lifeboat forecast fire")) << slow;
  fs::remove_all(boat / "state");  // another machine knows it too
  EXPECT_EQ(runbook_lines(), slow);
  allow("rto: 1ms", "rto: 24h");
  EXPECT_EQ(runbook_lines(), "");
}

// Whoever has nothing but a copy reads the runbooks out of it.
TEST_F(RunbookExportCli, CopiesOfTheRepositoryHoldThePagesToo) {
  const auto key = std::string("key: env:LIFEBOAT_KEY");
  auto text = read_text(boat / "lifeboat.yaml");
  const auto without = text;
  text.replace(text.find(key), key.size(), key + ", copies: [{at: ./offsite}]");
  write_text(boat / "lifeboat.yaml", text);
  boat.must({"init"});
  boat.must({"backup"});
  boat.must({"copy", "sync"});
  fs::remove_all(boat.repository());
  fs::remove_all(boat / "state");
  text = without;
  text.replace(text.find("./repository"), 12, "./offsite");
  write_text(boat / "lifeboat.yaml", text);
  EXPECT_TRUE(has(boat.must({"runbook", "export", "loss", "--stored"}).out, "systemctl stop shop"));
}

// What somebody does who has nothing but a place that holds a copy: no key, no program.
TEST_F(RunbookExportCli, LieOpenInTheRepositoryAndItsCopies) {
  const auto key = std::string("key: env:LIFEBOAT_KEY");
  auto text = read_text(boat / "lifeboat.yaml");
  text.replace(text.find(key), key.size(), key + ", copies: [{at: ./offsite}]");
  write_text(boat / "lifeboat.yaml", text);
  boat.must({"init"});
  auto told = boat.must({"backup"});
  EXPECT_TRUE(has(told.err, "to be read without a key; pages: sealed")) << told.err;
  boat.must({"copy", "sync"});
  for (const auto& place : {boat.repository(), boat / "offsite"}) {
    auto files = files_below(place + "/runbooks");
    ASSERT_EQ(files.size(), 6U) << place;
    EXPECT_TRUE(files[0].ends_with("/INDEX.html")) << files[0];
    EXPECT_TRUE(has(read_text(files[0]), "<a href=\"loss.html\">loss</a>"));
    EXPECT_TRUE(files[4].ends_with("/loss.html"));
    EXPECT_TRUE(has(read_text(files[4]), "systemctl stop shop"));
    EXPECT_TRUE(has(read_text(files[5]), "lead (Ada, +1 555)"));
  }
  EXPECT_FALSE(has(boat.must({"backup"}).err, "to be read without a key")) << "only when new";
  EXPECT_EQ(open_pages().size(), 6U) << "they did not change";
  EXPECT_TRUE(has(boat.must({"verify"}).out, ", 6 open pages, ")) << "and nothing else is said";
  boat.must({"copy", "verify", "--compare"});
  boat.must({"repair", "-n"});
  boat.must({"prune"});
  EXPECT_EQ(open_pages().size(), 6U);
}

// Whoever can write to the store may change what a tired person follows.
TEST_F(RunbookExportCli, AChangedPageIsToldByEverybodyWhoLooks) {
  const auto key = std::string("key: env:LIFEBOAT_KEY");
  auto text = read_text(boat / "lifeboat.yaml");
  text.replace(text.find(key), key.size(), key + ", copies: [{at: ./offsite}]");
  write_text(boat / "lifeboat.yaml", text);
  boat.must({"init"});
  boat.must({"backup"});
  boat.must({"copy", "sync"});
  EXPECT_EQ(boat.run({"status"}).exit_code, 0);
  const auto page = open_pages()[5];
  const auto whole = read_text(page);
  auto evil = whole;
  evil.replace(evil.find("stop shop"), 9, "disable x");
  overwrite(page, evil);  // of the same size
  auto found = boat.run({"verify", "--read", "0%"});
  EXPECT_EQ(found.exit_code, 13) << found.out;
  EXPECT_TRUE(has(found.out, "/loss.md is not what was put there: somebody changed it"));
  EXPECT_TRUE(has(found.out, "1 problem: ")) << found.out;
  EXPECT_EQ(boat.run({"verify", "--json"}).summary()["open_pages"]["troubles"].items().size(), 1U);
  overwrite(page, evil + "\nand more\n");
  auto status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4) << status.out;
  EXPECT_TRUE(has(status.out, "runbook pages")) << status.out;
  const auto planted = boat.repository() + "/runbooks/29990101-000000-0123456789abcdef/loss.md";
  fs::create_directories(fs::path(planted).parent_path());
  write_text(planted, "pay them");
  EXPECT_TRUE(has(boat.run({"verify"}).out, "no sealed record speaks of it"));
  auto mended = boat.run({"verify", "--heal"});
  EXPECT_EQ(mended.exit_code, 13) << "what nobody put there stays until somebody has looked at it";
  EXPECT_TRUE(has(mended.out, "mended: ")) << mended.out;
  EXPECT_EQ(read_text(page), whole);
  fs::remove_all(fs::path(planted).parent_path());
  boat.must({"verify"});
  EXPECT_EQ(boat.run({"status"}).exit_code, 0);
  // In the copy too.
  const auto there = files_below(boat / "offsite/runbooks")[5];
  overwrite(there, evil);
  auto copy = boat.run({"copy", "verify"});
  EXPECT_EQ(copy.exit_code, 13) << copy.out;
  EXPECT_TRUE(has(copy.out, "/loss.md is not what was put there")) << copy.out;
  fs::remove(there);
  boat.must({"copy", "sync"});
  EXPECT_EQ(read_text(there), whole);
  boat.must({"copy", "verify"});
}

TEST_F(RunbookExportCli, ABackupPutsBackWhatIsLostAndPutsChangedPagesAnew) {
  boat.must({"init"});
  boat.must({"backup"});
  auto pages = open_pages();
  const auto whole = read_text(pages[5]);
  fs::remove(pages[5]);
  fs::remove_all(boat / "state");  // another machine
  boat.must({"backup"});
  EXPECT_EQ(read_text(pages[5]), whole) << "at the same place, the same bytes";
  EXPECT_EQ(stored_sets(), 1U);
  overwrite(pages[5], "pay them");
  auto told = boat.must({"backup"});
  EXPECT_TRUE(has(told.err, "were changed: do not follow them")) << told.err;
  EXPECT_EQ(open_pages().size(), 12U);
  EXPECT_EQ(stored_sets(), 2U);
  boat.must({"backup"});
  EXPECT_EQ(stored_sets(), 2U);
}

// A host that backs up with a key that cannot read puts them, and puts back what is lost.
TEST_F(RunbookExportCli, AKeyThatMayOnlyWriteKeepsThePagesToo) {
  boat.must({"init"});
  boat.must({"key", "add", "host", "--write-only", "--file", boat / "host.key"});
  const auto plan = read_text(boat / "lifeboat.yaml");
  auto of_host = plan;
  of_host.replace(of_host.find("env:LIFEBOAT_KEY"), 16, "file:" + (boat / "host.key"));
  write_text(boat / "lifeboat.yaml", of_host);
  auto told = boat.must({"backup"});
  EXPECT_FALSE(has(told.err, "not stored")) << told.err;
  auto pages = open_pages();
  ASSERT_EQ(pages.size(), 6U);
  const auto whole = read_text(pages[5]);
  fs::remove(pages[5]);
  boat.must({"backup"});
  EXPECT_EQ(read_text(pages[5]), whole);
  EXPECT_EQ(stored_sets(), 1U);
  overwrite(pages[5], "pay them");
  EXPECT_TRUE(has(boat.must({"backup"}).err, "were changed: do not follow them"));
  EXPECT_EQ(stored_sets(), 2U);
  fs::remove(pages[5]);
  write_text(boat / "lifeboat.yaml", plan);
  boat.must({"verify"});
}

TEST_F(RunbookExportCli, WhatIsConfidentialOrSealedDoesNotLieOpen) {
  auto allow = [&](const std::string& before, const std::string& after) {
    auto text = read_text(boat / "lifeboat.yaml");
    text.replace(text.find(before), before.size(), after);
    write_text(boat / "lifeboat.yaml", text);
  };
  boat.must({"init"});
  boat.must({"backup"});
  allow("  loss:\n", "  loss:\n    classification: confidential\n");
  boat.must({"backup"});
  boat.must({"prune"});
  for (const auto& file : open_pages()) {
    EXPECT_FALSE(has(file, "/loss")) << "also not in older ones";
    EXPECT_FALSE(has(read_text(file), "systemctl stop shop")) << file;
  }
  EXPECT_EQ(open_pages().size(), 4U);
  EXPECT_TRUE(has(boat.must({"runbook", "export", "loss", "--stored"}).out, "systemctl stop shop"));
  allow("key: env:LIFEBOAT_KEY", "key: env:LIFEBOAT_KEY, pages: sealed");
  boat.must({"backup"});
  boat.must({"prune"});
  EXPECT_TRUE(open_pages().empty());
  EXPECT_TRUE(has(boat.must({"runbook", "export", "fire", "--stored"}).out, "leave the house"));
  boat.must({"verify"});
}

TEST_F(RunbookExportCli, PagesThatAreDamagedGiveWayToOlderOnes) {
  boat.must({"init"});
  boat.must({"runbook", "export", "--all", "--store"});
  auto again = boat.must({"runbook", "export", "--all", "--store"});
  EXPECT_TRUE(has(again.err, "has these pages already"));
  fs::remove_all(boat / "state");  // another machine
  auto text = read_text(boat / "lifeboat.yaml");
  text.replace(text.find("leave the house"), 15, "call the others");
  write_text(boat / "lifeboat.yaml", text);
  boat.must({"runbook", "export", "--all", "--store"});
  auto files = files_below(boat.repository() + "/r/runbook-pages");
  ASSERT_EQ(files.size(), 2U);
  auto bytes = read_text(files[1]);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  fs::permissions(files[1], fs::perms::owner_write, fs::perm_options::add);
  write_text(files[1], bytes);
  EXPECT_TRUE(has(boat.must({"runbook", "export", "fire", "--stored"}).out, "leave the house"));
}

TEST_F(RunbookExportCli, ThePlanIsScoredAndMissingDocumentsAreNamed) {
  boat.write_plan(stores + runbooks + "links: {strategy: ./strategy.md, scripts: \"dr/*.sh\"}\n");
  auto checked = boat.must({"plan", "check"});
  EXPECT_TRUE(has(checked.err, "links: strategy: ./strategy.md is not there")) << checked.err;
  EXPECT_TRUE(has(checked.err, "links: scripts: dr/*.sh is not there")) << checked.err;
  write_text(boat / "strategy.md", "# how");
  fs::create_directories(boat / "dr");
  EXPECT_FALSE(has(boat.must({"plan", "check"}).err, "is not there"));
  auto score = boat.run({"plan", "check", "--score"});
  EXPECT_EQ(score.exit_code, 4) << score.out;
  EXPECT_TRUE(has(score.out, "missing  failure scenarios: 0 runbooks with symptoms")) << score.out;
  EXPECT_TRUE(has(score.out, "met      related documents: 2 links")) << score.out;
  EXPECT_TRUE(has(score.out, " of 11 met")) << score.out;
  auto json = boat.run({"plan", "check", "--score", "--json"}).summary();
  EXPECT_EQ(json["items"].items().size(), 11U);
  EXPECT_EQ(json["of"].integer(), 11);
}

// The run of a drill is over with the drill: gone on with, its steps would reach what is live, and
// nobody would be asked.
TEST_F(RunbookExportCli, NobodyGoesOnWithTheRunOfADrill) {
  boat.write_plan(stores +
                  "people: {lead: {users: [root]}}\n"
                  "targets: {sandbox: {isolate: network}, production: {protect: true}}\n"
                  "checks: {files: [{files: {count: 7}}]}\n"
                  "runbooks:\n"
                  "  loss: {steps: [{verify: [files]}, {restore: {store: data, to: production}}]}\n"
                  "  slow: {steps: [{manual: look}, {restore: {store: data, to: production}}]}\n"
                  "drills:\n"
                  "  full: {runbook: loss, into: sandbox, checks: [files]}\n"
                  "  slow: {runbook: slow, into: sandbox, checks: [files]}\n");
  boat.must({"init"});
  boat.must({"backup"});
  write_text(boat / "data/a", "written since");
  auto runs = [&] { return boat.must({"run", "ls", "--json"}).summary()["runs"].items(); };
  EXPECT_NE(boat.run({"drill", "full"}).exit_code, 0);
  ASSERT_EQ(runs().size(), 1U);
  EXPECT_EQ(runs()[0]["state"].string(), "failed") << "closed with the drill";
  auto none = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(none.exit_code, 1) << none.err;
  EXPECT_TRUE(has(none.err, "no run is under way")) << none.err;
  // One that was killed could not close it.
  auto drill = boat.start({"drill", "slow", "--attended"});
  while (drill->alive() && runs().size() < 2)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_TRUE(drill->alive()) << drill->err_so_far();
  drill->signal(SIGKILL);
  drill->wait();
  const auto left = runs()[1];
  EXPECT_EQ(left["state"].string(), "drill");
  boat.must({"step", "done", "-m", "looked"});
  for (const auto& words : {std::vector<std::string>{"resume", "--no-wait"},
                            {"resume", left["run"].string(), "--no-wait"}}) {
    auto refused = boat.run(words);
    EXPECT_EQ(refused.exit_code, 5) << refused.out << refused.err;
    EXPECT_TRUE(has(refused.err, "is one of a drill: its sandbox is gone")) << refused.err;
  }
  EXPECT_EQ(read_text(boat / "data/a"), "written since") << "what is live is untouched";
}

// From the report of a drill into the list, done there, and back when the next drill finds it
// again.
TEST_F(RunbookExportCli, WhatADrillLeavesToDoIsInTheListOfTasks) {
  boat.write_plan(stores +
                  "people: {keeper: {email: k@example.com}, lead: {email: l@example.com}}\n"
                  "targets: {sandbox: {isolate: network}, production: {protect: true}}\n"
                  "checks: {files: [{files: {count: 7}}]}\n"
                  "runbooks:\n  loss:\n    owner: keeper\n    steps:\n"
                  "      - restore: {store: data, to: production}\n"
                  "      - verify: [files]\n"
                  "drills: {full: {runbook: loss, into: sandbox, checks: [files]}}\n");
  boat.must({"init"});
  boat.must({"backup"});
  EXPECT_EQ(boat.run({"drill", "full"}).exit_code, 4);
  auto open_tasks = [&] { return boat.must({"task", "ls", "--json"}).summary()["tasks"].items(); };
  EXPECT_TRUE(open_tasks().empty()) << "only when it is asked for";
  auto kept = boat.must({"report", "full", "--tasks", "--format", "md"});
  const auto tasks = open_tasks();
  ASSERT_GE(tasks.size(), 1U) << kept.err;
  EXPECT_TRUE(has(kept.err, cat(tasks.size(), " of ", tasks.size(), " tasks of the drill are new")))
      << kept.err;
  bool why = false;
  for (const auto& task : tasks) {
    EXPECT_EQ(task["owner"].string(), "keeper") << task["text"].string();
    EXPECT_FALSE(task["due"].string().empty()) << task["text"].string();
    EXPECT_TRUE(has(kept.out, task["text"].string())) << "the report says it too: " << kept.out;
    why = why || has(task["text"].string(), "Find out why step 2 (");
  }
  EXPECT_TRUE(why) << boat.must({"task", "ls"}).out;
  EXPECT_TRUE(has(boat.must({"report", "full", "--tasks"}).err, "0 of ")) << "each once";
  for (const auto& task : tasks) boat.must({"task", "done", task["task"].string(), "-m", "found"});
  EXPECT_TRUE(open_tasks().empty());
  EXPECT_TRUE(has(boat.must({"report", "full", "--tasks"}).err, "0 of "))
      << "of the same drill it stays done";
  EXPECT_EQ(boat.run({"drill", "full"}).exit_code, 4);
  boat.must({"report", "full", "--tasks"});
  bool again = false;
  for (const auto& task : open_tasks())
    again = again || has(task["text"].string(), "Find out why step 2 (");
  EXPECT_TRUE(again) << "the next drill found it once more";
  EXPECT_TRUE(has(boat.must({"report", "full", "--tasks"}).err, "0 of "));
}

// A text that is older than its review cycle is an alarm at once, and not after the next one.
TEST_F(RunbookExportCli, ADocumentThatIsStaleIsAnAlarm) {
  boat.write_plan(stores +
                  "people: {lead: {email: a@example.com, updated: 2020-01-01, review: yearly}}\n"
                  "runbooks: {fire: {owner: lead, updated: 2020-01-01, review: monthly, steps: "
                  "[{manual: leave the house}]}}\n");
  boat.must({"init"});
  boat.must({"backup"});
  auto status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4) << status.out;
  EXPECT_TRUE(has(status.out, "review runbook fire (of lead), due 2020-02-01")) << status.out;
  EXPECT_TRUE(has(status.out, "try how lead is reached (of lead), due 2021-01-01")) << status.out;
}

TEST_F(RunbookExportCli, RefusesWhatMakesNoSense) {
  auto refused = [&](std::vector<std::string> words, const std::string& part) {
    words.insert(words.begin(), {"runbook", "export"});
    auto done = boat.run(words);
    EXPECT_EQ(done.exit_code, 2) << done.err;
    EXPECT_TRUE(has(done.err, part)) << done.err;
  };
  refused({}, "give the name of one runbook, or --all");
  refused({"loss", "--all"}, "give the name of one runbook, or --all");
  refused({"los"}, "did you mean loss?");
  refused({"loss", "--format", "pdf"}, "md or html");
  refused({"loss", "--store"}, "add --all");
  refused({"--all", "--store", "--stored"}, "give one of them");
  boat.must({"init"});
  auto none = boat.run({"runbook", "export", "--all", "--stored"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_TRUE(has(none.err, "holds no pages of runbooks"));
}

}  // namespace
}  // namespace lb::test
