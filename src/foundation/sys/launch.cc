#include "foundation/sys/launch.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "foundation/base/text.h"
#include "foundation/sys/run_to_end.h"

namespace lb {

RealChild::RealChild(std::shared_ptr<ForkThread> forker, pid_t number, Descriptor ended)
    : forker_(std::move(forker)), pid_(number), ended_(std::move(ended)) {}

RealChild::~RealChild() {
  (void)signal(SIGKILL);
  (void)wait_for_end(*this, ended_.get(), {});
}

Result<std::optional<Finished>> RealChild::poll() {
  std::lock_guard lock(mutex_);
  if (finished_) return finished_;
  siginfo_t facts{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &facts, WEXITED | WNOHANG | WNOWAIT) != 0) {
    return system_error(errno, cat("wait for process ", pid_));
  }
  if (facts.si_pid == 0) return std::optional<Finished>();
  // While the dead leader is not reaped, its number cannot name another group.
  ::kill(-pid_, SIGKILL);
  ::waitid(P_PID, static_cast<id_t>(pid_), &facts, WEXITED);
  Finished result;
  if (facts.si_code == CLD_EXITED) {
    result.exit_code = facts.si_status;
  } else {
    result.signal = facts.si_status;
  }
  finished_ = result;
  return finished_;
}

Result<Finished> RealChild::wait(std::stop_token stop) {
  return wait_for_end(*this, ended_.get(), stop);
}

Status RealChild::signal(int number) {
  std::lock_guard lock(mutex_);
  if (finished_) return Error(ErrorKind::not_found, cat("process ", pid_, " has ended"));
  if (::kill(-pid_, number) != 0) return system_error(errno, cat("signal process ", pid_));
  return {};
}

std::optional<ExecFailure> read_report(int news) {
  ExecFailure failure{};
  for (;;) {
    auto got = ::read(news, &failure, sizeof failure);
    if (got < 0 && errno == EINTR) continue;
    if (got == sizeof failure) return failure;
    return std::nullopt;
  }
}

namespace {

pid_t fork_quietly(const ExecPlan& plan) {
  // No signal handler of ours may run in the child before the handlers are reset.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t number = ::fork();
  if (number == 0) plan.exec();
  int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return number;
}

}  // namespace

Result<std::unique_ptr<RealChild>> launch(const std::shared_ptr<ForkThread>& forker,
                                          const Command& command, ChildStreams& streams) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "make a pipe");
  Descriptor news(ends[0]);
  Descriptor report(ends[1]);
  ExecPlan plan(command);
  plan.in = streams.in.get();
  plan.out = streams.out.get();
  plan.err = streams.err.get();
  plan.report = report.get();
  plan.parent = ::getpid();
  pid_t number = -1;
  int error = 0;
  forker->call([&] {
    number = fork_quietly(plan);
    error = errno;
  });
  if (number < 0) return system_error(error, cat("start ", printable(command.argv[0])));
  report.reset();
  streams.in.reset();
  streams.out.reset();
  streams.err.reset();
  Descriptor ended(static_cast<int>(::syscall(SYS_pidfd_open, number, 0)));
  if (!ended.valid()) {
    error = errno;
    ::kill(number, SIGKILL);
    ::waitpid(number, nullptr, 0);
    return system_error(error, "watch a process");
  }
  auto child = std::make_unique<RealChild>(forker, number, std::move(ended));
  auto failure = read_report(news.get());
  if (failure) return exec_error(*failure, command);
  return child;
}

}  // namespace lb
