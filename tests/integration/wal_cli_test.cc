// wal push and fetch as a real server uses them: under load, with the agent and the server killed,
// with a full disk, and back into a server that recovers.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/small_disk.h"
#include "tests/integration/failing_over.h"
#include "tests/integration/restored_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class WalCli : public testing::Test {
 protected:
  WalCli() : boat(as_server_user(tools, LIFEBOAT_BINARY)) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    PostgresOptions options;
    options.segment_mib = 1;
    options.settings = {{"archive_mode", "on"}, {"archive_command", command("push", "%p")}};
    server = PostgresServer::start(options);
    server->sql("CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, body text)");
    boat.environment()["DB"] = server->conninfo();
    boat.write_plan("stores:\n  db: {postgres: env:DB, every: hourly}\n");
    give_to_server_user(boat.folder());
    boat.must({"init"});
  }
  void TearDown() override { end_agents(); }
  std::string command(const std::string& verb, const std::string& words) const {
    return "env LIFEBOAT_KEY=\"correct horse battery\" LIFEBOAT_STATE=" + (boat / "server") +
           " DB=unused " + LIFEBOAT_BINARY + " wal " + verb + " --plan " +
           (boat / "lifeboat.yaml") + " --store db " + words;
  }
  std::vector<pid_t> agents() { return processes_with(boat / "lifeboat.yaml"); }
  // The agents of this test's plan: those that push are short-lived.
  void end_agents(int number = SIGKILL) {
    for (const auto pid : agents()) ::kill(pid, number);
  }
  std::int64_t archiver(const std::string& what) {
    return std::stoll(server->value("SELECT " + what + " FROM pg_stat_archiver"));
  }
  void write(int rows) {
    server->sql("INSERT INTO notes (body) SELECT md5(n::text) FROM generate_series(1, " +
                std::to_string(rows) + ") n");
  }
  // Everything up to now is archived.
  void archive_all() {
    server->sql("SELECT txid_current()");
    const auto name = server->value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
    server->sql("SELECT pg_switch_wal()");
    wait_for([&] {
      return server->value("SELECT coalesce(last_archived_wal, '') >= '" + name +
                           "' FROM pg_stat_archiver") == "t";
    });
  }
  // A server of its own on a point laid out by a plain copy, which fetches its log by itself.
  struct Recovered {
    std::string state, log;
  };
  Recovered recover(const std::string& base, const std::string& ask) {
    std::ofstream(base + "/postgresql.auto.conf", std::ios::app)
        << "restore_command = '" << command("fetch", "%f %p") << "'\narchive_mode = off\n";
    std::ofstream(base + "/recovery.signal").flush();
    give_to_server_user(base + "/recovery.signal");
    const auto socket = boat / "recovered.socket";
    fs::create_directories(socket);
    give_to_server_user(socket);
    const auto log = boat / "recovered.log";
    ToolProcess postmaster({PostgresServer::binaries() + "/postgres", "-D", base, "-k", socket,
                            "-c", "listen_addresses=", "-c", "port=5432"},
                           log, SIGQUIT);
    Recovered out;
    wait_for([&] {
      if (!postmaster.running()) return true;
      const auto psql = PostgresServer::binaries() + "/psql -h " + socket +
                        " -p 5432 -U postgres -d postgres -Atc \"SELECT CASE WHEN "
                        "pg_is_in_recovery() THEN 'recovering' ELSE (" +
                        ask + ") END\" 2>/dev/null";
      auto* pipe = ::popen(psql.c_str(), "r");
      char text[256] = {};
      const auto size = ::fread(text, 1, sizeof text - 1, pipe);
      const bool ok = ::pclose(pipe) == 0;
      out.state = std::string(text, size);
      while (!out.state.empty() && out.state.back() == '\n') out.state.pop_back();
      return ok && out.state != "recovering";
    });
    if (postmaster.running()) {
      postmaster.signal(SIGINT);
      postmaster.wait();
    } else {
      out.state = "ended";
    }
    out.log = read_text(log);
    return out;
  }
  std::string base_backup(const std::string& name) {
    const auto folder = boat / name;
    server->run_tool({"pg_basebackup", "-D", folder, "-c", "fast", "-X", "none"});
    return folder;
  }

  TempDir tools;
  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
};

