// The desk with the log of real servers, on a store that fails and forgets.
#include "recovery/archive/desk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/repo/test_repository.h"
#include "stores/postgres/log_index.h"
#include "stores/postgres/test_world.h"
#include "stores/postgres/timeline_history.h"
#include "tests/harness/postgres_server.h"

namespace lb::archive {
namespace {

namespace fs = std::filesystem;
using test::PostgresServer;

std::string text_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

FileSeen seen(const std::string& path) {
  struct stat facts {};
  ::stat(path.c_str(), &facts);
  return {facts.st_dev, facts.st_ino};
}

class DeskTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    test::PostgresOptions options;
    options.segment_mib = 1;
    options.settings = {{"wal_keep_size", "512MB"}, {"min_wal_size", "2MB"}};
    server = PostgresServer::start(options);
    server->sql("CREATE TABLE notes (id int, body text)");
    write_log(6);
    ASSERT_TRUE(
        repo::init_repository(memory, *outer.clock, *outer.random, key, repo::cheap_keys).ok());
  }
  // So many more segments that are complete.
  void write_log(int segments) {
    for (int n = 0; n < segments; ++n) {
      server->sql("INSERT INTO notes SELECT n, md5(n::text) FROM generate_series(1, 500) n");
      server->sql("SELECT pg_switch_wal()");
    }
  }
  // Complete segments, oldest first.
  std::vector<std::string> complete() {
    const auto current = server->value("SELECT pg_walfile_name(pg_current_wal_lsn())");
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(server->data() + "/pg_wal")) {
      const auto name = entry.path().filename().string();
      if (name.size() == 24 && name < current) out.push_back(name);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::unique_ptr<repo::Repository> open(BlobStore& blobs) {
    return repo::open_repository(blobs, *outer.clock, *outer.random, key, repo::small_budget)
        .take();
  }
  std::unique_ptr<Desk> desk_on(repo::Repository& repository, std::size_t ahead_max = 0) {
    return std::make_unique<Desk>(
        outer.world, repository,
        DeskOptions{"db", "host", ahead_max, Micros(0), [this](const auto& line) {
                      std::lock_guard lock(mutex);
                      troubles.push_back(line);
                    }});
  }
  Order push_of(const std::string& name, const std::string& data, const std::string& path) {
    Order order;
    order.act = Order::Act::push;
    order.name = name;
    order.path = path;
    order.data_folder = data;
    order.file = seen(path);
    order.folder = seen(data);
    return order;
  }
  Answer push(Desk& desk, const std::string& name) {
    return desk.serve(push_of(name, server->data(), server->data() + "/pg_wal/" + name));
  }
  // A file of this name that is none of the server's.
  Answer push_text(Desk& desk, const std::string& name, const std::string& text) {
    const auto path = scratch / name;
    std::ofstream(path, std::ios::binary) << text;
    return desk.serve(push_of(name, server->data(), path));
  }
  struct Fetched {
    Answer answer;
    std::string text;
  };
  Fetched fetch(Desk& desk, const std::string& name) {
    Order order;
    order.act = Order::Act::fetch;
    order.name = name;
    order.path = scratch / "fetched";
    order.data_folder = server->data();
    std::ofstream(order.path, std::ios::trunc).flush();
    order.file = seen(order.path);
    auto answer = desk.serve(order);
    return {answer, text_in(order.path)};
  }
  std::string of_server(const std::string& name) {
    return text_in(server->data() + "/pg_wal/" + name);
  }

  pg::TestWorld outer;
  const Secret key{std::string_view("key")};
  test::TempDir scratch;
  MemoryBlobStore memory;
  std::unique_ptr<PostgresServer> server;
  std::mutex mutex;
  std::vector<std::string> troubles;
};

using Outcome = Answer::Outcome;

TEST_F(DeskTest, GivesBackWhatItTookAndSaysWhatItDoesNotHave) {
  auto repository = open(memory);
  auto desk = desk_on(*repository);
  const auto names = complete();
  ASSERT_GE(names.size(), 4U);
  for (const auto& name : names) {
    const auto answer = push(*desk, name);
    EXPECT_EQ(answer.outcome, Outcome::done) << answer.message;
    EXPECT_TRUE(answer.notices.empty());
  }
  memory.crash();                         // what was not durable when we were told "done" is gone
  for (int pass = 0; pass < 2; ++pass) {  // the second time nothing is read ahead
    for (const auto& name : names) {
      const auto got = fetch(*desk, name);
      ASSERT_EQ(got.answer.outcome, Outcome::done) << got.answer.message;
      EXPECT_TRUE(got.text == of_server(name)) << name;
    }
  }
  EXPECT_EQ(fetch(*desk, "0000000100000000000000FF").answer.outcome, Outcome::missing);
  EXPECT_EQ(fetch(*desk, "00000007.history").answer.outcome, Outcome::missing);
  EXPECT_EQ(fetch(*desk, "nonsense").answer.outcome, Outcome::missing);
  const auto label = push_text(*desk, names[0] + ".00000028.backup", "START WAL LOCATION");
  EXPECT_EQ(label.outcome, Outcome::done) << "accepted and not kept";
  EXPECT_TRUE(troubles.empty());
}

TEST_F(DeskTest, TheSameAgainIsWelcomeOtherBytesAreNot) {
  auto repository = open(memory);
  const auto name = complete()[1];
  EXPECT_EQ(push(*desk_on(*repository), name).outcome, Outcome::done);
  EXPECT_EQ(push(*desk_on(*repository), name).outcome, Outcome::done);
  auto other = of_server(name);
  other.back() = static_cast<char>(other.back() ^ 1);
  const auto refused = push_text(*desk_on(*repository), name, other);
  EXPECT_EQ(refused.outcome, Outcome::failed);
  EXPECT_EQ(refused.code, ExitCode::refused);
  for (const auto& text : {of_server(name), other}) {
    EXPECT_NE(refused.message.find(to_hex(sha256(view_of(text)))), std::string::npos)
        << refused.message;
  }
}

TEST_F(DeskTest, RefusesBytesThatAreNotWhatTheirNameSays) {
  auto repository = open(memory);
  auto desk = desk_on(*repository);
  const auto names = complete();
  EXPECT_EQ(push_text(*desk, names[1], of_server(names[2])).outcome, Outcome::failed);
  EXPECT_EQ(push_text(*desk, names[1], of_server(names[1]).substr(0, 9000)).outcome,
            Outcome::failed);
  EXPECT_EQ(push_text(*desk, names[1], "").outcome, Outcome::failed);
  auto foreign = of_server(names[1]);
  foreign[24] = static_cast<char>(foreign[24] ^ 1);
  const auto answer = push_text(*desk, names[1], foreign);
  EXPECT_NE(answer.message.find("database system"), std::string::npos) << answer.message;
  EXPECT_EQ(push_text(*desk, "postgresql.conf", "x").outcome, Outcome::failed);
  EXPECT_TRUE(repository->logs(cat("db-", *system_of(*outer.files, server->data())))->empty());
  // Another file than the one the client saw.
  auto order = push_of(names[1], server->data(), server->data() + "/pg_wal/" + names[1]);
  order.file.inode += 1;
  EXPECT_NE(desk->serve(order).message.find("another"), std::string::npos);
  EXPECT_EQ(desk->serve(order).outcome, Outcome::failed);
}

// It may be the only copy; whoever looks how far the log goes sees that it ends before it.
TEST_F(DeskTest, LogThatCannotBeReadIsKeptAndSaid) {
  auto repository = open(memory);
  auto desk = desk_on(*repository);
  const auto names = complete();
  EXPECT_TRUE(push(*desk, names[0]).notices.empty());
  auto spoiled = of_server(names[1]);
  spoiled[10'000] = static_cast<char>(spoiled[10'000] ^ 1);
  const auto answer = push_text(*desk, names[1], spoiled);
  EXPECT_EQ(answer.outcome, Outcome::done) << answer.message;
  ASSERT_EQ(answer.notices.size(), 1u);
  EXPECT_NE(answer.notices[0].find(names[1] + " is kept, but it cannot be read"), std::string::npos)
      << answer.notices[0];
  EXPECT_TRUE(push(*desk, names[2]).notices.empty()) << "said once";
  EXPECT_TRUE(fetch(*desk, names[1]).text == spoiled);
  const auto log_id = log_id_of("db", *system_of(*outer.files, server->data()));
  const auto index = pg::read_log_index(*repository, log_id, 1 << 20).take();
  ASSERT_EQ(index.holes.size(), 1u);
  EXPECT_EQ(pg::segment_name(1, index.holes[0].first_segment, 1 << 20), names[1]);
  EXPECT_EQ(index.holes[0].last_segment, index.holes[0].first_segment);
}

