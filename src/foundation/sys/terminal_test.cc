#include "foundation/sys/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "foundation/sys/descriptor.h"

namespace lb {
namespace {

// The other end of a terminal: what a person types, and what the screen shows.
class Person {
 public:
  Person() : hand_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    EXPECT_EQ(::grantpt(hand_.get()), 0);
    EXPECT_EQ(::unlockpt(hand_.get()), 0);
    char name[100] = {};
    EXPECT_EQ(::ptsname_r(hand_.get(), name, sizeof name), 0);
    terminal = name;
    kept_ = Descriptor(::open(name, O_RDWR | O_NOCTTY));  // a terminal nobody has open forgets
  }
  std::string see(std::size_t bytes) {
    std::string out;
    char next = 0;
    while (out.size() < bytes && ::read(hand_.get(), &next, 1) == 1) out += next;
    return out;
  }
  void type(const std::string& text) {
    ASSERT_EQ(::write(hand_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  bool echoes() {
    termios now{};
    EXPECT_EQ(tcgetattr(kept_.get(), &now), 0);
    return (now.c_lflag & ECHO) != 0;
  }
  void make_window(unsigned short columns) {
    winsize size{24, columns, 0, 0};
    EXPECT_EQ(::ioctl(hand_.get(), TIOCSWINSZ, &size), 0);
  }
  int descriptor() const { return kept_.get(); }
  std::string terminal;

 private:
  Descriptor hand_, kept_;
};

TEST(Terminal, SaysHowWideItIs) {
  Person person;
  for (auto columns : std::vector<unsigned short>{80, 132}) {
    person.make_window(columns);
    EXPECT_EQ(terminal_columns(person.descriptor()), columns);
  }
  person.make_window(0);
  EXPECT_EQ(terminal_columns(person.descriptor()), std::nullopt);
  Descriptor none(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(terminal_columns(none.get()), std::nullopt);
}

TEST(Terminal, TakesALineWithoutShowingIt) {
  Person person;
  std::string seen;
  std::jthread typing([&] {
    seen = person.see(11);  // the prompt stands only when the echo is off
    EXPECT_FALSE(person.echoes());
    person.type("s3cret word\n");
    seen += person.see(2);
  });
  auto line = ask_secret("passphrase", {}, person.terminal);
  typing.join();
  ASSERT_TRUE(line.ok()) << line.error().text();
  EXPECT_EQ(line->reveal(), "s3cret word");
  EXPECT_EQ(seen, "passphrase \r\n");
  EXPECT_TRUE(person.echoes());
}

TEST(Terminal, AStopEndsTheQuestionAndTheEchoIsBack) {
  Person person;
  std::stop_source stop;
  std::jthread stopping([&] {
    person.see(11);
    stop.request_stop();
    person.see(2);
  });
  auto line = ask_secret("passphrase", stop.get_token(), person.terminal);
  EXPECT_EQ(line.error().kind(), ErrorKind::cancelled);
  stopping.join();
  EXPECT_TRUE(person.echoes());
}

TEST(Terminal, WithoutATerminalItSaysSo) {
  EXPECT_EQ(ask_secret("passphrase", {}, "/nonexistent/tty").error().kind(),
            ErrorKind::unavailable);
  EXPECT_EQ(ask_secret("passphrase", {}, "/dev/null").error().kind(), ErrorKind::unavailable);
}

}  // namespace
}  // namespace lb
