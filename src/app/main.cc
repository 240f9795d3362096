// The one place where real implementations are chosen and wired into a World.
#include <pwd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <map>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/verbs.h"
#include "app/cli/wal_client.h"
#include "foundation/sys/harden.h"
#include "foundation/sys/heap.h"

extern char** environ;

namespace {

std::map<std::string, std::string> read_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string text(*entry);
    auto equals = text.find('=');
    if (equals != std::string::npos) out[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return out;
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

std::string user_name() {
  const passwd* entry = getpwuid(getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(getuid());
}

std::string lookup(const std::map<std::string, std::string>& environment, const std::string& name) {
  auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// SIGINT, SIGTERM and a terminal that is closed (SIGHUP) ask for a stop; a second one ends the
// program at once. The signals are blocked
// in every thread and taken by one that waits for them, so that no handler runs inside a lock.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (int number : {SIGINT, SIGTERM, SIGUSR2}) sigaddset(&set_, number);
    // Not what nohup keeps away: blocked, it would be taken all the same.
    struct sigaction hangup {};
    if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
      sigaddset(&set_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
    thread_ = std::jthread([this] { wait(); });
  }
  ~Signals() {
    done_ = true;
    pthread_kill(thread_.native_handle(), SIGUSR2);
  }
  std::stop_token token() const { return stop_.get_token(); }
  int received() const { return received_; }

 private:
  void wait() {
    int number = 0;
    while (sigwait(&set_, &number) == 0 && !done_) {
      if (number == SIGUSR2) continue;
      if (received_ != 0) _exit(128 + number);
      received_ = number;
      stop_.request_stop();
    }
  }

  sigset_t set_{};
  std::stop_source stop_;
  std::atomic<bool> done_{false};
  std::atomic<int> received_{0};
  std::jthread thread_;
};

std::string working_folder() {
  char folder[4096] = {};
  return getcwd(folder, sizeof folder) == nullptr ? "/" : folder;
}

int run(const std::vector<std::string>& words) {
  auto environment = read_environment();
  // A server runs this once for each segment of its log: nothing is made that it does not need.
  if (const auto end =
          lb::cli::ask_running_agent({environment, working_folder(), geteuid()}, words)) {
    for (const auto& line : end->lines) std::fprintf(stderr, "%s\n", line.c_str());
    return static_cast<int>(end->code);
  }
  Signals signals;
  auto clock = lb::real_clock();
  auto random = lb::real_random();
  auto files = lb::real_files();
  auto http = lb::real_http();
  auto processes = lb::real_processes();
  auto sandboxes = lb::real_sandboxes(*files);
  lb::World world{*clock, *random, *files, *http, *processes, *sandboxes};

  auto options = lb::cli::console_options(words);
  options.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  options.err_is_terminal = isatty(STDERR_FILENO) == 1;
  options.in_is_terminal = isatty(STDIN_FILENO) == 1;
  bool dumb = !lookup(environment, "NO_COLOR").empty() || lookup(environment, "TERM") == "dumb";
  options.color = options.out_is_terminal && options.err_is_terminal && !dumb && !options.json;
  lb::cli::Console console(*clock, options);

  // Anybody can set a variable; only root's word for who called counts.
  auto user = geteuid() == 0 ? lookup(environment, "SUDO_USER") : std::string();
  if (user.empty()) user = user_name();
  lb::cli::Shell shell{world,       console, environment, working_folder(),
                       host_name(), user,    geteuid(),   signals.token()};
  int code = lb::cli::run_program(shell, words);
  // Interrupted work ends with the signal's own code, unless it ended well all the same.
  return code != 0 && signals.received() != 0 ? 128 + signals.received() : code;
}

}  // namespace

int main(int argc, char** argv) {
  lb::map_large_pieces();
  // Without hardening the program still works; what it guards against needs another process's help.
  if (auto hardened = lb::harden_process(); !hardened.ok()) {
    std::fprintf(stderr, "warning: %s\n", hardened.error().text().c_str());
  }
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "error: internal: %s\n", thrown.what());
  } catch (...) {
    std::fprintf(stderr, "error: internal: unknown exception\n");
  }
  return static_cast<int>(lb::ExitCode::failed);
}
