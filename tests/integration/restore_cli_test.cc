// Restores of a real PostgreSQL over what is there: mended, gone on with after kills and full
// disks, refused where somebody else's data lies.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "tests/integration/notes_boat.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

template <typename Condition>
void wait_for(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

class RestoreCli : public NotesBoat {
 protected:
  // Content of all that holds rows: what replay made of it is the same each time.
  static std::map<std::string, std::string> relations(const std::string& folder) {
    std::map<std::string, std::string> out;
    for (const char* part : {"/base", "/global", "/lifeboat_tablespaces", "/pg_xact"}) {
      for (const auto& path : files_below(folder + part)) {
        auto name = fs::path(path).filename().string();
        if (name != "pg_control" && name != "pg_internal.init")
          out[path.substr(folder.size())] = read_text(path);
      }
    }
    return out;
  }
  // Bytes flipped, files cut, grown, removed, swapped and added.
  void spoil(const std::string& folder, unsigned seed) {
    std::mt19937 chance(seed);
    auto files = files_below(folder);
    std::erase_if(files,
                  [](const auto& path) { return path.find("/.lifeboat-restore") != path.npos; });
    if (files.empty()) return;
    auto pick = [&] { return files[chance() % files.size()]; };
    for (int i = 0; i < 40; ++i) {
      auto path = pick();
      auto size = fs::is_regular_file(path) ? fs::file_size(path) : 0;
      if (size == 0 || fs::is_symlink(path)) continue;
      std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
      out.seekp(static_cast<std::streamoff>(chance() % size));
      out.put(static_cast<char>(chance()));
    }
    for (int i = 0; i < 5; ++i) {
      auto path = pick(), other = pick();
      if (fs::exists(path)) fs::resize_file(path, fs::file_size(path) / 2);
      if (fs::exists(other)) fs::resize_file(other, fs::file_size(other) + 10'000);
      fs::remove(pick());
      auto one = pick(), two = pick();
      if (one == two || !fs::exists(one) || !fs::exists(two)) continue;
      fs::rename(one, one + ".s");
      fs::rename(two, one);
      fs::rename(one + ".s", two);
    }
    write_text(folder + "/base/5/987654", "of no table");
    write_text(folder + "/base/77/1", "of no database");
    write_text(folder + "/recovery.signal", "");
    write_text(folder + "/postmaster.pid", "1\n");
    write_text(folder + "/PG_VERSION", "15\n");
  }
};

TEST_F(RestoreCli, DeltaMendsWhateverWasSpoiled) {
  auto plain = boat / "plain";
  auto first = boat.must({"restore", "db", "--to", plain, "--json"}).summary();
  EXPECT_EQ(first["how"].string(), "full");
  auto wanted = relations(plain);
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    auto folder = boat / ("mended" + std::to_string(seed));
    fs::copy(plain, folder, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    spoil(folder, seed);
    auto mended =
        boat.must({"restore", "db", "--to", folder, "--delta", "--confirm", "test", "--json"})
            .summary();
    EXPECT_EQ(mended["how"].string(), "delta");
    EXPECT_GT(mended["kept_bytes"].integer(), mended["bytes"].integer() / 2);
    auto got = relations(folder);
    for (const auto& [path, text] : wanted) EXPECT_TRUE(got[path] == text) << path;
    for (const auto& [path, text] : got) EXPECT_TRUE(wanted.contains(path)) << path;
    EXPECT_EQ(
        fs::read_symlink(folder + "/pg_tblspc/" +
                         server->value("SELECT oid FROM pg_tablespace WHERE spcname = 'roomy'"))
            .string()
            .substr(0, folder.size()),
        folder)
        << "tablespaces lie in the target";
    EXPECT_EQ(sums(folder), live_sums());
  }
}

TEST_F(RestoreCli, DeltaRefusesWhatItMustNotTouch) {
  auto sums_before = live_sums();
  auto live = boat.run({"restore", "db", "--to", server->data(), "--delta", "--confirm", "test"});
  EXPECT_EQ(live.exit_code, 5) << live.err;
  EXPECT_NE(live.err.find("running server"), std::string::npos) << live.err;
  server->restart();
  EXPECT_EQ(live_sums(), sums_before) << "its files are untouched";

  write_text(boat / "letters/dear", "friend");
  auto letters =
      boat.run({"restore", "db", "--to", boat / "letters", "--delta", "--confirm", "test"});
  EXPECT_EQ(letters.exit_code, 5) << letters.err;
  EXPECT_EQ(read_text(boat / "letters/dear"), "friend");

  auto other = PostgresServer::start();
  other->sql("CREATE TABLE precious AS SELECT 42 AS answer");
  other->stop();
  auto before = relations(other->data());
  auto unasked = boat.run({"restore", "db", "--to", other->data(), "--delta"});
  EXPECT_EQ(unasked.exit_code, 5) << unasked.err;
  EXPECT_NE(unasked.err.find("another database"), std::string::npos) << unasked.err;
  auto wrong = boat.run({"restore", "db", "--to", other->data(), "--delta", "--confirm", "tset"});
  EXPECT_EQ(wrong.exit_code, 5) << wrong.err;
  EXPECT_TRUE(relations(other->data()) == before);
  EXPECT_FALSE(fs::exists(other->data() + "/.lifeboat-restore"));
  auto dry = boat.must({"restore", "db", "--to", other->data(), "--delta", "-n"});
  EXPECT_NE(dry.out.find("would mend what differs"), std::string::npos) << dry.out;
  EXPECT_TRUE(relations(other->data()) == before);
  auto plain = boat.run({"restore", "db", "--to", other->data()});
  EXPECT_EQ(plain.exit_code, 5) << plain.err;
  EXPECT_NE(plain.err.find("--delta"), std::string::npos) << plain.err;
  boat.must({"restore", "db", "--to", other->data(), "--delta", "--confirm", "test"});
  EXPECT_EQ(sums(other->data()), sums_before);
}

// What is right in it is as much production as anything else, and goes back in time.
TEST_F(RestoreCli, TheLiveDataDirectoryGoesBackOnlyWhenItsNameIsTyped) {
  server->sql("DELETE FROM notes WHERE id % 3 = 0");
  server->stop();
  fs::create_directory_symlink(server->folder(), boat / "alias");
  const std::string store =
      "stores:\n  db: {postgres: env:DB, every: daily 02:00, data: " + server->data() + "}\n";
  for (const auto& [targets, name] : std::vector<std::pair<std::string, std::string>>{
           {"", "test"}, {"targets: {production: {protect: true}}\n", "production"}}) {
    boat.write_plan(store + targets);
    std::vector<std::string> words = {"restore", "db", "--to", boat / "alias/data", "--delta"};
    auto unasked = boat.run(words);
    EXPECT_EQ(unasked.exit_code, 5) << unasked.err;
    EXPECT_NE(unasked.err.find("loses    all that was written after"), std::string::npos)
        << unasked.err;
    words.insert(words.end(), {"--confirm", name == "test" ? "production" : "test"});
    EXPECT_EQ(boat.run(words).exit_code, 5);
    words.back() = name;
    boat.must(words);
  }
  server->start_again();
  EXPECT_EQ(server->value("SELECT count(*) FROM notes"), "30000");
}

TEST_F(RestoreCli, DeltaBringsTheDataDirectoryOfADeadServerBack) {
  auto sums_before = live_sums();
  server->sql("DELETE FROM notes WHERE id % 3 = 0");
  server->stop(StopMode::kill);
  auto space = tree_of(server->folder() + "/space");
  // Its own data: nothing to confirm.
  auto back = boat.must({"restore", "db", "--to", server->data(), "--delta", "--json"}).summary();
  EXPECT_EQ(back["how"].string(), "delta");
  EXPECT_EQ(sums(server->data()), sums_before);
  EXPECT_EQ(tree_of(server->folder() + "/space"), space) << "what lies outside is left alone";
}

TEST_F(RestoreCli, KilledAtAnyMomentTheSameCommandGoesOn) {
  auto folder = boat / "killed";
  auto mark = folder + "/.lifeboat-restore";
  auto wanted_sums = live_sums();
  int unfinished = 0;
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE(round);
    auto restore = boat.start({"restore", "db", "--to", folder});
    wait_for([&] { return fs::exists(mark) || !restore->alive(); });
    ::usleep(static_cast<useconds_t>(round * 70000));
    restore->signal(SIGKILL);
    auto ran = restore->wait();
    wait_for([&] { return processes_with(folder).empty(); });
    if (ran.exit_code == 0) break;  // it was faster
    if (!fs::exists(mark)) continue;
    ++unfinished;
    auto other = boat.run({"restore", "db", "--to", folder, "--lsn", "FFF/0"});
    EXPECT_EQ(other.exit_code, 14) << other.err;
    auto newest = boat.must({"ls", "--json"}).summary()["points"].items().front()["id"].string();
    other = boat.run({"restore", "db", "--to", folder, "--point", newest});
    EXPECT_EQ(other.exit_code, 5) << other.err;
    EXPECT_NE(other.err.find("to go on"), std::string::npos) << other.err;
    if (round % 2 == 1) spoil(folder, static_cast<unsigned>(round));
  }
  EXPECT_GT(unfinished, 0) << "no kill came in the middle";
  if (fs::exists(mark)) {
    auto again = boat.must({"restore", "db", "--to", folder, "--json"});
    EXPECT_EQ(again.summary()["how"].string(), "resumed");
    EXPECT_NE(again.err.find("going on with an interrupted restore"), std::string::npos);
  } else if (!fs::exists(folder + "/global/pg_control")) {
    boat.must({"restore", "db", "--to", folder});
  }
  EXPECT_FALSE(fs::exists(mark));
  EXPECT_EQ(sums(folder), wanted_sums);
  EXPECT_EQ(boat.run({"restore", "db", "--to", folder}).exit_code, 5) << "a finished one stays";
}

TEST_F(RestoreCli, ADeltaKilledAtAnyMomentGoesOn) {
  auto folder = boat / "delta";
  boat.must({"restore", "db", "--to", folder});
  auto wanted = relations(folder);
  auto mark = folder + "/.lifeboat-restore";
  int unfinished = 0;
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE(round);
    spoil(folder, static_cast<unsigned>(100 + round));
    std::vector<std::string> words = {"restore", "db",        "--to", folder,
                                      "--delta", "--confirm", "test"};
    auto restore = boat.start(words);
    wait_for([&] { return fs::exists(mark) || !restore->alive(); });
    ::usleep(static_cast<useconds_t>(round * 60000));
    restore->signal(SIGKILL);
    restore->wait();
    wait_for([&] { return processes_with(folder).empty(); });
    unfinished += fs::exists(mark);
    boat.must(words);
    EXPECT_FALSE(fs::exists(mark));
    auto got = relations(folder);
    for (const auto& [path, text] : wanted) EXPECT_TRUE(got[path] == text) << path;
    EXPECT_EQ(got.size(), wanted.size());
    if (HasFailure()) return;
  }
  EXPECT_GT(unfinished, 0) << "no kill came in the middle";
  EXPECT_EQ(sums(folder), live_sums());
}

