#include "tests/harness/tool_process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace lb::test {
namespace {

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

[[noreturn]] void become(char* const* argv, const char* log_path, int death_signal,
                         const std::optional<ServerUser>& user) {
  const int log = ::open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int none = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (log < 0 || none < 0) ::_exit(126);
  ::dup2(none, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  if (::getuid() == 0 && user) {
    if (::fchown(log, user->uid, user->gid) != 0 || ::setgroups(0, nullptr) != 0 ||
        ::setgid(user->gid) != 0 || ::setuid(user->uid) != 0) {
      ::_exit(126);
    }
  }
  // After the change of user, which clears it.
  ::prctl(PR_SET_PDEATHSIG, death_signal);
  ::setpgid(0, 0);
  if (::chdir("/") != 0) ::_exit(126);
  ::execv(argv[0], argv);
  ::_exit(127);
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  const std::string id = std::to_string(parent);
  std::ifstream in("/proc/" + id + "/task/" + id + "/children");
  for (pid_t child = 0; in >> child;) found.push_back(child);
  return found;
}

// 'T' when stopped, 'Z' or 'X' when it holds nothing any more, 0 when it is gone.
char state_of(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  if (!std::getline(in, text)) return 0;
  const auto name_end = text.rfind(')');
  return name_end + 2 < text.size() ? text[name_end + 2] : '\0';
}

bool holds_something(pid_t process) {
  const char state = state_of(process);
  return state != 0 && state != 'Z' && state != 'X';
}

void pause_shortly() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

}  // namespace

std::optional<ServerUser> server_user() {
  if (::getuid() != 0) return ServerUser{::getuid(), ::getgid()};
  const passwd* entry = ::getpwnam("postgres");
  if (entry == nullptr) return std::nullopt;
  return ServerUser{entry->pw_uid, entry->pw_gid};
}

void give_to_server_user(const std::string& path) {
  if (::getuid() != 0) return;
  const auto user = server_user();
  if (!user || ::lchown(path.c_str(), user->uid, user->gid) != 0) {
    throw std::runtime_error("chown " + path);
  }
}

ToolProcess::ToolProcess(const std::vector<std::string>& argv, const std::string& log_path,
                         int death_signal, RunAs run_as) {
  std::optional<ServerUser> user;
  if (run_as == RunAs::server_user) {
    user = server_user();
    if (!user) throw std::runtime_error("no user postgres");
  }
  std::vector<char*> raw;
  for (const std::string& argument : argv) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) become(raw.data(), log_path.c_str(), death_signal, user);
}

ToolProcess::~ToolProcess() {
  if (running()) kill_with_children();
}

bool ToolProcess::running() {
  if (ended_) return false;
  int status = 0;
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == 0) return true;
  ended_ = got == pid_ ? code_of(status) : -1;
  return false;
}

int ToolProcess::wait() {
  int status = 0;
  while (!ended_) {
    const pid_t got = ::waitpid(pid_, &status, 0);
    if (got == pid_) ended_ = code_of(status);
    if (got < 0 && errno != EINTR) ended_ = -1;
  }
  return *ended_;
}

void ToolProcess::signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

void ToolProcess::kill_with_children() {
  if (ended_) return;
  // Stopped first, so that it forks no more while its children are listed.
  ::kill(pid_, SIGSTOP);
  while (holds_something(pid_) && state_of(pid_) != 'T') pause_shortly();
  const std::vector<pid_t> children = children_of(pid_);
  ::kill(pid_, SIGKILL);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  wait();
  for (const pid_t child : children) {
    while (holds_something(child)) pause_shortly();
  }
}

}  // namespace lb::test
