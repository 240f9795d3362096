// The rules of targets hold for whoever restores into their place by hand, by whatever name.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class TargetCli : public testing::Test {
 protected:
  TargetCli() : boat(LIFEBOAT_BINARY) { write_text(boat / "media/a.txt", "one"); }
  void plan(const std::string& stores, const std::string& targets) {
    boat.write_plan("stores:\n" + stores + "  media: {files: ./media, every: hourly}\ntargets:\n" +
                    "  sandbox: {isolate: network, folder: ./sandboxes}\n" + targets +
                    "masks:\n  pii: {\"*.email\": redact, unlisted: keep}\n"
                    "checks:\n  tree:\n    - files: {count: recorded}\n"
                    "drills:\n  proof: {every: monthly, restore: media, into: sandbox, checks: "
                    "[tree]}\n");
  }
  void saved() {
    boat.must({"init"});
    boat.must({"backup"});
  }
  void refuses(const std::vector<std::string>& words, int exit_code, const std::string& why) {
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    EXPECT_NE(ran.err.find(why), std::string::npos) << ran.err;
  }
  Lifeboat boat;
};

TEST_F(TargetCli, DataThatIsToBeMaskedNeverArrivesAsItIs) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto live = PostgresServer::start(), other = PostgresServer::start();
  live->sql("CREATE DATABASE shop");
  live->sql("CREATE TABLE people (email text); INSERT INTO people VALUES ('a@b')", "shop");
  live->sql("CREATE DATABASE trial");
  boat.environment()["DB"] = live->conninfo("shop");
  boat.environment()["STAGING"] = other->conninfo();
  // The same server, said in another way.
  boat.environment()["ADMIN"] = "postgresql://postgres@/postgres?host=" + other->socket_folder() +
                                "&port=" + std::to_string(other->port());
  boat.environment()["TRIAL"] = live->conninfo("trial");
  const std::string db = "  db: {postgres: env:DB, every: hourly}\n";
  plan(db,
       "  staging: {mask: pii, stores: {db: env:STAGING}}\n"
       "  trial: {mask: pii, stores: {db: env:TRIAL}}\n");
  saved();
  for (const char* into : {"env:STAGING", "env:ADMIN"}) {
    refuses({"restore", "db", "--database", "shop", "--into", into}, 2, "mask: of target staging");
    refuses({"restore", "db", "--table", "people", "--into", into}, 2, "mask: of target staging");
  }
  EXPECT_EQ(other->value("SELECT count(*) FROM pg_database"), "3") << "nothing was written";
  EXPECT_EQ(other->value("SELECT to_regclass('people_restored') IS NULL"), "t");
  // Production shares its server with the other one: only that database is the target.
  refuses({"restore", "db", "--database", "shop", "--as", "trial", "--into", "env:DB"}, 2,
          "mask: of target trial");
  boat.must({"restore", "db", "--database", "shop", "--into", "env:DB"});
  plan(db, "  staging: {stores: {db: env:STAGING}}\n");
  boat.must({"restore", "db", "--database", "shop", "--into", "env:STAGING"});
}

TEST_F(TargetCli, AFolderThatIsToBeWipedFirstIsNotMergedInto) {
  plan("", "  staging: {wipe: true, stores: {media: ./staging}}\n");
  saved();
  refuses({"restore", "media", "--to", boat / "staging"}, 2, "wipe: of target staging");
  refuses({"restore", "media", "--to", boat / "staging/below"}, 2, "wipe: of target staging");
  EXPECT_FALSE(fs::exists(boat / "staging"));
  boat.must({"restore", "media", "--to", boat / "elsewhere"});
}

TEST_F(TargetCli, ProductionTakesByHandTooWhatWasProvenElsewhereFirst) {
  plan("", "  production: {protect: true, first: sandbox}\n");
  saved();
  write_text(boat / "media/a.txt", "spoiled");
  const std::vector<std::string> words = {"restore",  "media",     "--to",
                                          "original", "--confirm", "production"};
  refuses(words, 5, "takes what was proven in sandbox first");
  EXPECT_EQ(read_text(boat / "media/a.txt"), "spoiled");
  // Nor as if it were an exchange that somebody began: there is none of that name.
  auto exchange = words;
  for (const char* word : {"--how", "beside-then-swap", "--run", "abcd1234"})
    exchange.push_back(word);
  refuses(exchange, 5, "takes what was proven in sandbox first");
  EXPECT_EQ(read_text(boat / "media/a.txt"), "spoiled");
  boat.must({"drill", "proof"});
  boat.must(words);
  EXPECT_EQ(read_text(boat / "media/a.txt"), "one");
}