TEST_F(RestoreCli, AfterAFullDiskItGoesOnWithMoreSpace) {
  auto disk = boat / "disk";
  fs::create_directories(disk);
  auto mount_with = [&](const std::string& size, unsigned long flags) {
    return ::mount("tmpfs", disk.c_str(), "tmpfs", flags, ("size=" + size + ",mode=755").c_str());
  };
  if (mount_with("240m", 0) != 0) GTEST_SKIP() << "mounting a tmpfs needs root";
  struct Unmount {
    std::string folder;
    ~Unmount() { ::umount2(folder.c_str(), MNT_DETACH); }
  } unmount{disk};
  // It seems to be enough, and fills up meanwhile; anew where the restore was faster.
  for (bool filled = false; !filled;) {
    for (const char* name : {"/db", "/filler"}) fs::remove_all(disk + name);
    auto restore = boat.start({"restore", "db", "--to", disk + "/db"});
    wait_for([&] { return fs::exists(disk + "/db/.lifeboat-restore") || !restore->alive(); });
    auto fill = "dd if=/dev/zero of=" + disk + "/filler bs=1M 2>/dev/null";
    (void)::system(fill.c_str());
    filled = restore->wait().exit_code != 0;
  }
  auto refused = boat.run({"restore", "db", "--to", disk + "/db"});
  EXPECT_EQ(refused.exit_code, 22) << "refused before a byte is written: " << refused.err;
  EXPECT_NE(refused.err.find("needs"), std::string::npos) << refused.err;
  fs::remove(disk + "/filler");
  auto again = boat.must({"restore", "db", "--to", disk + "/db", "--json"}).summary();
  EXPECT_EQ(again["how"].string(), "resumed");
  EXPECT_EQ(sums(disk + "/db"), live_sums());
}

