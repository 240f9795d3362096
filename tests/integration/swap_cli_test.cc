// What is restored takes the place of what is live, on a real server with clients at work: one
// database, and the whole cluster. Killed at each step, undone, cleaned up.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_service.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

// Connects, reads and writes all the time. Whatever it is told is of one database, whole.
class Clerk {
 public:
  explicit Clerk(std::string conninfo)
      : conninfo_(std::move(conninfo)), thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) visit(stop);
        }) {}
  int end() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return answers_;
  }

 private:
  void visit(const std::stop_token& stop) {
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(conninfo_.c_str()),
                                                            PQfinish);
    while (!stop.stop_requested() && PQstatus(connection.get()) == CONNECTION_OK) {
      std::unique_ptr<PGresult, decltype(&PQclear)> read(
          PQexec(connection.get(), "SELECT count(DISTINCT word), count(*) FROM said"), PQclear);
      if (PQresultStatus(read.get()) != PGRES_TUPLES_OK) break;
      EXPECT_STREQ(PQgetvalue(read.get(), 0, 0), "1");
      EXPECT_STREQ(PQgetvalue(read.get(), 0, 1), "1000");
      ++answers_;
      PQclear(PQexec(connection.get(), "INSERT INTO visits VALUES (now())"));
    }
  }
  std::string conninfo_;
  std::atomic<int> answers_ = 0;
  std::jthread thread_;
};

