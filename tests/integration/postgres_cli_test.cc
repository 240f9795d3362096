// The program on a real PostgreSQL: points, streams, restores and what it says when things go
// wrong.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "foundation/base/time.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/small_disk.h"
#include "tests/integration/restored_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* one_store =
    "stores:\n  db: {postgres: env:DB, log: continuous, every: hourly, objective: {rpo: 1h}}\n";

// Waits for a condition of another process; the test's own time limit ends a wait in vain.
template <typename Condition>
void wait_for(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

std::string now_text() {
  auto now = std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
  return format_time(now);
}

class PostgresCli : public testing::Test {
 protected:
  PostgresCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    PostgresOptions options;
    options.tcp = true;
    server = PostgresServer::start(options);
    server->sql(
        "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)");
    server->sql("INSERT INTO notes (body) SELECT 'note ' || n FROM generate_series(1, 1000) n");
    boat.environment()["DB"] = server->conninfo();
    boat.write_plan(one_store);
    boat.must({"init"});
  }
  // Starts the stream and waits until it is on.
  std::unique_ptr<Running> follow() {
    auto running = boat.start({"backup", "db", "--follow", "--verbose"});
    wait_for([&] { return running->err_so_far().find("durable to") != std::string::npos; });
    return running;
  }
  // Waits until what is committed now is durable in the repository.
  void catch_up(Running& stream) {
    server->sql("SELECT txid_current()");
    auto lsn = server->value("SELECT pg_current_wal_flush_lsn()");
    wait_for([&] {
      auto text = stream.err_so_far();
      auto at = text.rfind("durable to ");
      if (at == std::string::npos) return false;
      auto end = text.find_first_of(",\n", at);
      auto durable = text.substr(at + 11, end - at - 11);
      return server->value("SELECT '" + durable + "'::pg_lsn >= '" + lsn + "'::pg_lsn") == "t";
    });
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
};

TEST_F(PostgresCli, AHostThatMayOnlyWriteStreamsWhatTheOwnerRestores) {
  boat.must({"key", "add", "host", "--write-only", "--file", boat / "host.key"});
  const auto owners_plan = read_text(boat / "lifeboat.yaml");
  auto hosts_plan = owners_plan;
  const std::string owners_key = "env:LIFEBOAT_KEY";
  hosts_plan.replace(hosts_plan.find(owners_key), owners_key.size(), "file:host.key");
  write_text(boat / "lifeboat.yaml", hosts_plan);
  boat.must({"backup"});
  // Three runs, each cut off within a segment: none can read what the one before put.
  for (int run = 0; run < 3; ++run) {
    auto stream = follow();
    server->sql("INSERT INTO notes (body) VALUES ('run " + std::to_string(run) + "')");
    catch_up(*stream);
    stream->signal(SIGKILL);
    stream->wait();
  }
  EXPECT_EQ(boat.run({"restore", "db", "--to", boat / "refused"}).exit_code, 12);
  write_text(boat / "lifeboat.yaml", owners_plan);
  auto points = boat.must({"ls", "--json"}).summary()["points"].items();
  EXPECT_EQ(points.size(), 1u) << "a stream that begins again takes no new base";
  boat.must({"verify"});
  boat.must({"restore", "db", "--to", boat / "latest"});
  EXPECT_EQ(ask_restored(boat / "latest", "SELECT count(*), max(body) FROM notes"), "1003|run 2");
}

TEST_F(PostgresCli, PruneRemovesTheLogThatNoKeptBaseNeeds) {
  auto plan = read_text(boat / "lifeboat.yaml");
  plan.insert(plan.find("key:"), "retain: {hourly: 1h}, ");
  write_text(boat / "lifeboat.yaml", plan);
  boat.must({"backup"});
  auto stream = follow();
  for (int i = 0; i < 4; ++i) {
    server->sql("INSERT INTO notes (body) VALUES ('early')");
    server->sql("SELECT pg_switch_wal()");
  }
  catch_up(*stream);
  auto early = now_text();
  auto newest = boat.must({"backup", "--json"}).lines().front()["snapshot"].string();
  server->sql("INSERT INTO notes (body) VALUES ('late')");
  catch_up(*stream);
  stream->signal(SIGTERM);
  EXPECT_EQ(stream->wait().exit_code, 0);

  EXPECT_EQ(boat.run({"prune", "-n"}).exit_code, 0);
  auto pruned = boat.must({"prune", "--confirm", "test", "--json"}).summary();
  EXPECT_EQ(pruned["points_forgotten"].integer(), 1);
  EXPECT_GE(pruned["log_objects_removed"].integer(), 3);
  auto points = boat.must({"ls", "--json"}).summary()["points"].items();
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0]["id"].string(), newest);
  boat.must({"verify"});
  boat.must({"restore", "db", "--to", boat / "latest"});
  EXPECT_EQ(ask_restored(boat / "latest",
                         "SELECT count(*), count(*) FILTER (WHERE body = 'late') FROM notes"),
            "1005|1");
  EXPECT_EQ(boat.run({"restore", "db", "--to", boat / "gone", "--at", early}).exit_code, 14);
  EXPECT_EQ(boat.must({"info"}).out.find("log missing"), std::string::npos);
}