// By whatever name: nothing of what is live is written over before it is said what is lost.
TEST_F(TargetCli, WhatIsLiveIsNotMergedIntoUnasked) {
  plan("", "  production: {protect: true}\n  other: {protect: true, stores: {media: ./kept}}\n");
  saved();
  fs::create_directory_symlink(boat / "media", boat / "linked");
  fs::create_directory(boat / "kept");
  for (const char* place : {"media", "linked", "kept"}) {
    auto name = std::string(place) == "kept" ? "other" : "production";
    write_text(boat / (std::string(place) + "/a.txt"), "written since");
    std::vector<std::string> words = {"restore", "media", "--to", boat / place};
    refuses(words, 5, std::string("protected target ") + name);
    refuses(words, 5, "loses    of the files that the point has: all that was written after");
    words.insert(words.end(), {"--confirm", "test"});
    refuses(words, 5, "the name does not match");
    EXPECT_EQ(read_text(boat / (std::string(place) + "/a.txt")), "written since");
    words.back() = name;
    boat.must(words);
    EXPECT_EQ(read_text(boat / (std::string(place) + "/a.txt")), "one");
  }
  // Without anything protected, what the store lives in is asked for by the name of the system.
  plan("", "");
  write_text(boat / "media/a.txt", "written since");
  refuses({"restore", "media", "--to", boat / "linked"}, 5, "the live data of the plan");
  boat.must({"restore", "media", "--to", boat / "linked", "--confirm", "test"});
  EXPECT_EQ(read_text(boat / "media/a.txt"), "one");
}

// Whether a place is production's is not guessed where its address has no value.
TEST_F(TargetCli, WhatCannotBeToldFromProductionHereIsSaid) {
  plan("", "  production: {protect: true, stores: {media: env:FAR_AWAY}}\n");
  saved();
  const auto unknown = std::string("protected target production: its media cannot be told");
  auto ran = boat.must({"restore", "media", "--to", boat / "elsewhere"});
  EXPECT_NE(ran.err.find(unknown), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("FAR_AWAY"), std::string::npos) << ran.err;
  boat.environment()["FAR_AWAY"] = boat / "far";
  ran = boat.must({"restore", "media", "--to", boat / "other"});
  EXPECT_EQ(ran.err.find(unknown), std::string::npos) << ran.err;
  refuses({"restore", "media", "--to", boat / "far"}, 5, "protected target production");
}

// One table beside the live one is written into production all the same: the point it comes from
// must have passed its checks elsewhere, as for everything that goes there.
TEST_F(TargetCli, ASingleTableToo) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto live = PostgresServer::start(), other = PostgresServer::start();
  live->sql("CREATE TABLE people (email text); INSERT INTO people VALUES ('a@b')");
  boat.environment()["DB"] = live->conninfo();
  boat.environment()["OTHER"] = other->conninfo();
  boat.write_plan(
      "stores: {db: {postgres: env:DB, every: hourly}}\n"
      "targets:\n  sandbox: {isolate: network, folder: ./sandboxes}\n"
      "  production: {protect: true, first: sandbox}\n"
      "checks: {db: [{tables: [people]}]}\n"
      "drills: {proof: {every: monthly, restore: db, into: sandbox, checks: [db]}}\n");
  saved();
  const auto restored = [](const PostgresServer& server) {
    return server.value("SELECT to_regclass('people_restored') IS NOT NULL");
  };
  const std::vector<std::string> words = {"restore", "db",     "--table",   "people",
                                          "--into",  "env:DB", "--confirm", "production"};
  refuses(words, 5, "takes what was proven in sandbox first");
  EXPECT_EQ(restored(*live), "f");
  boat.must({"restore", "db", "--table", "people", "--into", "env:OTHER"});
  EXPECT_EQ(restored(*other), "t") << "which is no target";
  boat.must({"drill", "proof"});
  boat.must(words);
  EXPECT_EQ(restored(*live), "t");
}

}  // namespace
}  // namespace lb::test
