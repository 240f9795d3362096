// Restores out of a copy of the repository with the real program, in runbooks (from:) and by hand
// (--from): for the day on which the repository is gone.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* restored = "restore media to production at latest";

class RestoreFromCopyCli : public testing::Test {
 protected:
  RestoreFromCopyCli() : boat(LIFEBOAT_BINARY) {
    boat.environment()["SUDO_USER"] = "ada";
    plan("[{at: ./copy, within: 1h}]");
    write_text(boat / "media/a.txt", "one");
    write_text(boat / "media/b.txt", "two");
    boat.must({"init"});
    boat.must({"backup", "media"});
    boat.must({"copy", "sync"});
  }
  void plan(const std::string& copies, const std::string& from = "./copy") {
    write_text(boat / "lifeboat.yaml", cat(R"(version: 1
system: test
repository:
  at: ./repository
  key: env:LIFEBOAT_KEY
  copies: )",
                                           copies, R"(
stores:
  media: {files: ./media, every: hourly, objective: {rpo: 1h}}
  db: {postgres: env:DB, log: continuous, every: hourly, objective: {rpo: 1h}}
groups:
  app: {stores: [media, db], authority: db}
targets:
  production: {protect: true}
  sandbox: {isolate: network}
checks:
  whole:
    - files: {count: recorded}
      store: media
  copied:
    - {name: not the newest, store: db, sql: SELECT count(*) FROM orders WHERE id = 0, expect: 0}
drills:
  outage: {every: monthly, runbook: outage, into: sandbox}
  both: {every: monthly, runbook: all, into: sandbox, checks: [whole, copied]}
runbooks:
  outage:
    steps:
      - restore: {store: media, to: production, from: ")",
                                           from, R"("}
      - verify: [whole]
  ready:
    steps:
      - preflight: [repository]
      - restore: {store: media, to: production, from: ./copy}
  all:
    steps:
      - restore: {group: app, to: production, from: ./copy}
)"));
  }
  void lose_repository() { fs::rename(boat / "repository", boat / "lost"); }
  void damage() {
    fs::remove(boat / "media/b.txt");
    write_text(boat / "media/a.txt", "damaged");
  }
  void say(const std::vector<std::string>& words) {
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  }
  Ran begin(const std::string& runbook = "outage") {
    return boat.run({"run", runbook, "--no-wait"});
  }
  Ran go_on() { return boat.run({"resume", "--no-wait"}); }
  Ran confirm() {
    say({"step", "confirm", "production"});
    return go_on();
  }
  Json run() { return boat.must({"run", "show", "--json"}).lines().back(); }
  std::string state(std::size_t step = 1) {
    auto one = run()["steps"].items().at(step - 1);
    return cat(one["state"].string(), ": ", one["text"].string());
  }
  std::string media(const char* name) { return read_text(boat / cat("media/", name)); }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  Lifeboat boat;
};

// That is what it is for.
TEST_F(RestoreFromCopyCli, TheRepositoryIsGone) {
  lose_repository();
  damage();
  auto asked = begin();
  EXPECT_EQ(asked.exit_code, 75) << asked.err;
  EXPECT_TRUE(has(asked.err, "going on without the repository")) << asked.err;
  EXPECT_TRUE(has(asked.err, "a copy: ./copy")) << asked.err;
  EXPECT_TRUE(has(asked.err, "what it lacks is not known: the repository cannot be reached"))
      << asked.err;
  EXPECT_EQ(media("a.txt"), "damaged") << "nothing before the name is typed";
  auto done = confirm();
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(state().starts_with("done") && state().ends_with("; out of ./copy")) << state();
  EXPECT_EQ(media("a.txt"), "one");
  EXPECT_EQ(media("b.txt"), "two");
  // Compared with what the copy says was counted.
  EXPECT_TRUE(state(2).starts_with("done: 1 of 1 check passed")) << state(2);
}

TEST_F(RestoreFromCopyCli, TheRepositoryIsDamagedBeyondOpening) {
  write_text(boat / "repository/repo", "what is no repository any more");
  damage();
  auto asked = begin();
  EXPECT_EQ(asked.exit_code, 75) << asked.err;
  EXPECT_TRUE(has(asked.err, "going on without the repository")) << asked.err;
  EXPECT_EQ(confirm().exit_code, 0);
  EXPECT_EQ(media("a.txt"), "one");
}