TEST_F(PostgresCli, StreamsAndRestoresToEveryKindOfPoint) {
  boat.must({"backup"});
  auto stream = follow();
  server->sql("INSERT INTO notes (body) VALUES ('before the accident')");
  auto before = now_text();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  server->sql("SELECT pg_create_restore_point('release-7')");
  auto xid = server->value(
      "WITH gone AS (DELETE FROM notes WHERE id <= 500 RETURNING 1) "
      "SELECT pg_current_xact_id()::text FROM gone LIMIT 1");
  server->sql("INSERT INTO notes (body) VALUES ('last words')");
  catch_up(*stream);
  server->stop(StopMode::kill);
  stream->signal(SIGTERM);
  // 143 when the signal met the stream while it noticed that the server was gone.
  auto ended = stream->wait();
  EXPECT_TRUE(ended.exit_code == 0 || ended.exit_code == 143) << ended.exit_code << ended.err;

  boat.must({"restore", "db", "--to", boat / "latest"});
  EXPECT_EQ(ask_restored(boat / "latest",
                         "SELECT count(*), max(body) FILTER (WHERE body LIKE 'last%') FROM notes"),
            "502|last words");
  auto at = boat.must({"restore", "db", "--to", boat / "at", "--at", before, "--json"}).summary();
  EXPECT_NE(at["last_commit"].string(), "");
  EXPECT_EQ(ask_restored(boat / "at", "SELECT count(*) FROM notes"), "1001");
  boat.must({"restore", "db", "--to", boat / "named", "--name", "release-7"});
  EXPECT_EQ(ask_restored(boat / "named", "SELECT count(*) FROM notes"), "1001");
  EXPECT_EQ(ask_restored(boat / "named", "SHOW archive_mode"), "off");
  boat.must({"restore", "db", "--to", boat / "before", "--before", xid});
  EXPECT_EQ(ask_restored(boat / "before", "SELECT count(*) FROM notes"), "1001");
  auto info = boat.must({"info"}).out;
  EXPECT_NE(info.find("db: any moment from "), std::string::npos) << info;
}

TEST_F(PostgresCli, RefusesPointsItCannotReach) {
  auto early = now_text();
  boat.must({"backup"});
  struct Case {
    std::vector<std::string> words;
    int exit_code;
    std::string says;
  };
  const std::vector<Case> cases = {
      {{"--at", early}, 14, "cannot go back to"},
      {{"--at", "2099-01-01T00:00:00Z"}, 14, "future"},
      {{"--at", "2026-01-01T00:00:00"}, 2, "no time zone"},
      {{"--lsn", "FFF/0"}, 14, ""},
      {{"--name", "never-made"}, 14, "never-made"},
      {{"--point", "zzzz"}, 14, "zzzz"},
      {{"--at", early, "--lsn", "0/1"}, 2, "contradict"},
  };
  for (const auto& each : cases) {
    std::vector<std::string> words = {"restore", "db", "--to", boat / "never"};
    words.insert(words.end(), each.words.begin(), each.words.end());
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, each.exit_code) << each.words[1] << ": " << ran.err;
    EXPECT_NE(ran.err.find(each.says), std::string::npos) << ran.err;
    EXPECT_FALSE(fs::exists(boat / "never")) << "nothing may be written";
  }
}

TEST_F(PostgresCli, RefusesAnOccupiedTarget) {
  boat.must({"backup"});
  write_text(boat / "occupied/precious", "data");
  auto ran = boat.run({"restore", "db", "--to", boat / "occupied"});
  EXPECT_EQ(ran.exit_code, 5) << ran.err;
  EXPECT_EQ(files_below(boat / "occupied").size(), 1u);
}

