// What `preflight:` of a runbook says of real servers, folders and ports: what is missing is named,
// what could not be looked at fails the step too, and nothing is changed by looking.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

// Whatever the machine's newest is, so that databases go from one to the other.
constexpr int older_major = 14;

struct Seen {
  std::string state, text;
  bool says(const std::string& words) const { return text.find(words) != std::string::npos; }
};
std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << seen.state << ": " << seen.text;
}

class PreflightCli : public testing::Test {
 protected:
  PreflightCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    live = PostgresServer::start();
    live->sql("CREATE ROLE keeper");
    live->sql("CREATE DATABASE shop");
    live->sql("CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO keeper", "shop");
    write_text(boat / "media/a.txt", "one");
    boat.environment()["DB"] = live->conninfo("shop");
    boat.environment()["OTHER"] = live->conninfo("shop");
    boat.environment()["CLUSTER"] = boat / "cluster";
    boat.environment()["URL"] = "http://127.0.0.1:1";
  }
  // `urls`: of target staging.
  void plan(const std::string& words, const std::string& steps, const std::string& more = "") {
    boat.write_plan(R"(stores:
  db: {postgres: env:DB, every: hourly, objective: {rpo: 1h}}
  media: {files: ./media, every: hourly, objective: {rpo: 1h}}
targets:
  production: {protect: true}
  staging: {stores: {db: env:OTHER, media: ./elsewhere}}
  cluster: {stores: {db: env:CLUSTER, media: ./media/inside}}
  vault: {stores: {media: ./repository/inside}}
  file: {stores: {media: ./lifeboat.yaml}}
  masked: {mask: pii, stores: {db: env:OTHER}}
  sandbox: {isolate: network, folder: ./sandboxes}
masks:
  pii: {"*.email": redact, unlisted: keep}
drills:
  loss: {every: monthly, runbook: main, into: sandbox}
)" + more + "runbooks:\n  main:\n    steps:\n      - preflight: [" +
                    words + "]\n      - manual: go on\n" + steps);
  }
  void saved(const std::string& words, const std::string& steps) {
    plan(words, steps);
    boat.must({"init"});
    boat.must({"backup"});
  }
  // The first step of a run that is not gone on with.
  Seen look() {
    boat.run({"run", "main", "--no-wait"});
    auto shown = boat.run({"run", "show", "--json"});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    if (shown.exit_code != 0) return {};
    auto step = shown.lines().back()["steps"].items().at(0);
    boat.run({"abort", "-m", "only looked"});
    return {step["state"].string(), step["text"].string()};
  }
  static std::string restore(const std::string& store, const std::string& target,
                             const std::string& how = "beside") {
    return "      - restore: {store: " + store + ", to: " + target + ", how: " + how + "}\n";
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> live;
};

TEST_F(PreflightCli, AServerThatHasAllIsGood) {
  saved("repository, credentials, network, disk, version, extensions, roles, target, tools",
        restore("db", "staging"));
  auto other = PostgresServer::start();
  other->sql("CREATE ROLE keeper");
  boat.environment()["OTHER"] = other->conninfo();
  auto seen = look();
  EXPECT_EQ(seen.state, "done") << seen;
  EXPECT_TRUE(seen.says("the repository answers")) << seen;
  EXPECT_TRUE(seen.says("db answers")) << seen;
  EXPECT_TRUE(seen.says("extensions for db in staging: the server has plpgsql")) << seen;
  EXPECT_TRUE(seen.says("roles for db in staging: the server has keeper")) << seen;
  EXPECT_TRUE(seen.says("target staging for db")) << seen;
  EXPECT_EQ(other->value("SELECT count(*) FROM pg_database"), "3") << "it only looked";
}

TEST_F(PreflightCli, ARoleAndAnExtensionThatTheServerLacksAreNamed) {
  // An extension of the catalog alone: this machine has no files of it.
  live->sql(
      "SET allow_system_table_mods = on; INSERT INTO pg_extension SELECT 90001, "
      "'nowhere_installed', 10, 2200, false, '1.0', NULL, NULL",
      "shop");
  saved("extensions, roles", restore("db", "staging"));
  auto other = PostgresServer::start();
  boat.environment()["OTHER"] = other->conninfo();
  auto seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("the server lacks nowhere_installed")) << seen;
  EXPECT_TRUE(seen.says("the server lacks keeper")) << seen;
  // A drill tells the sandbox from the backup.
  plan("extensions, roles", restore("db", "production"));
  auto drill = boat.run({"drill", "loss", "--json"});
  auto record = drill.summary()["record"];
  EXPECT_EQ(record["verdict"].string(), "INCONCLUSIVE") << drill.err;
  EXPECT_NE(record["reason"].string().find("nowhere_installed"), std::string::npos)
      << record["reason"].string();
}

TEST_F(PreflightCli, AnOlderServerIsRefusedWhereTheDatabaseIsOfANewer) {
  if (const auto reason = PostgresServer::missing(older_major)) GTEST_SKIP() << *reason;
  saved("version", restore("db", "staging"));
  PostgresOptions options;
  options.major = older_major;
  auto other = PostgresServer::start(options);
  boat.environment()["OTHER"] = other->conninfo();
  auto seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("a database is not carried to an older one")) << seen;
}