TEST_F(DeskTest, ASystemOtherThanTheKnownOneIsRefused) {
  auto repository = open(memory);
  ASSERT_TRUE(repository->put_log({"db-12345", 1, 1}, view_of("log"), {}).ok());
  const auto answer = push(*desk_on(*repository), complete()[0]);
  EXPECT_EQ(answer.code, ExitCode::refused);
  EXPECT_NE(answer.message.find("12345"), std::string::npos) << answer.message;
}

TEST_F(DeskTest, AnotherInstanceIsRefusedUntilItIsAdmittedAndThenTheOldOne) {
  auto repository = open(memory);
  const auto names = complete();
  EXPECT_EQ(push(*desk_on(*repository), names[0]).outcome, Outcome::done);
  const auto copy = scratch / "clone";
  server->stop();
  fs::copy(server->data(), copy, fs::copy_options::recursive);
  server->start_again();
  const auto order = push_of(names[1], copy, copy + "/pg_wal/" + names[1]);
  const auto refused = desk_on(*repository)->serve(order);
  EXPECT_EQ(refused.code, ExitCode::refused);
  EXPECT_NE(refused.hint.find("wal admit"), std::string::npos);
  const auto log_id = log_id_of("db", *system_of(*outer.files, copy));
  const auto token = instance_token(*outer.files, copy, "host");
  ASSERT_TRUE(admit(*repository, log_id, *token, 1, {"host", copy, "test", {}}).ok());
  EXPECT_EQ(desk_on(*repository)->serve(order).outcome, Outcome::done);
  EXPECT_EQ(push(*desk_on(*repository), names[2]).code, ExitCode::refused);
}