// What was proven before lies in the copy; what was not is proven there.
TEST_F(RestoreFromCopyCli, WhatHasToBeProvenFirstIsProvenInTheCopy) {
  auto text = replace_all(read_text(boat / "lifeboat.yaml"), "protect: true",
                          "protect: true, first: sandbox");
  text = replace_all(
      text, "drills:\n",
      "drills:\n  proof: {every: monthly, restore: media, into: sandbox, checks: [whole]}\n");
  write_text(boat / "lifeboat.yaml", text);
  write_text(boat / "elsewhere.yaml", replace_all(text, "at: ./repository", "at: ./copy"));
  lose_repository();
  damage();
  begin();
  EXPECT_EQ(confirm().exit_code, 75);
  EXPECT_TRUE(has(state(), "takes what was proven in sandbox first")) << state();
  auto hint = run().dump();
  EXPECT_TRUE(has(hint, "by a plan with repository: {at: ./copy}, then retry")) << hint;
  EXPECT_EQ(media("a.txt"), "damaged");
  boat.must({"drill", "proof", "--plan", boat / "elsewhere.yaml"});
  say({"step", "retry"});
  go_on();
  EXPECT_EQ(confirm().exit_code, 0) << state();
  EXPECT_EQ(media("a.txt"), "one");
}

// Without a copy there is nothing to go on with.
TEST_F(RestoreFromCopyCli, ARepositoryThatIsGoneAndHasNoCopyRefusesTheRun) {
  write_text(boat / "lifeboat.yaml",
             "version: 1\nsystem: test\nrepository: {at: ./nowhere, key: env:LIFEBOAT_KEY}\n"
             "stores:\n  media: {files: ./media, every: hourly, objective: {rpo: 1h}}\n"
             "runbooks:\n  look:\n    steps:\n      - manual: look\n");
  EXPECT_EQ(begin("look").exit_code, 10);
}

TEST_F(RestoreFromCopyCli, ACopyThatLagsSaysWhatItLacks) {
  write_text(boat / "media/a.txt", "newer");
  boat.must({"backup", "media"});
  write_text(boat / "media/a.txt", "newest");
  boat.must({"backup", "media"});
  const std::string lacks = "./copy lacks the newest 2 points of the repository: what came since ";
  auto asked = begin();
  EXPECT_TRUE(has(asked.err, lacks)) << asked.err;
  EXPECT_TRUE(has(asked.err, "what is not in the copy yet")) << asked.err;
  auto done = confirm();
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(media("a.txt"), "one") << "the newest of the copy";
  auto by_hand = boat.run({"restore", "media", "--to", boat / "back", "--from", "1", "--json"});
  EXPECT_EQ(by_hand.exit_code, 0) << by_hand.err;
  EXPECT_EQ(by_hand.summary()["from"].string(), "./copy");
  EXPECT_TRUE(has(by_hand.err, "./copy, a copy: lacks the newest 2 points")) << by_hand.err;
  EXPECT_EQ(read_text(boat / "back/a.txt"), "one");
  boat.must({"copy", "sync"});
  auto level = boat.run({"restore", "media", "--to", boat / "level", "--from", "./copy"});
  EXPECT_TRUE(has(level.err, "lacks nothing that the repository has")) << level.err;
  EXPECT_EQ(read_text(boat / "level/a.txt"), "newest");
}