TEST_F(PostgresCli, AHoleInTheLogIsShownAndNotCrossed) {
  boat.must({"backup"});
  auto stream = follow();
  std::string middle;
  for (int i = 0; i < 4; ++i) {
    server->sql("INSERT INTO notes (body) VALUES ('segment')");
    if (i == 1) middle = server->value("SELECT pg_walfile_name(pg_current_wal_lsn())");
    server->sql("SELECT pg_switch_wal()");
  }
  catch_up(*stream);
  stream->signal(SIGTERM);
  stream->wait();
  auto segment = std::stoul(middle.substr(16), nullptr, 16);
  char name[32];
  std::snprintf(name, sizeof name, "%016lx", segment);
  bool removed = false;
  for (const auto& path : files_below(boat.repository() + "/w")) {
    if (path.find(name) != std::string::npos) removed = fs::remove(path) || removed;
  }
  ASSERT_TRUE(removed) << name;
  EXPECT_NE(boat.must({"info"}).out.find("hole: log missing"), std::string::npos);
  auto beyond = boat.run({"restore", "db", "--to", boat / "beyond", "--at", now_text()});
  EXPECT_EQ(beyond.exit_code, 14) << beyond.err;
  EXPECT_NE(beyond.err.find("20"), std::string::npos) << "the last reachable commit is named";
}

TEST_F(PostgresCli, UnreachableServersAndMissingRightsAreTold) {
  server->make_role("weak", "secret-pw-1");
  boat.environment()["DB"] = server->conninfo_as("weak", "secret-pw-1");
  auto no_right = boat.run({"backup"});
  EXPECT_EQ(no_right.exit_code, 20) << no_right.err;
  boat.environment()["DB"] = server->conninfo_as("weak", "wrong-pw-22");
  auto wrong = boat.run({"backup"});
  EXPECT_EQ(wrong.exit_code, 20) << wrong.err;
  EXPECT_EQ(wrong.err.find("wrong-pw-22"), std::string::npos) << "a password must never be printed";
  server->stop();
  boat.environment()["DB"] = server->conninfo();
  auto down = boat.run({"backup"});
  EXPECT_EQ(down.exit_code, 20) << down.err;
  EXPECT_NE(boat.run({"doctor"}).exit_code, 0);
  EXPECT_TRUE(boat.must({"ls", "--json"}).summary()["points"].items().empty());
}

TEST_F(PostgresCli, KilledBackupsAndStreamsLoseNothing) {
  boat.must({"backup"});
  for (int i = 0; i < 5; ++i) {
    server->sql("INSERT INTO notes (body) SELECT repeat('x', 500) FROM generate_series(1, 3000)");
    auto backup = boat.start({"backup"});
    auto stream = boat.start({"backup", "db", "--follow"});
    ::usleep(static_cast<useconds_t>(100000 + i * 130000));
    backup->signal(SIGKILL);
    stream->signal(SIGKILL);
    backup->wait();
    stream->wait();
    boat.must({"verify"});
  }
  auto rows = server->value("SELECT count(*) FROM notes");
  boat.must({"backup"});
  boat.must({"restore", "db", "--to", boat / "back"});
  EXPECT_EQ(ask_restored(boat / "back", "SELECT count(*) FROM notes"), rows);
}

TEST_F(PostgresCli, WhatIsOnlyInTheSpoolIsSaidAndBroughtIn) {
  boat.write_plan(
      "stores:\n  db: {postgres: env:DB, log: continuous, every: hourly, spool: spool}\n");
  boat.must({"backup"});
  auto stream = follow();
  fs::rename(boat / "repository", boat / "away");
  server->sql("INSERT INTO notes (body) VALUES ('only in the spool')");
  const auto written = server->value("SELECT pg_current_wal_flush_lsn()");
  wait_for([&] {
    return server->value("SELECT flush_lsn >= '" + written + "' FROM pg_stat_replication") == "t";
  });
  EXPECT_NE(boat.run({"status"}).exit_code, 0);
  stream->signal(SIGKILL);
  stream->wait();
  fs::rename(boat / "away", boat / "repository");
  const auto alarmed = boat.run({"status"});
  EXPECT_EQ(alarmed.exit_code, 4) << alarmed.out << alarmed.err;
  EXPECT_NE(alarmed.out.find("nobody brings them into the repository"), std::string::npos)
      << alarmed.out;
  stream = follow();
  const auto good = boat.run({"status"});  // of the stream that was killed it still speaks
  EXPECT_NE(good.out.find("log of db  ok "), std::string::npos) << good.out << good.err;
  stream->signal(SIGTERM);
  EXPECT_EQ(stream->wait().exit_code, 0);
  boat.must({"restore", "db", "--to", boat / "latest"});
  EXPECT_EQ(ask_restored(boat / "latest", "SELECT count(*), max(body) FROM notes"),
            "1001|only in the spool");
}