TEST_F(DeskTest, TheNameOfAnAdmissionTellsWhomItAdmits) {
  auto repository = open(memory);
  EXPECT_EQ(push(*desk_on(*repository), complete()[0]).outcome, Outcome::done);
  const auto log_id = log_id_of("db", *system_of(*outer.files, server->data()));
  const auto known = read_admissions(*repository, log_id);
  ASSERT_EQ(known->size(), 1U);
  EXPECT_EQ(known->front().token, *instance_token(*outer.files, server->data(), "host"));
}

TEST_F(DeskTest, TakesAheadWhatTheServerWillHandOverNext) {
  auto repository = open(memory);
  auto desk = desk_on(*repository, 8);
  const auto names = complete();
  for (const auto& name : names)
    std::ofstream(server->data() + "/pg_wal/archive_status/" + name + ".ready").flush();
  ASSERT_EQ(push(*desk, names[0]).outcome, Outcome::done);
  const auto log_id = log_id_of("db", *system_of(*outer.files, server->data()));
  while (repository->logs(log_id)->size() < names.size())
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  memory.crash();
  for (const auto& name : names) {
    EXPECT_EQ(push(*desk, name).outcome, Outcome::done);
    EXPECT_TRUE(fetch(*desk, name).text == of_server(name));
  }
  // A file that was exchanged after it was taken ahead is looked at again.
  const auto newest = names.back();
  fs::copy(server->data() + "/pg_wal/" + names[0], server->data() + "/pg_wal/" + newest,
           fs::copy_options::overwrite_existing);
  EXPECT_EQ(push(*desk, newest).outcome, Outcome::failed);
}

