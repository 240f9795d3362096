#include "foundation/sys/detach.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foundation/base/text.h"

extern char** environ;

namespace lb {

namespace {

// Frees what posix_spawn was told, on every way out.
struct Orders {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  Orders() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~Orders() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  Orders(const Orders&) = delete;
  Orders& operator=(const Orders&) = delete;
};

}  // namespace

Result<int> start_detached(std::vector<std::string> words, const std::string& log_path) {
  words.insert(words.begin(), "lifeboat");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  Orders orders;
  constexpr int log_flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW;
  posix_spawn_file_actions_addopen(&orders.actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&orders.actions, 1, log_path.c_str(), log_flags, 0600);
  posix_spawn_file_actions_adddup2(&orders.actions, 1, 2);
  posix_spawn_file_actions_addclosefrom_np(&orders.actions, 3);
  posix_spawn_file_actions_addchdir_np(&orders.actions, "/");
  posix_spawnattr_setflags(&orders.attributes, POSIX_SPAWN_SETSID);
  pid_t number = -1;
  const int failed = posix_spawn(&number, "/proc/self/exe", &orders.actions, &orders.attributes,
                                 argv.data(), environ);
  if (failed != 0) return system_error(failed, "start the agent");
  return int{number};
}

bool detached_ended(int process) {
  int status = 0;
  return ::waitpid(process, &status, WNOHANG) != 0;
}

}  // namespace lb
