// A step that points clients at another server: they read the address from a file, as services do.
// What they do tells whether the old server is left alone, and undo brings them back.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

// Writes a row where the file says, again and again; each time it looks anew.
class Writer {
 public:
  explicit Writer(std::string file)
      : file_(std::move(file)), thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
                PQconnectdb(read_text(file_).c_str()), PQfinish);
            PQclear(PQexec(connection.get(), "INSERT INTO visits VALUES (now())"));
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
        }) {}

 private:
  std::string file_;
  std::jthread thread_;
};

class SwitchCli : public testing::Test {
 protected:
  SwitchCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    old = PostgresServer::start();
    fresh = PostgresServer::start();
    for (auto* server : {old.get(), fresh.get()})
      server->sql("CREATE TABLE visits (at timestamptz)");
    boat.environment()["DB"] = old->conninfo();
    boat.environment()["WEST"] = fresh->conninfo();
    boat.environment()["LEDGER"] = boat / "ledger";
    boat.environment()["SUDO_USER"] = "ada";
    write_text(boat / "active", old->conninfo());
    boat.write_plan(
        "stores:\n  db: {postgres: env:DB, every: hourly}\n"
        "targets: {west: {postgres: env:WEST}}\n"
        "people: {operator: {users: [ada]}}\n"
        "runbooks:\n  move:\n    steps:\n"
        "      - switch: {to: west, write: \"file:./active\",\n"
        "                 run: \"grep -c . active >> $LEDGER\"}\n"
        "        limit: 12s\n"
        "      - manual: look at it\n");
    boat.must({"init"});
  }
  Json step() {
    auto ran = boat.run({"run", "show", "--json"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.exit_code == 0 ? ran.lines().back()["steps"].items().at(0) : Json();
  }
  bool written_since(const PostgresServer& server, const std::string& count) const {
    return server.value("SELECT count(*) FROM visits") != count;
  }
  void wait_for_writes(const PostgresServer& server) const {
    auto count = server.value("SELECT count(*) FROM visits");
    while (!written_since(server, count))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> old, fresh;
};

TEST_F(SwitchCli, ClientsGoToTheNewServerAndBack) {
  Writer writer(boat / "active");
  wait_for_writes(*old);
  auto ran = boat.run({"run", "move", "--no-wait"});
  ASSERT_EQ(step()["state"].string(), "done") << ran.err;
  EXPECT_NE(step()["text"].string().find("postgres of west answers; nobody writes to the old db"),
            std::string::npos)
      << step().dump();
  EXPECT_EQ(read_text(boat / "active"), fresh->conninfo());
  wait_for_writes(*fresh);
  boat.must({"step", "undo", "1", "-m", "the old one was well"});
  ran = boat.run({"resume", "--no-wait"});
  ASSERT_EQ(step()["state"].string(), "undone") << ran.err;
  EXPECT_EQ(read_text(boat / "active"), old->conninfo());
  wait_for_writes(*old);
  EXPECT_EQ(read_text(boat / "ledger"), "1\n1\n") << "the hook is told of both";
  for (const auto& each : fs::directory_iterator(boat.folder()))
    EXPECT_FALSE(each.path().filename().string().starts_with("active.")) << each.path();
}

TEST_F(SwitchCli, AClientThatStaysIsNamedAndTheStepFails) {
  write_text(boat / "hard-coded", old->conninfo() + " application_name=straggler");
  Writer straggler(boat / "hard-coded");
  wait_for_writes(*old);
  auto ran = boat.run({"run", "move", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 75) << ran.err;
  EXPECT_EQ(step()["state"].string(), "failed");
  EXPECT_NE(step()["text"].string().find("the old server is still written to"), std::string::npos)
      << step().dump();
}

TEST_F(SwitchCli, AnOldServerThatLetsNobodyLookIsNotTakenForStill) {
  boat.environment()["DB"] = old->conninfo_as("nobody", "wrong");
  Writer writer(boat / "active");
  auto ran = boat.run({"run", "move", "--no-wait"});
  EXPECT_EQ(step()["state"].string(), "failed") << ran.err;
  EXPECT_NE(step()["text"].string().find("lets nobody look"), std::string::npos) << step().dump();
}

TEST_F(SwitchCli, AnOldServerThatIsGoneIsSaid) {
  old->stop(StopMode::kill);
  auto ran = boat.run({"run", "move", "--no-wait"});
  EXPECT_EQ(step()["state"].string(), "done") << ran.err;
  EXPECT_NE(step()["text"].string().find("the old db does not answer from here"), std::string::npos)
      << step().dump();
}

TEST_F(SwitchCli, ANewServerThatTakesNoWritesFailsTheStep) {
  fresh->sql("ALTER SYSTEM SET default_transaction_read_only = on");
  fresh->sql("SELECT pg_reload_conf()");
  auto ran = boat.run({"run", "move", "--no-wait"});
  EXPECT_EQ(step()["state"].string(), "failed") << ran.err;
  EXPECT_NE(step()["text"].string().find("takes no writes"), std::string::npos) << step().dump();
}

}  // namespace
}  // namespace lb::test