TEST_F(RestoreFromCopyCli, ByHandItIsSaidThatTheRepositoryCannotBeAsked) {
  lose_repository();
  auto ran = boat.run({"restore", "media", "--to", boat / "back", "--from", "1"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(has(ran.err, "what it lacks is not known: open the repository folder")) << ran.err;
}

TEST_F(RestoreFromCopyCli, TheWrongKeyOpensNothingAndTheRightOneGoesOn) {
  plan("[{at: ./copy, key: env:COPY_KEY}]");
  boat.environment()["COPY_KEY"] = "another passphrase, of another repository";
  lose_repository();
  damage();
  auto refused = begin();
  EXPECT_EQ(refused.exit_code, 75) << refused.err;
  EXPECT_TRUE(state().starts_with("failed: from: ./copy")) << state();
  EXPECT_TRUE(has(state(), "key")) << state();
  EXPECT_FALSE(has(refused.err, "another passphrase")) << refused.err;
  EXPECT_EQ(media("a.txt"), "damaged");
  boat.environment()["COPY_KEY"] = boat.environment()["LIFEBOAT_KEY"];
  say({"step", "retry"});
  go_on();
  EXPECT_EQ(confirm().exit_code, 0);
  EXPECT_EQ(media("a.txt"), "one");
}

TEST_F(RestoreFromCopyCli, ACopyOfSomethingElseIsRefused) {
  fs::remove_all(boat / "copy");
  auto text = read_text(boat / "lifeboat.yaml");
  write_text(boat / "other.yaml", replace_all(text, "at: ./repository", "at: ./copy"));
  boat.must({"init", "--plan", boat / "other.yaml"});
  damage();
  begin();
  EXPECT_TRUE(has(state(), "not of the plan's repository")) << state();
  EXPECT_EQ(media("a.txt"), "damaged");
}

TEST_F(RestoreFromCopyCli, ACopyThatCannotBeReachedIsAskedAgain) {
  fs::rename(boat / "copy", boat / "away");
  damage();
  begin();
  EXPECT_TRUE(state().starts_with("failed: from: ./copy")) << state();
  fs::rename(boat / "away", boat / "copy");
  say({"step", "retry"});
  go_on();
  EXPECT_EQ(confirm().exit_code, 0);
  EXPECT_EQ(media("b.txt"), "two");
}

TEST_F(RestoreFromCopyCli, PreflightLooksAtTheCopyThatIsRead) {
  begin("ready");
  EXPECT_TRUE(has(state(), "copy ./copy answers and lacks nothing that the repository has"))
      << state();
  say({"abort", "-m", "seen"});
  go_on();
  lose_repository();
  begin("ready");
  EXPECT_TRUE(state().starts_with("done: in place: copy ./copy answers")) << state();
  EXPECT_TRUE(has(state(), "to be known: the repository cannot be reached")) << state();
  say({"abort", "-m", "seen"});
  go_on();
  fs::rename(boat / "copy", boat / "away");
  begin("ready");
  EXPECT_TRUE(state().starts_with("failed: copy ./copy: ")) << state();
}

// What it proves is the copy: of the repository no content is left, and what the copy lacks is
// said.
TEST_F(RestoreFromCopyCli, ADrillOfItProvesTheCopy) {
  const auto point = boat.must({"ls", "media", "--json"}).out;
  write_text(boat / "media/c.txt", "not in the copy");
  boat.must({"backup", "media"});
  fs::rename(boat / "repository/p", boat / "packs");
  auto ran = boat.run({"drill", "outage", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err << ran.out;
  auto record = ran.summary()["record"];
  EXPECT_EQ(record["verdict"].string(), "PASS");
  EXPECT_TRUE(has(point, record["stores"].items().at(0)["point"].string())) << record.dump();
  EXPECT_TRUE(has(record["findings"].dump(),
                  "media was restored out of copy ./copy, which lacks the newest 1 point"))
      << record.dump();
  EXPECT_TRUE(has(record["steps"].items().at(0)["text"].string(), "media out of copy ./copy"));
}

// The repository is whole, and must not stand in for it.
TEST_F(RestoreFromCopyCli, ADrillOfACopyThatIsDamagedFails) {
  fs::rename(boat / "copy/p", boat / "packs");
  auto ran = boat.run({"drill", "outage", "--json"});
  EXPECT_EQ(ran.exit_code, 4) << ran.err << ran.out;
  EXPECT_EQ(ran.summary()["verdict"].string(), "FAIL") << ran.out;
  fs::rename(boat / "packs", boat / "copy/p");
  EXPECT_EQ(boat.run({"drill", "outage"}).exit_code, 0);
  fs::rename(boat / "copy", boat / "away");
  auto gone = boat.run({"drill", "outage"});
  EXPECT_TRUE(has(gone.err, "from: ./copy")) << gone.err;
  EXPECT_NE(gone.exit_code, 0);
}

TEST_F(RestoreFromCopyCli, ADrillReadsEachStoreFromOnePlace) {
  auto text = read_text(boat / "lifeboat.yaml");
  text += "      - restore: {store: media, to: production}\n";
  text.replace(text.find("runbook: outage, into"), 15, "runbook: all");
  write_text(boat / "lifeboat.yaml", text);
  auto ran = boat.run({"drill", "outage"});
  EXPECT_EQ(ran.exit_code, 2) << ran.err;
  EXPECT_TRUE(has(ran.err, "restores media from two places")) << ran.err;
}

TEST_F(RestoreFromCopyCli, APlanThatNamesNoSuchCopyHasAMistake) {
  plan("[{at: ./copy}]", "./other");
  auto ran = boat.run({"plan", "check"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_TRUE(has(cat(ran.out, ran.err), "the plan has no copy './other'")) << ran.err << ran.out;
}

// Newer points reach the copy while it lies dead: what it began with is what it ends with.
TEST_F(RestoreFromCopyCli, KilledItGoesOnWithThePointItBegan) {
  std::string noise;
  unsigned random = 7;
  for (int n = 0; n < 3'000'000; ++n)
    noise += static_cast<char>((random = random * 69069 + 1) >> 24);
  for (int n = 0; n < 40; ++n) write_text(boat / cat("media/big", n), cat(n, noise));
  boat.must({"backup", "media"});
  boat.must({"copy", "sync"});
  const auto before = tree_of(boat / "media");
  fs::rename(boat / "media", boat / "media-lost");
  begin();
  say({"step", "confirm", "production"});
  auto running = boat.start({"resume", "--no-wait"});
  while (running->alive() && !fs::exists(boat / "media/big1")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  running->signal(SIGKILL);
  running->wait();
  ASSERT_TRUE(state().starts_with("running")) << state();
  fs::rename(boat / "media", boat / "begun");
  fs::rename(boat / "media-lost", boat / "media");
  write_text(boat / "media/a.txt", "newer");
  boat.must({"backup", "media"});
  boat.must({"copy", "sync"});
  fs::rename(boat / "media", boat / "media-lost");
  fs::rename(boat / "begun", boat / "media");
  lose_repository();
  auto done = go_on();
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(tree_of(boat / "media"), before);
}

// A database with its log: exchanged in place, as far as the copy's log goes.
TEST_F(RestoreFromCopyCli, ADatabaseAndItsFilesComeBackTogether) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start();
  server->sql("CREATE DATABASE shop");
  // Many, so that the exchange takes longer than it takes to see it begin.
  server->sql("CREATE TABLE orders AS SELECT generate_series(1, 300000) AS id", "shop");
  boat.environment()["DB"] = server->conninfo("shop");
  boat.must({"backup"});
  boat.must({"copy", "sync"});
  server->sql("INSERT INTO orders VALUES (0)", "shop");
  boat.must({"backup"});
  auto drilled = boat.run({"drill", "both", "--json"});
  EXPECT_EQ(drilled.exit_code, 0) << drilled.err << drilled.out;
  server->sql("DELETE FROM orders", "shop");
  damage();
  lose_repository();
  begin("all");
  say({"step", "confirm", "production"});
  auto running = boat.start({"resume", "--no-wait"});
  const char* begun = "SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'";
  while (running->alive() && server->value(begun) == "1") {
  }
  running->signal(SIGKILL);
  running->wait();
  EXPECT_EQ(server->value("SELECT count(*) FROM orders", "shop"), "0") << "beside the live one";
  ASSERT_TRUE(state().starts_with("running")) << state();
  auto done = go_on();
  EXPECT_EQ(done.exit_code, 0) << done.err << state();
  EXPECT_EQ(server->value("SELECT count(*) FROM orders", "shop"), "300000");
  EXPECT_EQ(media("a.txt"), "one");
}

}  // namespace
}  // namespace lb::test