TEST_F(PostgresCli, TwoRestoresIntoOneFolderDoNotMix) {
  server->sql("INSERT INTO notes (body) SELECT repeat('x', 500) FROM generate_series(1, 30000)");
  boat.must({"backup"});
  auto folder = boat / "shared";
  auto first = boat.start({"restore", "db", "--to", folder});
  wait_for([&] { return fs::exists(folder + "/.lifeboat-restore") || !first->alive(); });
  auto second = boat.run({"restore", "db", "--to", folder});
  EXPECT_EQ(second.exit_code, 5) << second.err;
  EXPECT_EQ(first->wait().exit_code, 0);
  EXPECT_EQ(ask_restored(folder, "SELECT count(*) FROM notes"), "31000");
}

TEST_F(PostgresCli, FullDisksAreCleanErrors) {
  server->sql(
      "INSERT INTO notes (body) SELECT md5(n::text) || md5((n+1)::text) FROM generate_series(1, "
      "200000) n");
  boat.must({"backup"});
  SmallDisk target(boat / "small", "12m");
  if (!target.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root";
  auto restore = boat.run({"restore", "db", "--to", boat / "small/db"});
  EXPECT_EQ(restore.exit_code, 22) << restore.err;
  EXPECT_FALSE(fs::exists(boat / "small/db/global/pg_control"));

  SmallDisk repository(boat / "tiny", "4m");
  boat.write_plan(one_store, "./tiny/repository");
  boat.must({"init"});
  auto backup = boat.run({"backup"});
  EXPECT_EQ(backup.exit_code, 22) << backup.err;
  EXPECT_TRUE(boat.must({"ls", "--json"}).summary()["points"].items().empty());
  EXPECT_EQ(server->value("SELECT count(*) FROM notes"), "201000") << "production is untouched";
}

TEST_F(PostgresCli, FindCatAndDiffLookIntoTheFilesOfAPoint) {
  boat.must({"backup", "db"});
  server->sql("CREATE TABLE more AS SELECT n FROM generate_series(1, 100) n");
  server->sql("UPDATE notes SET body = 'changed' WHERE id = 7");
  server->sql("CHECKPOINT");
  boat.must({"backup", "db"});
  auto file = server->value("SELECT pg_relation_filepath('notes')");
  auto found = boat.must({"find", "db", file + "*"}).out;
  EXPECT_NE(found.find(file + "  (postgres public.notes)"), std::string::npos) << found;
  auto line = boat.must({"find", "db", "/" + file, "--json"}).lines()[0];
  EXPECT_EQ(line["table"].string(), "postgres public.notes");
  EXPECT_NE(line["changed"].string(), "");
  EXPECT_EQ(boat.must({"find", "db", "PG_VERSION", "-0"}).out.substr(0, 11),
            std::string("PG_VERSION\0", 11));

  EXPECT_EQ(boat.must({"cat", "db:PG_VERSION"}).out, "15\n");
  auto content = boat.must({"cat", "db:" + file, "--json"}).lines()[0];
  EXPECT_EQ(content["size"].integer() % 8192, 0);
  EXPECT_NE(boat.must({"cat", "db:" + file}).err.find("lifeboat restore db"), std::string::npos);
  auto folder = boat.run({"cat", "db:base"});
  EXPECT_EQ(folder.exit_code, 2);
  EXPECT_NE(folder.err.find("is a folder"), std::string::npos) << folder.err;
  auto table = boat.run({"cat", "db:public.notes"});
  EXPECT_EQ(table.exit_code, 1);
  EXPECT_NE(table.err.find("lies in " + file), std::string::npos) << table.err;
  EXPECT_NE(table.err.find("lifeboat restore db --to"), std::string::npos) << table.err;

  auto diff = boat.must({"diff", "db"}).out;
  EXPECT_NE(diff.find("M " + file + "  (postgres public.notes)"), std::string::npos) << diff;
  auto made = server->value("SELECT pg_relation_filepath('more')");
  EXPECT_NE(diff.find("+ " + made + "  (postgres public.more)"), std::string::npos) << diff;
  EXPECT_EQ(diff.find("\na "), std::string::npos) << "times of files are no difference\n" << diff;
}

}  // namespace
}  // namespace lb::test
