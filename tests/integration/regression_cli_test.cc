// PostgreSQL's own regression database, which has every kind of object there is: a full copy before
// it is made, page-exact increments in its midst and at its end, and the restored copy held against
// the live one by dump, by pg_amcheck and by page checksums.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/integration/archiving.h"
#include "tests/integration/restored_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

// What no backup holds, by design: the rows of unlogged tables.
constexpr const char* drop_unlogged =
    "DO $$DECLARE t regclass; BEGIN FOR t IN SELECT oid::regclass FROM pg_class WHERE "
    "relpersistence = 'u' AND relkind = 'r' LOOP EXECUTE 'DROP TABLE ' || t || ' CASCADE'; "
    "END LOOP; END$$";

std::string regression_tests() {
  if (const char* chosen = std::getenv("LIFEBOAT_REGRESSION_CACHE")) return chosen;
  return fs::path(PostgresServer::majors_folder()).parent_path() / "regression";
}

// With its tools below `tools`, its tests below `tests`.
class RegressionCli : public testing::Test {
 protected:
  RegressionCli()
      : boat(LIFEBOAT_BINARY),
        program(fs::path(PostgresServer::binaries()).parent_path() /
                "lib/pgxs/src/test/regress/pg_regress") {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    if (!fs::exists(program)) GTEST_SKIP() << "no pg_regress at " << program;
    if (!fs::exists(regression_tests() + "/parallel_schedule"))
      GTEST_SKIP() << "no regression tests here; tools/postgres-regression fetches them";
    fs::permissions(work.path(), fs::perms(0755));
    halve_schedule();
    server = PostgresServer::start({.settings = {{"max_prepared_transactions", "10"}}});
    server->sql("CREATE EXTENSION amcheck");
    boat.environment()["DB"] = server->conninfo();
    boat.write_plan("stores:\n  db: {postgres: env:DB, log: continuous, every: hourly, data: " +
                    server->data() + "}\n");
  }
  // The schedule's groups depend on earlier ones: the first half, and the rest.
  void halve_schedule() {
    std::istringstream lines(read_text(regression_tests() + "/parallel_schedule"));
    std::ofstream first(work / "first"), rest(work / "rest");
    int groups = 0;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("test:")) continue;
      (++groups <= 13 ? first : rest) << line << "\n";
    }
    ASSERT_GT(groups, 20);
    for (const char* name : {"first", "rest"}) fs::permissions(work / name, fs::perms(0644));
  }
  // Some tests fail, as they need a library of test functions that nobody packages; what they all
  // leave behind is what counts here.
  void regress(const std::string& schedule, const std::vector<std::string>& more) {
    const auto out = work / (schedule + ".out");
    fs::create_directory(out);
    give_to_server_user(out);
    std::vector<std::string> argv = {program,
                                     "--host=" + server->socket_folder(),
                                     "--port=" + std::to_string(server->port()),
                                     "--user=postgres",
                                     "--bindir=" + PostgresServer::binaries(),
                                     "--dlpath=" + out,
                                     "--inputdir=" + regression_tests(),
                                     "--outputdir=" + out,
                                     "--schedule=" + (work / schedule)};
    argv.insert(argv.end(), more.begin(), more.end());
    ToolProcess(argv, work / (schedule + ".log"), SIGKILL).wait();
    const auto log = read_text(work / (schedule + ".log"));
    ASSERT_NE(log.find(" tests "), std::string::npos) << log;
  }
  std::string back_up_pages() {
    boat.must({"backup"});
    const auto id = boat.must({"ls", "--json"}).summary()["points"].items().back()["id"].string();
    const auto shown = boat.must({"show", id, "--json"}).summary();
    EXPECT_EQ(shown["details"]["mode"].string(), "pages") << shown["details"]["why_full"].string();
    return id;
  }
  static std::string dump(const std::string& socket, int port, const std::string& to) {
    const auto command = PostgresServer::binaries() + "/pg_dumpall -h " + socket + " -p " +
                         std::to_string(port) + " -U postgres | grep -Ev '^.(un)?restrict ' > " +
                         to;
    EXPECT_EQ(::system(("bash -o pipefail -c \"" + command + "\"").c_str()), 0);
    return read_text(to);
  }
  static void expect_sound(const std::string& socket) {
    const auto log = socket + "/amcheck.log";
    const auto command = PostgresServer::binaries() + "/pg_amcheck -h " + socket +
                         " -p 5432 -U postgres --install-missing --all --heapallindexed > " + log +
                         " 2>&1";
    EXPECT_EQ(::system(command.c_str()), 0) << read_text(log);
  }

  Lifeboat boat;
  std::string program;
  TempDir work;
  std::unique_ptr<PostgresServer> server;
};

TEST_F(RegressionCli, TheRestoredDatabaseIsTheSame) {
  boat.must({"init"});
  boat.must({"backup"});
  auto stream = boat.start({"backup", "db", "--follow", "--verbose"});
  wait_for([&] { return stream->err_so_far().find("durable to") != std::string::npos; });
  boat.must({"backup"});
  regress("first", {});
  back_up_pages();
  regress("rest", {"--use-existing"});
  const auto newest = back_up_pages();
  boat.must({"restore", "db", "--point", newest, "--to", boat / "restored"});
  stream->signal(SIGTERM);
  EXPECT_EQ(stream->wait().exit_code, 0);
  EXPECT_GT(
      std::stoi(server->value("SELECT count(*) FROM pg_class WHERE relkind = 'r'", "regression")),
      400);
  server->sql(drop_unlogged, "regression");
  const auto expected = dump(server->socket_folder(), server->port(), work / "live.sql");
  EXPECT_GT(expected.size(), 1U << 20);
  std::string found;
  write_text(work / "drop.sql", drop_unlogged);
  ask_restored(boat / "restored", "SELECT 1", [&](const std::string& socket) {
    const auto drop = PostgresServer::binaries() + "/psql -h " + socket +
                      " -p 5432 -U postgres -q -f " + (work / "drop.sql") + " regression";
    EXPECT_EQ(::system(drop.c_str()), 0);
    found = dump(socket, 5432, work / "restored.sql");
    expect_sound(socket);
  });
  EXPECT_TRUE(found == expected) << "see pg_dumpall of both";
  const auto checksums = PostgresServer::binaries() + "/pg_checksums --check -D " +
                         (boat / "restored") + " > " + (work / "checksums.log") + " 2>&1";
  EXPECT_EQ(::system(checksums.c_str()), 0) << read_text(work / "checksums.log");
}

}  // namespace
}  // namespace lb::test