TEST_F(DeskTest, AHoleIsSaidAtOnceAndOnlyOnce) {
  auto repository = open(memory);
  auto desk = desk_on(*repository);
  const auto names = complete();
  ASSERT_TRUE(push(*desk, names[0]).notices.empty());
  const auto after = push(*desk, names[2]);
  EXPECT_EQ(after.outcome, Outcome::done);
  ASSERT_EQ(after.notices.size(), 1U);
  EXPECT_NE(after.notices[0].find(names[1]), std::string::npos) << after.notices[0];
  EXPECT_TRUE(push(*desk, names[3]).notices.empty());
  EXPECT_EQ(troubles.size(), 1U);
}

// Every call of the store fails once, and after each run everything that was never flushed is lost:
// what was "done" is there, byte for byte, whatever happened.
TEST_F(DeskTest, DoneMeansDurableWhicheverCallOfTheStoreFails) {
  const auto names = complete();
  for (std::uint64_t nth = 0;; ++nth) {
    MemoryBlobStore blobs;
    ASSERT_TRUE(
        repo::init_repository(blobs, *outer.clock, *outer.random, key, repo::cheap_keys).ok());
    ASSERT_TRUE(blobs.flush().ok());
    FaultPlan plan;
    plan.nth = nth;
    plan.fault = nth % 3 == 0   ? BlobFault::fail
                 : nth % 3 == 1 ? BlobFault::full
                                : BlobFault::timed_out_applied;
    plan.only = std::nullopt;
    FaultBlobStore faulty(blobs, plan);
    auto opened =
        repo::open_repository(faulty, *outer.clock, *outer.random, key, repo::small_budget);
    if (!opened.ok()) continue;
    std::vector<std::string> done;
    {
      auto desk = desk_on(**opened, 0);
      for (std::size_t n = 0; n < 3; ++n) {
        const auto answer = push(*desk, names[n]);
        if (answer.outcome == Outcome::done) done.push_back(names[n]);
      }
    }
    blobs.crash();
    auto repository = open(blobs);
    auto desk = desk_on(*repository);
    for (const auto& name : done) EXPECT_TRUE(fetch(*desk, name).text == of_server(name)) << nth;
    for (std::size_t n = 0; n < 3; ++n) {
      const auto again = push(*desk, names[n]);
      EXPECT_EQ(again.outcome, Outcome::done) << "call " << nth << ": " << again.message;
    }
    if (!faulty.fired()) {
      EXPECT_EQ(done.size(), 3U);
      break;
    }
    ASSERT_LT(nth, 500U);
  }
}

class Timelines : public DeskTest {
 protected:
  std::unique_ptr<PostgresServer> promoted() {
    test::PostgresOptions options;
    options.settings = {
        {"wal_keep_size", "512MB"}, {"archive_mode", "on"}, {"archive_command", "/bin/false"}};
    auto standby = PostgresServer::standby_of(*server, options);
    return standby;
  }
  Answer push_from(Desk& desk, const PostgresServer& from, const std::string& name) {
    return desk.serve(push_of(name, from.data(), from.data() + "/pg_wal/" + name));
  }
  std::vector<std::string> files_of(const PostgresServer& from, const std::string& end) {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(from.data() + "/pg_wal")) {
      const auto name = entry.path().filename().string();
      if (name.ends_with(end)) out.push_back(name);
    }
    return out;
  }
  void admit_now(repo::Repository& repository, const PostgresServer& who, std::uint32_t timeline) {
    const auto log_id = log_id_of("db", *system_of(*outer.files, who.data()));
    const auto token = instance_token(*outer.files, who.data(), "host");
    ASSERT_TRUE(admit(repository, log_id, *token, timeline, {"host", who.data(), "test", {}}).ok());
  }
};

