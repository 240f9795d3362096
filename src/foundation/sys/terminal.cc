#include "foundation/sys/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "foundation/sys/descriptor.h"

namespace lb {

namespace {

constexpr std::size_t line_bytes_max = 4096;
constexpr int look_again_ms = 100;
constexpr std::size_t typed_bytes_max = 64 << 10;

// Turns the echo off, and on again whatever happens.
class Quiet {
 public:
  explicit Quiet(int terminal) : terminal_(terminal) {
    if (tcgetattr(terminal, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    on_ = tcsetattr(terminal, TCSAFLUSH, &quiet) == 0;
  }
  ~Quiet() {
    if (on_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  bool on() const { return on_; }

 private:
  int terminal_;
  termios before_{};
  bool on_ = false;
};

Status say(int terminal, const std::string& text) {
  if (::write(terminal, text.data(), text.size()) >= 0) return {};
  return system_error(errno, "write to the terminal");
}

// The terminal hands over whole lines.
Result<Secret> read_line(int terminal, const std::stop_token& stop) {
  Buffer line(line_bytes_max);
  for (;;) {
    if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped while asking");
    pollfd ready{terminal, POLLIN, 0};
    if (::poll(&ready, 1, look_again_ms) <= 0) continue;
    auto got = ::read(terminal, line.data(), line.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read from the terminal");
    auto size = static_cast<std::size_t>(got);
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r')) --size;
    Secret out{ByteView(line).first(size)};
    wipe(line);
    return out;
  }
}

}  // namespace

Result<Secret> ask_secret(const std::string& prompt, std::stop_token stop,
                          const std::string& terminal) {
  Descriptor open(::open(terminal.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!open.valid()) {
    return Error(ErrorKind::unavailable, "there is no terminal to ask at")
        .with_hint("give the secret by env:NAME, file:PATH or command:…");
  }
  Quiet quiet(open.get());
  if (!quiet.on()) return Error(ErrorKind::unavailable, "the terminal's echo cannot be turned off");
  LB_TRY(say(open.get(), prompt + " "));
  auto line = read_line(open.get(), stop);
  LB_TRY(say(open.get(), "\n"));
  return line;
}

std::optional<std::size_t> terminal_columns(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

void TypedLines::read_more() {
  char piece[4096];
  for (;;) {
    pollfd ready{descriptor_, POLLIN, 0};
    if (::poll(&ready, 1, 0) <= 0 || ready.revents == 0) return;
    auto got = ::read(descriptor_, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      ended_ = true;
      return;
    }
    held_.append(piece, static_cast<std::size_t>(got));
    if (held_.size() > typed_bytes_max) held_.resize(typed_bytes_max);
    if (held_.find('\n') != std::string::npos) return;
  }
}

std::optional<std::string> TypedLines::next() {
  if (held_.find('\n') == std::string::npos && !ended_) read_more();
  auto end = held_.find('\n');
  bool last = end == std::string::npos && ended_ && !held_.empty();
  if (end == std::string::npos && !last) return std::nullopt;
  auto line = held_.substr(0, end);
  held_.erase(0, last ? held_.size() : end + 1);
  while (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

}  // namespace lb
