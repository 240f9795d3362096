// What happens between fork and exec: prepared in full before the fork, so that the child makes
// only async-signal-safe calls. Used by real_processes() and inside sandboxes. Private to
// foundation/sys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/sys/descriptor.h"
#include "foundation/sys/process.h"

namespace lb {

// The strings of a command in the form execve wants. Points into itself: not copied, not moved.
class ExecPlan {
 public:
  explicit ExecPlan(const Command& command);
  ExecPlan(const ExecPlan&) = delete;
  ExecPlan& operator=(const ExecPlan&) = delete;

  int in = -1, out = -1, err = -1;
  int report = -1;  // where an ExecFailure goes; closed by a successful exec
  int parent = 0;   // die if the parent is another process by now; 0: not asked
  std::optional<UserId> user;

  // Never returns: the child runs the program or reports and exits.
  [[noreturn]] void exec() const;

 private:
  std::vector<std::string> paths_, arguments_, variables_;
  std::vector<char*> argv_, envp_;
  std::string directory_;
};

enum class ExecStage : int { descriptors, user, directory, parent, program };

struct ExecFailure {
  ExecStage stage;
  int error;
};

Status check_command(const Command& command);
Error exec_error(const ExecFailure& failure, const Command& command);

// The streams of a child as seen from here.
struct ChildStreams {
  Descriptor in, out, err;        // the child's ends
  Descriptor from_out, from_err;  // our ends when captured
};
Result<ChildStreams> captured_streams(const Command& command);
Result<ChildStreams> logged_streams(const Command& command);

Result<Descriptor> open_at_least_3(const char* path, int flags, unsigned mode = 0);

}  // namespace lb
