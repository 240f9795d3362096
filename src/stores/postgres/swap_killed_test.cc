// A swap killed before each of its queries, under clients that read and write all the time.
#include <atomic>
#include <chrono>
#include <thread>

#include "stores/postgres/swap_testing.h"

namespace lb::pg {
namespace {

// Connects, reads, writes, and again. What it reads is all of one database.
class Client {
 public:
  explicit Client(const std::string& conninfo)
      : thread_([this, conninfo](const std::stop_token& stop) { work(conninfo, stop); }) {}

  std::vector<std::string> end() {
    thread_.request_stop();
    thread_.join();
    return problems_;
  }
  int reads() const { return reads_; }
  Micros longest_gap() const { return longest_gap_; }

 private:
  void work(const std::string& conninfo, const std::stop_token& stop) {
    auto clock = real_clock();
    auto last = clock->steady();
    while (!stop.stop_requested()) {
      auto connection = Connection::open(Secret(conninfo));
      if (!connection.ok()) {
        judge(connection.error());
        continue;
      }
      for (int i = 0; i < 20 && !stop.stop_requested(); ++i) {
        auto read = (*connection)
                        ->query(
                            "SELECT count(DISTINCT word), count(*) FROM said"
                            " WHERE word IN ('old', 'new')");
        if (!read.ok()) {
          judge(read.error());
          break;
        }
        ++reads_;
        longest_gap_ = std::max(longest_gap_, clock->steady() - last);
        last = clock->steady();
        const auto& row = read->rows[0];
        if (row[0] != "1" || row[1] != "500") problems_.push_back("a mix: " + *row[1]);
        auto wrote = (*connection)->query("INSERT INTO said VALUES ('client')");
        if (!wrote.ok()) break;
      }
    }
  }
  // A session that is ended, or that came while the names changed.
  void judge(const Error& error) {
    bool renamed = error.text().find("just been dropped or renamed") != std::string::npos;
    bool expected = error.native() == "SQLSTATE 57P01" || renamed || error.native().empty();
    if (!expected) problems_.push_back(error.text() + " " + error.native());
  }

  std::atomic<int> reads_{0};
  Micros longest_gap_{0};
  std::vector<std::string> problems_;
  std::jthread thread_;
};

class KilledSwapTest : public SwapTest {
 protected:
  void SetUp() override {
    SwapTest::SetUp();
    if (IsSkipped()) return;
    connection_.reset();  // a child of a fork that ends would close them under the parent
    second_.reset();
  }
  // Whether the act came to its end in a process that is killed before its n-th query.
  bool survives(int queries, const std::function<Status(Connection&)>& act) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      connection_ = open();
      second_ = open();
      KilledConnection killed(*connection_, queries);
      auto done = act(killed);
      ::_exit(done.ok() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return false;
    EXPECT_EQ(WEXITSTATUS(status), 0) << "not killed, and failed";
    return true;
  }
  void expect_one(const char* word) {
    EXPECT_EQ(server_->value("SELECT count(*) FROM pg_database WHERE datname = 'shop'"), "1");
    EXPECT_EQ(server_->value("SELECT count(*) FROM said WHERE word = '" + std::string(word) + "'",
                             "shop"),
              "500");
  }
  void look_and(const std::function<void()>& act) {
    connection_ = open();
    second_ = open();
    act();
    connection_.reset();
    second_.reset();
  }
};

TEST_F(KilledSwapTest, KilledAnywhereItIsFinishedOrUndone) {
  int kills = 0;
  Client client(server_->conninfo_as("clerk", "clerk-pw", "shop"));
  server_->sql("GRANT INSERT ON said TO clerk", "shop");
  for (int n = 0;; ++n) {
    SCOPED_TRACE("killed before query " + std::to_string(n));
    bool survived = survives(n, [&](Connection& connection) { return finish(connection); });
    kills += survived ? 0 : 1;
    look_and([&] {
      auto now = stage();
      expect_one(now == SwapStage::swapped ? "new" : "old");
      if (n % 2 == 0) {
        auto done = finish(*connection_);
        EXPECT_TRUE(done.ok()) << done.error().text();
        expect_one("new");
      } else {
        auto undone = undo_swap(hands(*connection_), wish_, {});
        EXPECT_TRUE(undone.ok()) << undone.error().text();
        expect_one("old");
        EXPECT_EQ(read_dress(*connection_, "shop").take().owner, "keeper");
      }
    });
    if (survived || HasFailure()) break;
    // Anew, under another id: the clients stay.
    wish_.id = "06FQ0K" + std::to_string(100 + n);
    look_and([&] {
      for (const auto& row :
           server_->rows("SELECT datname FROM pg_database WHERE datname LIKE 'shop\\_%'"))
        server_->sql(cat("DROP DATABASE ", quote_name(row[0]), " WITH (FORCE)"));
      server_->sql("UPDATE said SET word = 'old' WHERE word = 'new'", "shop");
      server_->sql("DELETE FROM said WHERE word = 'client'", "shop");
    });
  }
  for (const auto& problem : client.end()) ADD_FAILURE() << problem;
  EXPECT_GT(kills, 25);
  EXPECT_GT(client.reads(), 100);
  // Renaming waits five seconds at most for sessions to end.
  EXPECT_LT(client.longest_gap(), Seconds(10));
}

TEST_F(KilledSwapTest, AnUndoKilledAnywhereIsFinished) {
  int kills = 0;
  look_and([&] { ASSERT_TRUE(finish(*connection_).ok()); });
  for (int n = 0;; ++n) {
    SCOPED_TRACE("killed before query " + std::to_string(n));
    bool survived = survives(n, [&](Connection& connection) {
      return undo_swap(hands(connection), wish_, {}).status();
    });
    kills += survived ? 0 : 1;
    look_and([&] {
      expect_one(stage() == SwapStage::swapped ? "new" : "old");
      auto undone = undo_swap(hands(*connection_), wish_, {});
      EXPECT_TRUE(undone.ok()) << undone.error().text();
      expect_one("old");
    });
    if (survived || HasFailure()) break;
    look_and([&] {
      remove_all();
      make_live();
      ASSERT_TRUE(finish(*connection_).ok());
    });
  }
  EXPECT_GT(kills, 10);
}

}  // namespace
}  // namespace lb::pg
