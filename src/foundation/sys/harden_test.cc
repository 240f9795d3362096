#include "foundation/sys/harden.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "foundation/sys/process.h"
#include "foundation/sys/test_folder.h"

namespace lb {
namespace {

// In a child, because hardening cannot be taken back.
int in_child(bool (*check)()) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(harden_process().ok() && check() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(HardenProcess, NoCoreNoTracing) {
  EXPECT_EQ(in_child([] {
              rlimit limit{};
              ::getrlimit(RLIMIT_CORE, &limit);
              return limit.rlim_max == 0 && ::prctl(PR_GET_DUMPABLE) == 0;
            }),
            0);
}

TEST(HardenProcess, ProgramsCanStillBeStarted) {
  if (!forked_child_may_have_threads) GTEST_SKIP() << "the thread sanitizer forbids it";
  EXPECT_EQ(in_child([] {
              Command command;
              command.argv = {"/bin/sh", "-c", "echo hi"};
              auto finished = real_processes()->run(command, std::chrono::minutes(1), {});
              return finished.ok() && finished->output == "hi\n";
            }),
            0);
}

}  // namespace
}  // namespace lb