TEST_F(PreflightCli, TheLiveDatabaseIsNoTargetUnlessItIsSaid) {
  saved("target", restore("db", "staging", "beside-then-swap"));
  auto seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("is the live database itself, and not protected")) << seen;
  // Beside the live one, on its server, which is a protected target's.
  plan("target", restore("db", "staging"));
  live->sql("CREATE DATABASE aside");
  boat.environment()["OTHER"] = live->conninfo("aside");
  seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("leads to the place of production, which is protected")) << seen;
  plan("target", restore("db", "staging", "beside-then-swap"));
  boat.environment()["OTHER"] = live->conninfo("shop");
  // The same place by another name, while the live server cannot be asked: nobody knows.
  boat.environment()["DB"] = live->conninfo("shop") + " password=x user=nobody";
  seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("could not be looked at")) << seen;
  // Another server is told from it by the point, though the live one is silent.
  auto other = PostgresServer::start();
  boat.environment()["OTHER"] = other->conninfo();
  seen = look();
  EXPECT_EQ(seen.state, "done") << seen;
  EXPECT_TRUE(seen.says("is another server than the one that was backed up")) << seen;
  plan("target", restore("db", "production", "beside-then-swap"));
  boat.environment()["DB"] = live->conninfo("shop");
  seen = look();
  EXPECT_EQ(seen.state, "done") << seen;
}

TEST_F(PreflightCli, ATargetThatIsDownOrCannotTakeItIsNotGood) {
  saved("target", restore("db", "staging"));
  auto other = PostgresServer::start();
  boat.environment()["OTHER"] = other->conninfo();
  other->sql("CREATE DATABASE shop_restored");
  auto seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("has a database shop_restored already")) << seen;
  other->sql("DROP DATABASE shop_restored");
  other->make_role("weak", "weak-pw");
  boat.environment()["OTHER"] = other->conninfo_as("weak", "weak-pw");
  seen = look();
  EXPECT_TRUE(seen.says("its role may not create databases")) << seen;
  // Tables go into the database that is there: its name is free for nobody else's.
  boat.environment()["OTHER"] = other->conninfo("postgres");
  plan("target", restore("db", "staging", "beside, only: [orders]"));
  EXPECT_EQ(look().state, "done");
  other->sql("CREATE TABLE orders_restored ()");
  seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("has a public.orders_restored already")) << seen;
  plan("target", restore("db", "staging"));
  other->stop();
  seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("target staging for db does not answer")) << seen;
  plan("target", restore("db", "masked", "beside-then-swap"));
  seen = look();
  EXPECT_TRUE(seen.says("not supported yet: mask: of target masked")) << seen;
}

TEST_F(PreflightCli, FoldersThatOverlapWhatIsLiveAreRefusedAndNothingIsWritten) {
  saved("target, disk", restore("media", "staging", "new"));
  auto seen = look();
  EXPECT_EQ(seen.state, "done") << seen;
  EXPECT_TRUE(seen.says(" needed, ")) << seen;
  EXPECT_FALSE(fs::exists(boat / "elsewhere"));
  plan("target", restore("media", "cluster", "new"));
  seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("and the live media")) << seen;
  plan("target", restore("media", "vault", "new"));
  seen = look();
  EXPECT_TRUE(seen.says("and the repository")) << seen;
  plan("target", restore("media", "file", "new"));
  seen = look();
  EXPECT_TRUE(seen.says("is no folder that can be written")) << seen;
  // The live folder by another name.
  fs::create_directory_symlink(boat / "media", boat / "elsewhere");
  plan("target", restore("media", "staging", "new"));
  seen = look();
  EXPECT_TRUE(seen.says("and the live media")) << seen;
  // A running data directory of the same origin.
  boat.environment()["CLUSTER"] = live->data();
  plan("target", restore("db", "cluster", "new"));
  seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("it may be the live one, and is not protected")) << seen;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(boat / "media")) files += entry.exists() ? 1 : 0;
  EXPECT_EQ(files, 1) << "looking left nothing";
}

TEST_F(PreflightCli, APortThatIsTakenAndAToolThatIsNotThereAreNamed) {
  PostgresOptions options;
  options.tcp = true;
  auto holder = PostgresServer::start(options);
  auto url = "http://127.0.0.1:" + std::to_string(holder->port());
  auto steps = std::string("      - {run: \"true && no-such-program | sort\", probe: \"true\"}\n") +
               "      - switch: {to: web, run: ./also-missing}\n";
  plan("ports", steps);
  auto write = [&](const std::string& words) {
    plan(words, steps);
    auto text = read_text(boat / "lifeboat.yaml");
    auto at = text.find("  production:");
    write_text(boat / "lifeboat.yaml", text.insert(at, "  web: {url: \"" + url + "\"}\n"));
  };
  write("ports");
  boat.must({"init"});
  boat.must({"backup"});
  auto seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("port " + std::to_string(holder->port()) +
                        " of target web is taken by what does not speak HTTP"))
      << seen;
  holder->stop();
  seen = look();
  EXPECT_EQ(seen.state, "done") << seen;
  EXPECT_TRUE(seen.says(" of target web is free")) << seen;
  write("tools");
  seen = look();
  EXPECT_EQ(seen.state, "failed") << seen;
  EXPECT_TRUE(seen.says("no-such-program: not found in PATH")) << seen;
  EXPECT_TRUE(seen.says("./also-missing: not found in ")) << seen;
}

TEST_F(PreflightCli, ADrillSaysWhatItDidNotLookAt) {
  saved("disk, version, roles, target", restore("db", "production"));
  auto drill = boat.run({"drill", "loss", "--json"});
  auto record = drill.summary()["record"];
  EXPECT_EQ(record["steps"].items().at(0)["text"].string(),
            "in the sandbox: disk, version; not looked at: roles, target")
      << drill.err << record.dump();
}

}  // namespace
}  // namespace lb::test