class SwapCli : public testing::Test {
 protected:
  SwapCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = PostgresServer::start();
    server->make_role("keeper", "keeper-pw");
    server->sql("CREATE DATABASE shop OWNER keeper");
    server->sql("ALTER DATABASE shop SET work_mem TO '7MB'");
    server->sql(
        "CREATE TABLE said (id int PRIMARY KEY, word text);"
        "INSERT INTO said SELECT n, 'good' FROM generate_series(1, 1000) n;"
        "CREATE TABLE visits (at timestamptz); CREATE PUBLICATION words FOR TABLE said;"
        "ALTER TABLE said OWNER TO keeper; GRANT ALL ON visits TO keeper",
        "shop");
    boat.environment()["DB"] = server->conninfo();
    boat.environment()["KEEPER"] = server->conninfo_as("keeper", "keeper-pw", "shop");
    write_plan("");
    boat.must({"init"});
    boat.must({"backup"});
    server->sql("UPDATE said SET word = 'bad'", "shop");
  }
  void write_plan(const std::string& more) {
    boat.write_plan(
        "stores:\n  db: {postgres: env:DB, every: daily 02:00, data: " + server->data() +
        "}\n"
        "checks:\n"
        "  words:\n"
        "    - name: only good words\n"
        "      store: db\n"
        "      sql: SELECT count(*) FROM said WHERE word <> 'good'\n"
        "      expect: 0\n"
        "  bad-words:\n"
        "    - name: only bad words\n"
        "      store: db\n"
        "      sql: SELECT count(*) FROM said WHERE word <> 'bad'\n"
        "      expect: 0\n" +
        more);
  }
  std::string found() const {
    return server->value("SELECT string_agg(DISTINCT word, '+') || count(*) FROM said", "shop");
  }
  static std::vector<std::string> with(std::vector<std::string> words,
                                       const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // Starts the command and kills it as soon as it is so; whether it came to that.
  bool killed_when(const std::vector<std::string>& words,
                   const std::function<bool(const Running&)>& is_so) {
    auto running = boat.start(words);
    while (running->alive() && !is_so(*running))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    bool came = is_so(*running);
    running->signal(SIGKILL);
    return running->wait().exit_code == 128 + SIGKILL && came;
  }
  // When it says the word.
  bool killed_at(const std::vector<std::string>& words, const std::string& word) {
    return killed_when(words, [&](const Running& running) {
      return running.err_so_far().find(word) != std::string::npos;
    });
  }
  // The same for words that the command passes quickly: one that got to its end all the same is put
  // back by `undone` and started anew.
  bool killed_at(const std::vector<std::string>& words, const std::string& word,
                 const std::function<void()>& undone) {
    for (int tries = 0; tries < 30; ++tries) {
      if (killed_at(words, word)) return true;
      undone();
    }
    return false;
  }
  std::string only_swap() {
    return boat.must({"swap", "ls", "--json"}).summary()["swaps"].items().at(0)["id"].string();
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
};

const std::vector<std::string> database_swap = {
    "restore", "db",    "--database",       "shop",      "--into",
    "env:DB",  "--how", "beside-then-swap", "--confirm", "test"};

TEST_F(SwapCli, ADatabaseTakesThePlaceOfTheLiveOneAndGivesItBack) {
  Clerk clerk(boat.environment()["KEEPER"]);
  auto done = boat.must(with(database_swap, {"--check", "words", "--keep-old", "1s", "--json"}));
  EXPECT_NE(done.err.find("loses    all that was written after"), std::string::npos) << done.err;
  auto summary = done.summary();
  EXPECT_EQ(summary["rows"].integer(), 1000);
  EXPECT_TRUE(summary["left_out"].items().empty()) << "settings are those of the live one";
  EXPECT_EQ(found(), "good1000");
  EXPECT_EQ(server->value("SELECT count(*) FROM pg_publication", "shop"), "1");
  EXPECT_EQ(server->value("SHOW work_mem", "shop"), "7MB");
  EXPECT_EQ(server->value("SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text LIKE"
                          " '%lifeboat%'"),
            "0");
  auto id = summary["swap"].string();
  auto listed = boat.must({"swap", "ls"});
  EXPECT_NE(listed.out.find(id), std::string::npos) << listed.out;
  EXPECT_EQ(boat.run({"swap", "undo", id, "--confirm", "no"}).exit_code, 5);
  EXPECT_EQ(found(), "good1000");
  boat.must({"swap", "undo", id, "--confirm", "test"});
  EXPECT_EQ(found(), "bad1000");
  EXPECT_GT(clerk.end(), 20);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  auto cleaned = boat.must({"swap", "clean", "--json"}).summary();
  EXPECT_EQ(cleaned["removed"].items().size(), 1U);
  EXPECT_EQ(server->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "1");
  EXPECT_EQ(boat.must({"swap", "clean"}).out, "nothing to remove\n");
}

TEST_F(SwapCli, ADatabaseThatFailsItsChecksStaysBeside) {
  auto failed = boat.run(with(database_swap, {"--check", "bad-words"}));
  EXPECT_EQ(failed.exit_code, 4) << failed.err;
  EXPECT_NE(failed.err.find("swap undo"), std::string::npos) << failed.err;
  EXPECT_EQ(found(), "bad1000");
  auto again = boat.run(database_swap);
  EXPECT_EQ(again.exit_code, 5) << again.err;
  auto id = only_swap();
  boat.must({"swap", "undo", id});
  EXPECT_EQ(server->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "1");
}

TEST_F(SwapCli, WhatCannotBeExchangedIsRefusedBeforeAnythingIsRestored) {
  EXPECT_EQ(boat.run({"restore", "db", "--database", "postgres", "--into", "env:DB", "--how",
                      "beside-then-swap", "--confirm", "test"})
                .exit_code,
            5);
  auto words = database_swap;
  words.back() = "wrong";
  EXPECT_EQ(boat.run(words).exit_code, 5);
  EXPECT_EQ(boat.run(with(database_swap, {"--as", "x"})).exit_code, 2);
  EXPECT_EQ(boat.run(with(database_swap, {"--check", "none"})).exit_code, 2);
  EXPECT_EQ(
      boat.run({"restore", "db", "--to", server->data(), "--how", "beside-then-swap"}).exit_code, 2)
      << "without --stop and --start";
  auto dry = boat.must(with(database_swap, {"-n"}));
  EXPECT_NE(dry.err.find("replaces database shop"), std::string::npos) << dry.err;
  EXPECT_EQ(boat.must({"swap", "ls"}).out, "no swap has left anything\n");
}

TEST_F(SwapCli, AProtectedTargetTakesOnlyWhatWasProvenElsewhere) {
  server->sql("UPDATE said SET word = 'good'", "shop");
  boat.environment()["DB"] = server->conninfo("shop");
  write_plan(
      "targets:\n"
      "  sandbox: {isolate: network}\n"
      "  production: {protect: true, first: sandbox, postgres: env:DB}\n"
      "drills:\n"
      "  proof: {restore: db, into: sandbox, checks: [words]}\n");
  boat.must({"backup"});
  server->sql("UPDATE said SET word = 'bad'", "shop");
  auto words = database_swap;
  words.back() = "production";
  auto refused = boat.run(words);
  EXPECT_EQ(refused.exit_code, 5) << refused.err;
  EXPECT_NE(refused.err.find("no drill has restored db in sandbox"), std::string::npos)
      << refused.err;
  boat.must({"drill", "proof"});
  words.back() = "test";
  EXPECT_EQ(boat.run(words).exit_code, 5) << "the target's name, not that of the system";
  words.back() = "production";
  boat.must(words);
  EXPECT_EQ(found(), "good1000");
  auto id = only_swap();
  EXPECT_EQ(boat.run({"swap", "undo", id, "--confirm", "test"}).exit_code, 5) << "nor for undo";
  EXPECT_EQ(found(), "good1000");
  boat.must({"swap", "undo", id, "--confirm", "production"});
  EXPECT_EQ(found(), "bad1000");
  // The cluster it is on: its folder is that of the same target.
  auto cluster = boat.run({"restore", "db", "--to", server->data(), "--how", "beside-then-swap",
                           "--stop", "true", "--start", "true", "--confirm", "test"});
  EXPECT_EQ(cluster.exit_code, 5) << cluster.err;
  EXPECT_NE(cluster.err.find("type production"), std::string::npos) << cluster.err;
}

TEST_F(SwapCli, WhatIsFilledIsShownWhateverIsWishedForLater) {
  ASSERT_TRUE(killed_at(database_swap, ": filled", [&] {
    auto id = only_swap();
    boat.must({"swap", "undo", id, "--confirm", "test"});
    server->sql("DROP DATABASE shop_lifeboat_" + id + " WITH (FORCE)");
  }));
  boat.must({"backup"});
  auto done = boat.must(with(database_swap, {"--run", only_swap(), "--json"}));
  EXPECT_EQ(found(), "good1000") << "not the newer point";
  EXPECT_NE(done.err.find("point    " + done.summary()["point"].string()), std::string::npos)
      << done.err;
}

TEST_F(SwapCli, ADatabaseSwapKilledAtEachStepGoesOn) {
  Clerk clerk(boat.environment()["KEEPER"]);
  ASSERT_TRUE(killed_at(database_swap, "keeps    the old one"));
  EXPECT_EQ(found(), "bad1000");
  int resumed = 0;
  auto undone = [&] {
    EXPECT_EQ(found(), "good1000");
    auto id = only_swap();
    boat.must({"swap", "undo", id, "--confirm", "test"});
    EXPECT_EQ(found(), "bad1000");
    server->sql("DROP DATABASE shop_lifeboat_" + id + " WITH (FORCE)");
  };
  for (const char* step : {": filled", ": verified"}) {
    SCOPED_TRACE(step);
    ASSERT_TRUE(killed_at(database_swap, step, undone));
    EXPECT_EQ(boat.run(database_swap).exit_code, 5) << "the one under way is not forgotten";
    boat.must(with(database_swap, {"--run", only_swap()}));
    undone();
    ++resumed;
  }
  EXPECT_EQ(resumed, 2);
  EXPECT_GT(clerk.end(), 20);
}

TEST_F(SwapCli, KilledWhileItFillsADatabaseItBeginsThatAnew) {
  // So many rows that filling takes its time.
  server->sql("INSERT INTO visits SELECT now() FROM generate_series(1, 300000)", "shop");
  server->sql("UPDATE said SET word = 'good'", "shop");
  boat.must({"backup"});
  server->sql("UPDATE said SET word = 'bad'", "shop");
  ASSERT_TRUE(killed_when(database_swap, [&](const Running&) {
    return server->value(
               "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE"
               " 'shop_lifeboat%' AND query LIKE 'COPY public.visits%'") == "1";
  }));
  EXPECT_EQ(found(), "bad1000");
  EXPECT_EQ(boat.run(database_swap).exit_code, 5);
  boat.must(with(database_swap, {"--run", only_swap(), "--check", "words"}));
  EXPECT_EQ(found(), "good1000");
  EXPECT_EQ(server->value("SELECT count(*) FROM visits", "shop"), "300000");
  EXPECT_EQ(server->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "2");
}

TEST_F(SwapCli, KilledWhileItFillsADataDirectoryItGoesOn) {
  server->stop();
  PostgresService service(*server);
  service.want("up");
  std::vector<std::string> words = {"restore",   "db",
                                    "--to",      server->data(),
                                    "--how",     "beside-then-swap",
                                    "--stop",    service.command("down"),
                                    "--start",   service.command("up"),
                                    "--confirm", "test"};
  ASSERT_TRUE(killed_when(words, [&](const Running&) {
    for (const auto& entry : fs::directory_iterator(server->folder())) {
      bool fresh = entry.path().filename().string().starts_with("data.lifeboat-");
      if (fresh && fs::exists(entry.path() / "base/1")) return true;
    }
    return false;
  }));
  EXPECT_EQ(found(), "bad1000");
  EXPECT_EQ(boat.run(words).exit_code, 5);
  boat.must(with(words, {"--run", only_swap()}));
  EXPECT_EQ(found(), "good1000");
  service.end();
}

TEST_F(SwapCli, AServerThatWasStoppedInVainServesAgainAfterUndo) {
  server->stop();
  PostgresService service(*server);
  service.want("up");
  auto failed = boat.run({"restore", "db", "--to", server->data(), "--how", "beside-then-swap",
                          "--stop", service.command("down") + " && false", "--start",
                          service.command("up"), "--confirm", "test"});
  EXPECT_EQ(failed.exit_code, 1) << failed.err;
  EXPECT_NE(failed.err.find("its server stopped"), std::string::npos) << failed.err;
  EXPECT_FALSE(fs::exists(server->data() + "/postmaster.pid"));
  auto id = only_swap();
  auto unsaid = boat.run({"swap", "undo", id});
  EXPECT_EQ(unsaid.exit_code, 2) << "nobody would start it: " << unsaid.err;
  auto undone = boat.must(
      {"swap", "undo", id, "--stop", service.command("down"), "--start", service.command("up")});
  EXPECT_NE(undone.out.find("answers again"), std::string::npos) << undone.out;
  EXPECT_EQ(found(), "bad1000");
  EXPECT_EQ(boat.must({"swap", "ls"}).out, "no swap has left anything\n");
  service.end();
}

TEST_F(SwapCli, AWholeClusterTakesThePlaceOfTheLiveOneAndGivesItBack) {
  server->stop();
  PostgresService service(*server);
  service.want("up");
  std::vector<std::string> commands = {"--stop", service.command("down"), "--start",
                                       service.command("up")};
  auto words = with({"restore", "db", "--to", server->data(), "--how", "beside-then-swap",
                     "--confirm", "test", "--check", "words", "--json"},
                    commands);
  // The checks ask the database that the store names.
  boat.environment()["DB"] = server->conninfo("shop");
  boat.must({"backup"});
  Clerk clerk(boat.environment()["KEEPER"]);
  auto failed = boat.run(words);
  EXPECT_EQ(failed.exit_code, 4) << failed.err << "that point has the bad words";
  EXPECT_EQ(found(), "bad1000");
  auto id = only_swap();
  boat.must({"swap", "undo", id});
  server->sql("UPDATE said SET word = 'good'", "shop");
  boat.must({"backup"});
  server->sql("UPDATE said SET word = 'bad'", "shop");
  auto undone = [&] {
    EXPECT_EQ(found(), "good1000");
    id = only_swap();
    boat.must(with({"swap", "undo", id, "--confirm", "test"}, commands));
    EXPECT_EQ(found(), "bad1000");
    for (const char* beside : {".lifeboat-", ".swap-"})
      fs::remove_all(server->data() + beside + id);
  };
  for (const char* step : {": filled", ": verified", ": exchanged"}) {
    SCOPED_TRACE(step);
    ASSERT_TRUE(killed_at(words, step, undone));
    EXPECT_TRUE(fs::exists(server->data() + "/PG_VERSION"));
    id = only_swap();
    EXPECT_EQ(boat.run(words).exit_code, 5) << "the one under way is not forgotten";
    auto done = boat.must(with(words, {"--run", id})).summary();
    EXPECT_EQ(done["old"].string(), server->data() + ".old-" + id);
    undone();
  }
  EXPECT_GT(clerk.end(), 20);
  service.end();
}

}  // namespace
}  // namespace lb::test
