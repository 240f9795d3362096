// Process: child programs. The child gets exactly the environment given (nothing is inherited),
// only stdin/stdout/stderr, and dies with the parent (PDEATHSIG). Real and scripted twins.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"

namespace lb {

using Environment = std::vector<std::pair<std::string, std::string>>;

struct UserId {
  std::uint32_t uid = 0, gid = 0;
};

struct Finished {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  std::string output, errors;
  bool ok() const { return exit_code == 0; }
};

struct Command {
  std::vector<std::string>
      argv;  // argv[0] is looked up in PATH of `environment` unless it holds a '/'
  Environment environment;
  std::string directory;             // working directory; empty: the parent's
  std::optional<UserId> user;        // become this user first (needs privilege)
  std::string input;                 // given on stdin
  std::string log_path;              // start(): stdout and stderr appended here; empty: discarded
  std::size_t output_max = 1 << 20;  // run(): what is kept of each stream
  bool keep_end = false;             // run(): of a longer stream its end, not its beginning
  Finished* unfinished = nullptr;    // run(): killed at its limit, what it had written goes there
};

// A started child. The destructor kills it (SIGKILL, whole process group) and waits.
class Child {
 public:
  virtual ~Child() = default;
  virtual int pid() const = 0;
  virtual Result<std::optional<Finished>> poll() = 0;  // nullopt while it runs
  virtual Result<Finished> wait(std::stop_token stop) = 0;
  virtual Status signal(int number) = 0;  // to its process group
};

class Processes {
 public:
  virtual ~Processes() = default;
  // Runs to the end. limit passed: killed, ErrorKind::timeout. Not startable: not_found or denied.
  virtual Result<Finished> run(const Command& command, Micros limit, std::stop_token stop) = 0;
  virtual Result<std::unique_ptr<Child>> start(const Command& command) = 0;
};

std::unique_ptr<Processes> real_processes();

}  // namespace lb