TEST_F(Timelines, AFailoverIsFollowedWithItsHistoryAndTheEndOfTheOldTimeline) {
  auto repository = open(memory);
  auto standby = promoted();
  server->sql("INSERT INTO notes VALUES (0, 'last words')");
  const auto end = server->value("SELECT pg_current_wal_flush_lsn()");
  while (standby->value("SELECT pg_last_wal_replay_lsn() >= '" + end + "'::pg_lsn") != "t")
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (const auto& name : complete()) {
    ASSERT_EQ(push(*desk_on(*repository), name).outcome, Outcome::done);
  }
  server->stop(test::StopMode::kill);
  standby->promote();
  admit_now(*repository, *standby, 1);
  auto desk = desk_on(*repository);
  const auto history = push_from(*desk, *standby, "00000002.history");
  EXPECT_EQ(history.outcome, Outcome::done) << history.message;
  const auto partials = files_of(*standby, ".partial");
  ASSERT_EQ(partials.size(), 1U);
  const auto partial = push_from(*desk, *standby, partials[0]);
  EXPECT_EQ(partial.outcome, Outcome::done) << partial.message;
  EXPECT_EQ(push_from(*desk, *standby, partials[0]).outcome, Outcome::done) << "again";
  // The log in it, and zeros behind, as a server that recovers needs it.
  const auto got = fetch(*desk, partials[0].substr(0, 24));
  ASSERT_EQ(got.answer.outcome, Outcome::done) << got.answer.message;
  EXPECT_EQ(got.text.size(), 1U << 20);
  const auto whole = text_in(standby->data() + "/pg_wal/" + partials[0]);
  const auto used = got.text.find_last_not_of('\0') + 1;
  const auto history_text = text_in(standby->data() + "/pg_wal/00000002.history");
  const auto left = pg::parse_history(2, history_text)->back().at % (1 << 20);
  EXPECT_GE(used + 8, left) << "up to where the new timeline begins";
  EXPECT_EQ(got.text.substr(0, used), whole.substr(0, used));
  standby->sql("INSERT INTO notes VALUES (1, 'of the new timeline')");
  standby->sql("SELECT pg_switch_wal()");
  standby->sql("INSERT INTO notes VALUES (2, 'in the next segment')");
  const auto current = standby->value("SELECT pg_walfile_name(pg_current_wal_lsn())");
  std::vector<std::string> fresh;
  for (const auto& name : files_of(*standby, "")) {
    if (name.starts_with("00000002") && name.size() == 24 && name < current) fresh.push_back(name);
  }
  std::sort(fresh.begin(), fresh.end());
  ASSERT_FALSE(fresh.empty());
  for (const auto& name : fresh) {
    const auto pushed = push_from(*desk, *standby, name);
    EXPECT_EQ(pushed.outcome, Outcome::done) << pushed.message;
    EXPECT_TRUE(pushed.notices.empty()) << pushed.notices[0];
  }
  EXPECT_EQ(push_text(*desk, "00000002.history", "1\t0/100\tother\n").outcome, Outcome::failed);
}

TEST_F(Timelines, AHistoryThatForksBeforeTheArchivedEndIsRefusedUntilAdmitted) {
  auto repository = open(memory);
  auto standby = promoted();
  standby->promote();
  server->sql("INSERT INTO notes VALUES (0, 'after the fork')");
  write_log(2);
  for (const auto& name : complete())
    ASSERT_EQ(push(*desk_on(*repository), name).outcome, Outcome::done);
  // Even as an admitted instance, while nobody said that this timeline is the right one.
  admit_now(*repository, *standby, 1);
  const auto refused = push_from(*desk_on(*repository), *standby, "00000002.history");
  EXPECT_EQ(refused.code, ExitCode::refused) << refused.message;
  EXPECT_NE(refused.message.find("another history"), std::string::npos) << refused.message;
  standby->sql("INSERT INTO notes VALUES (1, 'of the clone')");
  const auto first = standby->value("SELECT pg_walfile_name(pg_switch_wal())");
  EXPECT_EQ(push_from(*desk_on(*repository), *standby, first).code, ExitCode::refused);
  admit_now(*repository, *standby, 2);
  EXPECT_EQ(push_from(*desk_on(*repository), *standby, "00000002.history").outcome, Outcome::done);
  EXPECT_EQ(push_from(*desk_on(*repository), *standby, first).outcome, Outcome::done);
}

}  // namespace
}  // namespace lb::archive
