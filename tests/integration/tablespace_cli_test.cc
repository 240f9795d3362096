// Restores of a real PostgreSQL with tablespaces: where each goes, and going on with what was
// interrupted there.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/harness/kill_moments.h"
#include "tests/integration/notes_boat.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

using TablespaceCli = NotesBoat;

// There is more than the mark of a restore and what is beside it for a moment.
bool begun_in(const std::string& folder) {
  if (!fs::exists(folder)) return false;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with(".lifeboat-restore")) return true;
  }
  return false;
}

TEST_F(TablespaceCli, ATablespaceGoesWhereItIsSentTo) {
  const auto old = server->folder() + "/space", mapped = boat / "disks/two", data = boat / "moved";
  const auto wanted = live_sums();
  auto with = [&](const std::string& mapping, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"restore", "db", "--to", data, "--tablespace", mapping};
    words.insert(words.end(), more.begin(), more.end());
    return boat.run(words);
  };
  auto unknown = with("/nowhere=" + mapped);
  EXPECT_EQ(unknown.exit_code, 2) << unknown.err;
  EXPECT_NE(unknown.err.find(old + " (roomy)"), std::string::npos) << unknown.err;
  EXPECT_EQ(with("roomy").exit_code, 2);
  EXPECT_EQ(with("roomy=disks/two").exit_code, 2);
  EXPECT_EQ(with("roomy=" + data + "/inside").exit_code, 2);
  fs::create_directories(data);
  fs::create_directory_symlink(data, boat / "link");
  EXPECT_EQ(with("roomy=" + (boat / "link/inside")).exit_code, 2) << "by another name";
  EXPECT_EQ(with("roomy=" + (boat / "disks/../moved/inside")).exit_code, 2);
  fs::remove_all(data);
  EXPECT_EQ(with("roomy=" + boat.folder()).exit_code, 2) << "it would hold the data directory";
  EXPECT_EQ(with("roomy=" + mapped, {"--tablespace", old + "=" + mapped + "2"}).exit_code, 2);
  write_text(mapped + "/letter", "dear");
  EXPECT_EQ(with("roomy=" + mapped).exit_code, 5);
  EXPECT_FALSE(fs::exists(data)) << "nothing is written before all of it is known to be right";
  fs::remove(mapped + "/letter");
  fs::remove(mapped);

  auto done = with(old + "/=" + mapped);
  ASSERT_EQ(done.exit_code, 0) << done.err;
  auto link = fs::directory_iterator(data + "/pg_tblspc")->path();
  EXPECT_EQ(fs::read_symlink(link), mapped);
  EXPECT_FALSE(fs::exists(data + "/lifeboat_tablespaces/" + link.filename().string()));
  EXPECT_EQ(sums(data), wanted);
  for (const auto& path : files_below(mapped)) {
    if (fs::is_regular_file(path) && fs::file_size(path) > 8192) fs::resize_file(path, 8192);
  }
  EXPECT_EQ(with("roomy=" + mapped, {"--delta"}).exit_code, 0);
  EXPECT_EQ(sums(data), wanted) << "mended where it lies";
}

TEST_F(TablespaceCli, KilledWhileATablespaceIsFilledItGoesOnThere) {
  const auto mapped = boat / "elsewhere", data = boat / "moved";
  const auto wanted = live_sums();
  fs::create_directory_symlink(boat.folder(), boat / "way");
  const std::vector<std::string> spellings = {"roomy=" + mapped,
                                              server->folder() + "/space/=" + mapped + "/",
                                              "roomy=" + (boat / "way/elsewhere")};
  std::vector<std::string> words = {"restore", "db", "--to", data, "--tablespace", spellings[0]};
  std::size_t spelling = 0;
  KillMoments moments(std::chrono::milliseconds(500), 3);
  while (moments.more()) {
    words.back() = spellings[spelling++ % spellings.size()];
    auto running = boat.start(words);
    // Until there is more than its mark, no place has been written to and another may be given.
    while (running->alive() && !begun_in(data)) std::this_thread::yield();
    std::this_thread::sleep_for(moments.next());
    running->signal(SIGKILL);
    running->wait();
    const bool hit = fs::exists(data + "/.lifeboat-restore");  // else it came to its end
    moments.killed(hit);
    if (!hit) {
      for (const auto& folder : {data, mapped}) fs::remove_all(folder);
      continue;
    }
    auto other = words;
    other.back() = "roomy=" + mapped + "2";
    EXPECT_EQ(boat.run(other).exit_code, 5) << "another place is another restore";
  }
  EXPECT_TRUE(moments.enough());
  fs::create_directory(mapped);
  fs::create_directory_symlink(mapped, boat / "name");
  words.back() = "roomy=" + (boat / "name");
  boat.must(words);
  EXPECT_EQ(sums(data), wanted);
  EXPECT_TRUE(fs::is_symlink(boat / "name")) << "the user's own";
  EXPECT_EQ(fs::read_symlink(fs::directory_iterator(data + "/pg_tblspc")->path()), mapped);
}

// One lies in another, one has a name and a path that quoting could break; what is in them moved
// between the points.
TEST_F(TablespaceCli, SeveralTablespacesGoWhereEachIsSentTo) {
  const auto nested = server->folder() + "/space/nested";
  const auto odd = server->folder() + "/space \"no 3\"";
  for (const auto& folder : {nested, odd}) {
    fs::create_directory(folder);
    give_to_server_user(folder);
  }
  server->sql("CREATE TABLESPACE nested LOCATION '" + nested + "'");
  server->sql(R"(CREATE TABLESPACE "it's ""odd""" LOCATION ')" + odd + "'");
  server->sql("CREATE INDEX ON notes (body) TABLESPACE nested");
  boat.must({"backup"});
  server->sql("ALTER TABLE notes SET TABLESPACE \"it's \"\"odd\"\"\"");
  server->sql("ALTER TABLE far SET TABLESPACE nested");
  server->sql("ALTER INDEX notes_pkey SET TABLESPACE roomy");
  server->sql("DELETE FROM far WHERE n % 3 = 0");
  boat.must({"backup"});
  const auto data = boat / "moved";
  boat.must({"restore", "db", "--to", data, "--tablespace",
             "it's \"odd\"=" + (boat / "a 'b' \"c\""), "--tablespace",
             nested + "=" + (boat / "deep/er")});
  EXPECT_EQ(sums(data), live_sums());
  const auto where = ask_restored(
      data,
      "SELECT string_agg(pg_tablespace_location(oid), '|' ORDER BY spcname) FROM pg_tablespace "
      "WHERE spcname !~ '^pg_'");
  EXPECT_TRUE(where.starts_with((boat / "a 'b' \"c\"") + "|" + (boat / "deep/er") + "|" + data +
                                "/lifeboat_tablespaces/"))
      << where;
  EXPECT_EQ(ask_restored(data, "SELECT count(*) FROM notes WHERE body >= ''"), "30000");
}

}  // namespace
}  // namespace lb::test
