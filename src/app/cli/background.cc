#include "app/cli/background.h"

#include <spawn.h>
#include <sys/wait.h>

#include <csignal>

extern char** environ;

namespace lb::cli {

namespace {

constexpr Micros look_interval = std::chrono::milliseconds(20);

Result<pid_t> spawn(std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Away from the terminal, so that its Ctrl-C and its end do not reach the
  // child.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  int failed = posix_spawn(&pid, "/proc/self/exe", nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) return system_error(failed, "start in the background");
  return pid;
}

}  // namespace

Result<ExitCode> run_in_background(const Shell& shell, std::vector<std::string> words,
                                   const std::function<bool()>& ready) {
  words.insert(words.begin(), "lifeboat");
  auto pid = LB_TRY(spawn(words));
  while (!ready()) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid) {
      return static_cast<ExitCode>(WIFEXITED(status) ? WEXITSTATUS(status)
                                                     : 128 + WTERMSIG(status));
    }
    if (shell.world.clock.sleep(look_interval, shell.stop)) continue;
    ::kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    return Error(ErrorKind::cancelled, "stopped");
  }
  return ExitCode::ok;
}

}  // namespace lb::cli