constexpr const char* digest =
    "SELECT count(*) || ' ' || coalesce(sum(id), 0) || ' ' || md5(string_agg(body, '' ORDER BY "
    "id)) "
    "FROM notes";

TEST_F(WalCli, ArchivesUnderLoadThroughKillsAndRecoversByFetchToTheSameData) {
  const auto base = base_backup("base");
  for (int round = 0; round < 3; ++round) {
    write(20'000);
    wait_for([&] { return !agents().empty(); });
    end_agents();  // in the middle of whatever it does
    write(20'000);
    server->stop(StopMode::kill);
    server->start_again();
  }
  archive_all();
  const auto expected = server->value(digest);
  EXPECT_GT(archiver("archived_count"), 10);
  const auto recovered = recover(base, digest);
  EXPECT_EQ(recovered.state, expected) << recovered.log;
  EXPECT_NE(recovered.log.find("restored log file"), std::string::npos) << recovered.log;
}

TEST_F(WalCli, AFullRepositoryFailsLoudlyAndGoesOnWhenThereIsRoomAgain) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounts a small file system";
  archive_all();
  end_agents();
  const auto kept = boat / "kept";
  fs::rename(boat.repository(), kept);
  SmallDisk disk(boat.repository(), "4m", "700");
  ASSERT_TRUE(disk.mounted());
  fs::copy(kept, boat.repository(), fs::copy_options::recursive);
  give_to_server_user(boat.repository());
  for (const auto& entry : fs::recursive_directory_iterator(boat.repository()))
    give_to_server_user(entry.path());
  const auto ballast = boat.repository() + "/ballast";
  std::ofstream(ballast) << std::string(4 << 20, 'x');
  write(30'000);
  wait_for([&] { return archiver("failed_count") >= 2; });
  EXPECT_NE(server->log_text().find("No space left"), std::string::npos) << server->log_text();
  const auto status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4) << status.out;
  fs::remove(ballast);
  archive_all();
  boat.must({"backup", "db"});
  const auto listed = boat.must({"wal", "ls", "--store", "db", "--json"}).summary();
  EXPECT_EQ(listed["state"].string(), "ok") << listed.dump();
  boat.must({"verify"});
  end_agents();
}

TEST_F(WalCli, APromotedCloneIsRefusedAndTheOriginGoesOn) {
  write(1000);
  archive_all();
  // A clone with the same archive_command, made by a base backup and promoted.
  auto clone = PostgresServer::standby_of(
      *server, {.settings = {{"archive_mode", "on"}, {"archive_command", command("push", "%p")}}});
  clone->promote();
  clone->sql("CREATE TABLE of_the_clone (id int)");
  clone->sql("SELECT pg_switch_wal()");
  wait_for([&] { return clone->value("SELECT failed_count > 0 FROM pg_stat_archiver") == "t"; });
  EXPECT_EQ(clone->value("SELECT archived_count FROM pg_stat_archiver"), "0");
  EXPECT_NE(clone->log_text().find("another server was admitted"), std::string::npos);
  EXPECT_NE(clone->log_text().find("lifeboat wal admit"), std::string::npos);
  const auto before = archiver("archived_count");
  write(1000);
  archive_all();
  EXPECT_GT(archiver("archived_count"), before);
  EXPECT_EQ(archiver("failed_count"), 0);
  // After a real failover a person says so, and the old primary is the one that is refused.
  const auto admitted =
      boat.must({"wal", "admit", "--store", "db", "--data", clone->data(), "--json"}).summary();
  EXPECT_EQ(admitted["timeline"].integer(), 2);
  clone->reload();  // a server whose attempts failed pauses for a minute
  wait_for([&] { return clone->value("SELECT archived_count >= 2 FROM pg_stat_archiver") == "t"; });
  write(1000);
  server->sql("SELECT pg_switch_wal()");
  wait_for([&] { return archiver("failed_count") > 0; });
}

// The primary is lost, its standby takes over, and later it takes over from that: the archive has
// each timeline with its history and the end of the one before, and a copy of the very beginning
// is brought to the end by it, by the server itself and by a restore.
TEST_F(WalCli, FailoverAndBackAreArchivedAndReplayedAcrossBoth) {
  // pg_rewind looks for where they parted in what is left of the log.
  server->set("wal_keep_size", "1GB");
  server->reload();
  boat.must({"backup"});
  const auto base = base_backup("base");
  auto other = PostgresServer::standby_of(
      *server, {.settings = {{"archive_mode", "on"}, {"archive_command", command("push", "%p")}}});
  for (const auto* which : {"over", "and back"}) {
    write(20'000);
    archive_all();
    server->sql("INSERT INTO notes (body) VALUES ('last words')");
    wait_until_caught_up(*other, *server);
    server->stop(StopMode::kill);
    other->promote();
    std::swap(server, other);
    boat.environment()["DB"] = server->conninfo();
    boat.must({"wal", "admit", "--store", "db", "--data", server->data()});
    server->reload();  // its archiver pauses for a minute after it was refused
    write(3000);
    archive_all();
    if (which == std::string("over")) rejoin(*other, *server);
  }
  EXPECT_EQ(server->value("SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"),
            "00000003");
  const auto expected = server->value(digest);
  const auto listed = boat.must({"wal", "ls", "--store", "db", "--json"}).summary();
  EXPECT_TRUE(listed["whole"].boolean()) << listed.dump();
  boat.must({"restore", "db", "--to", boat / "back"});
  EXPECT_EQ(ask_restored(boat / "back", digest), expected);
  const auto recovered = recover(base, digest);
  EXPECT_EQ(recovered.state, expected) << recovered.log;
}

TEST_F(WalCli, RecoveryStopsRatherThanEndsEarlyWhenTheRepositoryIsOutOfReach) {
  const auto base = base_backup("base");
  write(1000);
  archive_all();
  end_agents();
  fs::rename(boat.repository(), boat / "elsewhere");
  const auto stopped = recover(base, digest);
  EXPECT_EQ(stopped.state, "ended") << stopped.log;
  EXPECT_NE(stopped.log.find("exit code 200"), std::string::npos) << stopped.log;
  fs::rename(boat / "elsewhere", boat.repository());
  fs::remove(base + "/postmaster.pid");
  EXPECT_EQ(recover(base, digest).state, server->value(digest));
}

TEST_F(WalCli, ListsWhatIsFoundDelayedAndLostAndSaysSoInStatus) {
  boat.must({"backup"});
  write(1000);
  archive_all();
  auto listed = boat.must({"wal", "ls", "--store", "db", "--json"}).summary();
  EXPECT_TRUE(listed["whole"].boolean()) << listed.dump();
  EXPECT_TRUE(listed["server_asked"].boolean());
  server->set("archive_command", "/bin/false");
  server->reload();
  const auto first = server->value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
  write(20'000);
  server->sql("SELECT pg_switch_wal()");
  wait_for([&] { return archiver("failed_count") > 0; });
  const auto late = boat.run({"wal", "ls", "--store", "db"});
  EXPECT_EQ(late.exit_code, 4);
  EXPECT_NE(late.out.find("delayed"), std::string::npos) << late.out;
  EXPECT_NE(late.out.find("archive_command fails"), std::string::npos) << late.out;
  const auto doctor = boat.run({"doctor", "--json"});
  EXPECT_NE(doctor.exit_code, 0);
  bool told = false;
  const auto summary = doctor.summary();
  for (const auto& finding : summary["findings"].items()) {
    if (finding["what"].string() != "log") continue;
    told = true;
    EXPECT_FALSE(finding["ok"].boolean());
    EXPECT_NE(finding["text"].string().find("archive_command fails"), std::string::npos);
    EXPECT_NE(finding["text"].string().find("the server keeps"), std::string::npos);
  }
  EXPECT_TRUE(told) << doctor.out << doctor.err;
  // Somebody "helps": the log is thrown away.
  server->set("archive_command", "/bin/true");
  server->reload();
  wait_for([&] {
    return server->value("SELECT coalesce(last_archived_wal, '') >= '" + first +
                         "' FROM pg_stat_archiver") == "t";
  });
  write(20'000);
  server->sql("CHECKPOINT");
  server->set("archive_command", command("push", "%p"));
  server->reload();
  write(20'000);
  archive_all();
  write(20'000);
  archive_all();
  server->sql("CHECKPOINT");
  EXPECT_NE(server->log_text().find("HOLE in the log of db"), std::string::npos);
  const auto lost = boat.run({"wal", "ls", "--store", "db", "--json"});
  EXPECT_EQ(lost.exit_code, 4);
  EXPECT_GT(lost.summary()["lost"].integer() + lost.summary()["delayed_bytes"].integer(), 0);
  const auto status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4);
  boat.must({"backup"});
  EXPECT_EQ(boat.must({"wal", "ls", "--store", "db", "--json"}).summary()["lost"].integer(), 0)
      << "a newer point begins after the hole";
}

// A byte of a segment goes bad on the server's disk before it is archived. It is kept, since it may
// be the only copy, and said; what lies behind it is no point to go to.
TEST_F(WalCli, LogWithAFlippedByteIsKeptSaidAndNotRestoredAsGood) {
  boat.must({"backup"});
  write(500);
  const auto before = server->value(digest);
  const auto moment = server->value("SELECT pg_current_wal_insert_lsn()");
  archive_all();
  server->set("archive_command", "/bin/false");
  server->reload();
  const auto bad = server->value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
  write(5000);
  server->sql("SELECT pg_switch_wal()");
  {
    std::fstream file(server->data() + "/pg_wal/" + bad,
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(200'000);
    const char byte = static_cast<char>(file.get());
    file.seekp(200'000);
    file.put(static_cast<char>(byte ^ 1));
  }
  server->set("archive_command", command("push", "%p"));
  server->reload();
  write(500);
  archive_all();
  EXPECT_NE(server->log_text().find(bad + " is kept, but it cannot be read"), std::string::npos)
      << server->log_text();
  const auto listed = boat.run({"wal", "ls", "--store", "db"});
  EXPECT_EQ(listed.exit_code, 4) << listed.out;
  EXPECT_EQ(boat.run({"status"}).exit_code, 4);
  boat.must({"restore", "db", "--to", boat / "before", "--lsn", moment});
  EXPECT_EQ(ask_restored(boat / "before", digest), before);
  const auto beyond = boat.run({"restore", "db", "--to", boat / "beyond", "--lsn",
                                server->value("SELECT pg_current_wal_insert_lsn()")});
  EXPECT_EQ(beyond.exit_code, 14) << beyond.err;
  EXPECT_FALSE(std::filesystem::exists(boat / "beyond")) << "refused before anything is written";
  const auto latest = boat.run({"restore", "db", "--to", boat / "latest"});
  EXPECT_EQ(latest.exit_code, 14) << latest.err;
  EXPECT_NE(latest.err.find(bad + " is missing or cannot be read"), std::string::npos)
      << latest.err;
  boat.must({"backup"});
  boat.must({"restore", "db", "--to", boat / "after"});
  EXPECT_EQ(ask_restored(boat / "after", digest), server->value(digest));
  EXPECT_EQ(boat.run({"wal", "ls", "--store", "db"}).exit_code, 0) << "a newer point is behind it";
}

// How fast the log grows is measured by its own commits; the server's disk is the one of its log.
TEST_F(WalCli, SaysWhenTheDiskOfTheLogWouldBeFull) {
  boat.must({"backup"});
  server->sql("SELECT pg_create_physical_replication_slot('forgotten', true)");
  std::string said;
  wait_for([&] {
    write(100);
    archive_all();
    said = boat.run({"wal", "ls", "--store", "db"}).out;
    return said.find("the server's disk would be full") != std::string::npos;
  });
  EXPECT_NE(said.find("log grows by "), std::string::npos) << said;
  EXPECT_NE(said.find("slot forgotten (nobody connected) keeps "), std::string::npos) << said;
  server->set("archive_command", "/bin/false");
  server->reload();
  write(100);
  server->sql("SELECT pg_switch_wal()");
  wait_for([&] { return archiver("failed_count") > 0; });
  const auto status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4);
  EXPECT_NE(status.out.find("the server's disk would be full"), std::string::npos) << status.out;
}

TEST_F(WalCli, AnAgentThatNobodyAsksEndsAndTheNextPushStartsAnother) {
  archive_all();
  end_agents();
  const auto socket_of = [&] {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(boat / "server"))
      if (entry.path().extension() == ".agent") found.push_back(entry.path());
    return found;
  };
  boat.environment()["LIFEBOAT_STATE"] = boat / "server";
  const auto name = server->value("SELECT last_archived_wal FROM pg_stat_archiver");
  std::unique_ptr<Running> agent;
  for (int seconds = 2; !agent || !agent->alive(); seconds *= 2) {
    end_agents();  // where the last one had ended before it was asked, the push began another
    agent = boat.start({"agent", "--store", "db", "--idle", std::to_string(seconds) + "s"});
    wait_for([&] { return agent->err_so_far().find("listening") != std::string::npos; });
    boat.must({"wal", "push", "--store", "db", server->data() + "/pg_wal/" + name});
  }
  EXPECT_EQ(agent->wait().exit_code, 0);
  EXPECT_TRUE(socket_of().empty()) << socket_of()[0];
  EXPECT_TRUE(agents().empty());
  write(5000);
  archive_all();
  EXPECT_FALSE(agents().empty()) << "the push after it started one";
}

TEST_F(WalCli, ShowsAccidentsAndThePlaceBeforeThem) {
  server->sql("CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 2000) n");
  write(5000);
  boat.must({"backup"});
  server->sql("DELETE FROM notes WHERE id <= 4000");
  server->sql("UPDATE notes SET body = 'one' WHERE id = 4500");
  const auto before_drop = server->value(digest);
  server->sql("DROP TABLE orders");
  server->sql("TRUNCATE notes");
  archive_all();
  const auto found = boat.must({"wal", "ls", "--store", "db", "--suspicious", "--json"}).summary();
  const auto& list = found["suspicious"].items();
  ASSERT_EQ(list.size(), 3u) << found.dump();
  EXPECT_EQ(list[0]["deeds"].items()[0].string(), "deleted 4,000 rows of postgres public.notes");
  EXPECT_EQ(list[1]["deeds"].items()[0].string(), "dropped postgres public.orders");
  EXPECT_NE(list[2]["deeds"].items()[0].string().find("emptied, rewrote"), std::string::npos);
  EXPECT_EQ(found["segments_unknown"].integer(), 0);
  const auto text = boat.must({"wal", "ls", "--store", "db", "--suspicious"}).out;
  EXPECT_NE(text.find(list[1]["lsn"].string()), std::string::npos) << text;
  boat.must({"restore", "db", "--to", boat / "back", "--before", list[1]["lsn"].string()});
  EXPECT_EQ(ask_restored(boat / "back", std::string(digest) + " WHERE (SELECT count(*) FROM "
                                                              "orders) = 2000"),
            before_drop);
}

TEST_F(WalCli, ByHandAloneAndWithWrongWords) {
  write(1000);
  archive_all();
  EXPECT_EQ(boat.run({"wal", "push"}).exit_code, 2);
  EXPECT_EQ(
      boat.run({"wal", "push", "--store", "db", "/none/pg_wal/000000010000000000000001"}).exit_code,
      1);
  // Whatever is wrong with a fetch, recovery must not take it for the end of the log.
  EXPECT_EQ(boat.run({"wal", "fetch"}).exit_code, 200);
  EXPECT_EQ(boat.run({"wal", "fetch", "--stor", "db", "x", "y"}).exit_code, 200);
  EXPECT_EQ(boat.run({"wal", "fetch", "--store", "nodb", "00000002.history", boat / "t"}).exit_code,
            200);
  const auto target = boat / "data/segment";
  fs::create_directories(boat / "data");
  give_to_server_user(boat / "data");
  const auto name = server->value("SELECT last_archived_wal FROM pg_stat_archiver");
  const auto got = boat.run({"wal", "fetch", "--alone", "--store", "db", name, target});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(fs::file_size(target), 1U << 20);
  const auto none =
      boat.run({"wal", "fetch", "--store", "db", "0000000100000000000000FF", boat / "data/none"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_EQ(none.err, "") << "a server asks so until the log ends";
  EXPECT_FALSE(fs::exists(boat / "data/none"));
}

}  // namespace
}  // namespace lb::test
