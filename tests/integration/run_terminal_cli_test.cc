// A run as a person sees it: on a terminal of 80 columns, typed at, resized, closed.
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <sstream>

#include "app/cli/text_width.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

constexpr unsigned short columns = 80;

// The program on a terminal of its own, whose other end is a person.
class Person {
 public:
  Person(Lifeboat& boat, const std::vector<std::string>& words) {
    winsize size{24, columns, 0, 0};
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<std::string> argv = {LIFEBOAT_BINARY}, env;
    argv.insert(argv.end(), words.begin(), words.end());
    for (const auto& [name, value] : boat.environment()) env.push_back(name + "=" + value);
    std::vector<char*> argv_raw, env_raw;
    for (auto& word : argv) argv_raw.push_back(word.data());
    for (auto& entry : env) env_raw.push_back(entry.data());
    argv_raw.push_back(nullptr);
    env_raw.push_back(nullptr);
    if (::chdir(boat.folder().c_str()) == 0) ::execve(argv_raw[0], argv_raw.data(), env_raw.data());
    ::_exit(127);
  }
  ~Person() {
    hang_up();
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    wait();
  }
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;

  void type(const std::string& text) const {
    ASSERT_EQ(::write(terminal_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void resize(unsigned short width) const {
    winsize size{24, width, 0, 0};
    ::ioctl(terminal_, TIOCSWINSZ, &size);
  }
  void hang_up() {
    if (terminal_ >= 0) ::close(terminal_);
    terminal_ = -1;
  }
  // Whether it comes to be there, after what was looked for last.
  bool sees(const std::string& text) {
    constexpr auto patience = std::chrono::seconds(120);
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      auto at = screen_.find(text, seen_);
      if (at != std::string::npos) {
        seen_ = at + text.size();
        return true;
      }
      if (std::chrono::steady_clock::now() > end || !read_more()) return false;
    }
  }
  int wait() {
    if (pid_ <= 0) return -1;
    while (terminal_ >= 0 && read_more()) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  // What stood in one line, without colours.
  std::vector<std::string> lines() const {
    std::string plain;
    for (std::size_t at = 0; at < screen_.size(); ++at) {
      if (screen_[at] == '\x1b') {
        at = screen_.find_first_of("mK", at);
        if (at == std::string::npos) break;
        continue;
      }
      plain += screen_[at] == '\r' ? '\n' : screen_[at];
    }
    std::vector<std::string> out;
    std::istringstream text(plain);
    for (std::string line; std::getline(text, line);) out.push_back(line);
    return out;
  }
  const std::string& screen() const { return screen_; }

 private:
  bool read_more() {
    pollfd ready{terminal_, POLLIN, 0};
    if (::poll(&ready, 1, 1000) == 0) return true;
    char bytes[4096];
    auto count = ::read(terminal_, bytes, sizeof bytes);
    if (count <= 0) return false;
    screen_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string screen_;
  std::size_t seen_ = 0;
};

class RunTerminal : public testing::Test {
 protected:
  RunTerminal() : boat(LIFEBOAT_BINARY) {
    boat.environment()["SUDO_USER"] = "ada";
    boat.environment()["LEDGER"] = boat / "ledger";
    boat.environment()["TERM"] = "xterm";
    boat.write_plan(R"(stores:
  media: {files: ./media, every: hourly}
people:
  operator: {users: [ada], name: Ada Lovelace}
runbooks:
  long:
    objective: {rto: 4h}
    steps:
      - phase: Before anything is touched
      - ask: {seen_by: text, number_of_reports: number}
      - manual: Look into the dashboard of the provider and see whether the region has an incident
          that explains the loss, then write down its number
        by: operator
      - run: "echo $$ > pid; echo begun >> $LEDGER; sleep 600; echo ended >> $LEDGER"
      - checklist: [customers were told by the template of the status page and by mail to all]
)");
    write_text(boat / "media/a.txt", "one");
    boat.must({"init"});
  }
  Json shown() { return boat.must({"run", "show", "--json"}).lines().back(); }

  Lifeboat boat;
};

TEST_F(RunTerminal, EightyColumnsAreEnoughAndItSaysWhoActsAndWhatComesNext) {
  Person person(boat, {"run", "long"});
  ASSERT_TRUE(person.sees("Before anything is touched")) << person.screen();
  ASSERT_TRUE(person.sees("waits for you")) << person.screen();
  ASSERT_TRUE(person.sees("of the RTO left")) << person.screen();
  ASSERT_TRUE(person.sees("next: Look into")) << person.screen();
  ASSERT_TRUE(person.sees("> ")) << person.screen();
  person.type("many customers\n");
  ASSERT_TRUE(person.sees("number_of_reports (number)")) << person.screen();
  person.type("many\n");
  ASSERT_TRUE(person.sees("'many' is not a number")) << person.screen();
  ASSERT_TRUE(person.sees("> ")) << person.screen();
  person.type("help\n");
  ASSERT_TRUE(person.sees("at any time: note TEXT, abort REASON")) << person.screen();
  ASSERT_TRUE(person.sees("> ")) << person.screen();
  person.type("12\n");
  ASSERT_TRUE(person.sees("waits for operator (Ada")) << person.screen();
  ASSERT_TRUE(person.sees("next: echo $$ > pid")) << person.screen();
  for (const auto& line : person.lines()) EXPECT_LE(cli::width_of(line), columns) << line;
  person.resize(40);
  person.type("help\n");
  ASSERT_TRUE(person.sees("at any time")) << person.screen();
  person.type("abort it was a rehearsal\n");
  EXPECT_EQ(person.wait(), 1) << person.screen();
}

// Closed in the middle of a command: it is ended and not repeated unasked, and the run goes on from
// another terminal.
TEST_F(RunTerminal, AClosedTerminalLeavesTheRunAsItIs) {
  {
    Person person(boat, {"run", "long"});
    ASSERT_TRUE(person.sees("> "));
    person.type("many customers\n12\n");
    ASSERT_TRUE(person.sees("waits for operator")) << person.screen();
    person.type("done INC-1\n");
    ASSERT_TRUE(person.sees("next: checklist")) << person.screen();
    while (read_text(boat / "ledger") != "begun\n") ::usleep(20000);
    person.hang_up();
    EXPECT_EQ(person.wait(), 128 + SIGHUP);
  }
  EXPECT_EQ(shown()["state"].string(), "open");
  Person other(boat, {"resume"});
  ASSERT_TRUE(other.sees("3/4")) << other.screen();
  ASSERT_TRUE(other.sees("type: done (it happened), retry (it did not)")) << other.screen();
  EXPECT_NE(::kill(std::stoi(read_text(boat / "pid")), 0), 0) << "it was ended";
  other.type("skip it was enough\n");
  ASSERT_TRUE(other.sees("type: the number of an item")) << other.screen();
  other.type("1\n");
  EXPECT_EQ(other.wait(), 0) << other.screen();
  EXPECT_EQ(read_text(boat / "ledger"), "begun\n") << "neither repeated nor left running";
}

}  // namespace
}  // namespace lb::test