TEST_F(RestoreCli, OneTableComesBesideTheLiveOne) {
  auto wanted = server->value("SELECT count(*) || ' ' || sum(hashtext(body)) FROM notes");
  server->sql("DELETE FROM notes WHERE id > 100");
  auto table = boat.must({"restore", "db", "--table", "public.notes", "--into", "env:DB", "--json"})
                   .summary();
  EXPECT_EQ(table["rows"].integer(), 30000);
  EXPECT_EQ(table["as"].string(), "public.notes_restored");
  EXPECT_EQ(server->value("SELECT count(*) || ' ' || sum(hashtext(body)) FROM notes_restored"),
            wanted);
  EXPECT_EQ(server->value("SELECT count(*) FROM notes"), "100") << "the live one is untouched";
  auto again = boat.run({"restore", "db", "--table", "notes", "--into", "env:DB"});
  EXPECT_EQ(again.exit_code, 5) << again.err;
  EXPECT_NE(again.err.find("--as"), std::string::npos) << again.err;
  auto far = boat.must({"restore", "db", "--table", "far", "--into", "env:DB", "--as", "far2"});
  EXPECT_NE(far.out.find("left out  tablespace roomy"), std::string::npos) << far.out;
  EXPECT_EQ(server->value("SELECT count(*) || ' ' || sum(n) FROM far2"),
            server->value("SELECT count(*) || ' ' || sum(n) FROM far"));

  struct Case {
    std::vector<std::string> words;
    int exit_code;
    std::string says;
  };
  boat.environment()["DOWN"] = "host=/nowhere user=x dbname=y";
  const std::vector<Case> cases = {
      {{"--table", "nothing", "--into", "env:DB"}, 1, "there is no table public.nothing"},
      {{"--table", "notes"}, 2, "--into"},
      {{"--table", "notes", "--into", "env:DOWN"}, 21, "nowhere"},
      {{"--table", "notes", "--into", "postgres://u:secret1@h/d"}, 2, "holds a password"},
      {{"--table", "notes", "--into", "env:DB", "--to", "/tmp/x"}, 2, "contradict"},
      {{"--table", "notes", "--into", "env:DB", "--as", "a.b.c"}, 2, "too many parts"},
      {{"--to", "/tmp/x", "--as", "y"}, 2, "goes with --table"},
      {{"--table", "notes", "--into", "env:DB", "--as", "x", "--database", "none"}, 1, "none"},
      {{"--table", "notes", "--into", "env:DB", "--as", "x", "--lsn", "FFF/0"}, 14, ""},
  };
  for (const auto& each : cases) {
    std::vector<std::string> words = {"restore", "db"};
    words.insert(words.end(), each.words.begin(), each.words.end());
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, each.exit_code) << each.says << ": " << ran.err;
    EXPECT_NE(ran.err.find(each.says), std::string::npos) << ran.err;
    EXPECT_EQ(ran.err.find("secret1"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(server->value("SELECT to_regclass('x') IS NULL"), "t");
}

TEST_F(RestoreCli, OneDatabaseComesBesideTheLiveOne) {
  server->sql("CREATE ROLE clerk");
  server->sql("CREATE DATABASE shop");
  server->sql(
      "CREATE TABLE orders (id serial PRIMARY KEY, what text); CREATE TABLE lines (order_id int "
      "REFERENCES orders, n int); ALTER TABLE lines OWNER TO clerk; GRANT SELECT ON orders TO "
      "clerk;"
      "INSERT INTO orders (what) SELECT 'thing ' || n FROM generate_series(1, 20000) n;"
      "INSERT INTO lines SELECT id, id * 2 FROM orders; CREATE MATERIALIZED VIEW totals AS SELECT "
      "sum(n) FROM lines; SELECT lo_from_bytea(4711, 'large');"
      "CREATE VIEW seen AS SELECT * FROM orders; CREATE FUNCTION one() RETURNS int LANGUAGE sql AS "
      "'SELECT 1'; COMMENT ON TABLE orders IS 'mine'",
      "shop");
  auto dump_of = [&](const std::string& database) {
    auto path = boat / (database + ".sql");
    auto command = PostgresServer::binaries() + "/pg_dump -d \"" + server->conninfo(database) +
                   "\" | grep -v '^.\\(un\\)\\?restrict' > " + path;
    EXPECT_EQ(::system(command.c_str()), 0);
    return read_text(path);
  };
  boat.must({"backup"});
  auto wanted = dump_of("shop");
  server->sql("TRUNCATE orders CASCADE", "shop");
  std::vector<std::string> words = {"restore", "db", "--database", "shop", "--into", "env:DB"};
  auto moved = boat.must({"restore", "db", "--database", "shop", "--into", "env:DB", "--json"});
  EXPECT_EQ(moved.summary()["as"].string(), "shop_restored");
  EXPECT_EQ(moved.summary()["rows"].integer(), 40001);
  EXPECT_TRUE(moved.summary()["left_out"].items().empty());
  EXPECT_TRUE(dump_of("shop_restored") == wanted) << "owners and grants as well";
  EXPECT_EQ(server->value("SELECT count(*) FROM orders", "shop"), "0")
      << "the live one is as it was";
  EXPECT_EQ(boat.run(words).exit_code, 5) << "never over one that exists";

  auto other = PostgresServer::start();
  boat.environment()["OTHER"] = other->conninfo();
  words.back() = "env:OTHER";
  auto without = boat.must(words);
  EXPECT_NE(without.out.find("no role clerk"), std::string::npos) << without.out;
  EXPECT_EQ(other->value("SELECT count(*) FROM lines", "shop_restored"), "20000");
  other->make_role("maker", "maker-pw", "CREATEDB");
  // What it may not do fails it in the middle, and nothing stays.
  server->sql(
      "CREATE FUNCTION c() RETURNS int LANGUAGE c AS '$libdir/plpgsql', "
      "'plpgsql_call_handler'",
      "shop");
  boat.must({"backup"});
  other->sql("DROP DATABASE shop_restored");
  boat.environment()["OTHER"] = "host=" + other->socket_folder() +
                                " port=" + std::to_string(other->port()) +
                                " user=maker password=maker-pw dbname=postgres";
  auto failed = boat.run(words);
  EXPECT_EQ(failed.exit_code, 1) << failed.err;
  EXPECT_NE(failed.err.find("permission denied"), std::string::npos) << failed.err;
  EXPECT_EQ(failed.err.find("maker-pw"), std::string::npos) << failed.err;
  EXPECT_EQ(other->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "0");
}

TEST_F(RestoreCli, AKilledDatabaseLeavesNoneOfItsName) {
  const auto there = [&](const std::string& name) {
    return server->value("SELECT count(*) FROM pg_database WHERE datname = '" + name + "'") == "1";
  };
  const auto nobody_at_it = [&] {
    return server->value(
               "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '%_unfinished'") == "0";
  };
  // Anew where it came to its end before the kill did.
  for (bool killed = false; !killed;) {
    server->sql("DROP DATABASE IF EXISTS postgres_restored");
    auto restore = boat.start({"restore", "db", "--database", "postgres", "--into", "env:DB"});
    wait_for([&] { return there("postgres_restored_unfinished") || !restore->alive(); });
    restore->signal(SIGKILL);
    killed = restore->wait().exit_code == 128 + SIGKILL;
    wait_for(nobody_at_it);  // what the server had been told to do
    killed = killed && !there("postgres_restored");
  }
  ASSERT_TRUE(there("postgres_restored_unfinished"));
  auto again = boat.run({"restore", "db", "--database", "postgres", "--into", "env:DB"});
  EXPECT_EQ(again.exit_code, 5) << again.err;
  EXPECT_NE(again.err.find("drop what an interrupted restore left"), std::string::npos);
  wait_for(nobody_at_it);
  server->sql("DROP DATABASE postgres_restored_unfinished");
  boat.must({"restore", "db", "--database", "postgres", "--into", "env:DB"});
  EXPECT_EQ(server->value("SELECT count(*) FROM notes", "postgres_restored"), "30000");
}

TEST_F(RestoreCli, AProtectedTargetGetsATableOnlyWhenConfirmed) {
  boat.write_plan(
      "stores:\n  db: {postgres: env:DB, every: daily 02:00}\n"
      "targets: {production: {protect: true, stores: {db: env:DB}}}\n");
  std::vector<std::string> words = {"restore", "db", "--table", "notes", "--into", "env:DB"};
  auto unasked = boat.run(words);
  EXPECT_EQ(unasked.exit_code, 5) << unasked.err;
  EXPECT_NE(unasked.err.find("protected target production"), std::string::npos) << unasked.err;
  EXPECT_EQ(server->value("SELECT to_regclass('notes_restored') IS NULL"), "t");
  // The target's own login is refused: the same host and port are the same place all the same.
  boat.write_plan(
      "stores:\n  db: {postgres: env:DB, every: daily 02:00}\n"
      "targets: {production: {protect: true, stores: {db: env:PRODUCTION}}}\n");
  boat.environment()["PRODUCTION"] = server->conninfo_as("nobody", "wrong");
  unasked = boat.run(words);
  EXPECT_EQ(unasked.exit_code, 5) << unasked.err;
  EXPECT_NE(unasked.err.find("protected target production"), std::string::npos) << unasked.err;
  words.insert(words.end(), {"--confirm", "test"});
  EXPECT_EQ(boat.run(words).exit_code, 5) << "the target's name, not that of the system";
  words.back() = "production";
  boat.must(words);
  EXPECT_EQ(server->value("SELECT count(*) FROM notes_restored"), "30000");
}

}  // namespace
}  // namespace lb::test
