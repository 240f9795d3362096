// ToolProcess: a program of the server's user (postgres, pgbench, pg_basebackup …), started by a
// test and gone with it, also when the test process is killed.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace lb::test {

enum class RunAs { server_user, caller };

class ToolProcess {
 public:
  // The parent-death signal follows the thread that starts: start on a thread that lives as long.
  ToolProcess(const std::vector<std::string>& argv, const std::string& log_path, int death_signal,
              RunAs run_as = RunAs::server_user);
  ~ToolProcess();  // SIGKILL when still running
  ToolProcess(const ToolProcess&) = delete;
  ToolProcess& operator=(const ToolProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  int wait();  // exit code; 128 + number when a signal ended it
  void signal(int number) const;
  void
  kill_with_children();  // SIGKILL to it and to all processes it forked; waits until they are gone

 private:
  pid_t pid_ = -1;
  std::optional<int> ended_;
};

// The user that servers and their files belong to: "postgres" for root, else the caller.
struct ServerUser {
  unsigned uid = 0, gid = 0;
};
std::optional<ServerUser> server_user();
void give_to_server_user(const std::string& path);

}  // namespace lb::test
