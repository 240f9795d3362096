#include "foundation/sys/exec_child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "foundation/base/text.h"

namespace lb {

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> candidates(const Command& command) {
  const auto& program = command.argv[0];
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> out;
  for (const auto& [name, value] : command.environment) {
    if (name != "PATH") continue;
    for (const auto& folder : split(value, ':')) {
      if (!folder.empty()) out.push_back(cat(folder, "/", program));
    }
  }
  return out;
}

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

// From here to the end of this block: only async-signal-safe calls.

void default_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool place_streams(int in, int out, int err) {
  // Above 9 first: one of the three could sit where another must go.
  int high[3] = {::fcntl(in, F_DUPFD_CLOEXEC, 10), ::fcntl(out, F_DUPFD_CLOEXEC, 10),
                 ::fcntl(err, F_DUPFD_CLOEXEC, 10)};
  for (int i = 0; i < 3; ++i) {
    if (high[i] < 0 || ::dup2(high[i], i) < 0) return false;
  }
  return true;
}

void hide_other_descriptors() {
  if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  rlimit limit{};
  int end = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536
                ? static_cast<int>(limit.rlim_cur)
                : 65536;
  for (int number = 3; number < end; ++number) ::fcntl(number, F_SETFD, FD_CLOEXEC);
}

// Raw calls: the C library's versions would try to tell threads that exist only in the parent.
bool become(const UserId& user) {
  return ::syscall(SYS_setgroups, 0, nullptr) == 0 &&
         ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 &&
         ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0;
}

[[noreturn]] void fail(int report, ExecStage stage, int error) {
  ExecFailure failure{stage, error};
  [[maybe_unused]] auto put = ::write(report, &failure, sizeof failure);
  ::_exit(127);
}

}  // namespace

ExecPlan::ExecPlan(const Command& command)
    : user(command.user),
      paths_(candidates(command)),
      arguments_(command.argv),
      directory_(command.directory) {
  for (const auto& [name, value] : command.environment) variables_.push_back(cat(name, "=", value));
  argv_ = pointers(arguments_);
  envp_ = pointers(variables_);
}

void ExecPlan::exec() const {
  ::setsid();
  default_signals();
  int reporter = ::fcntl(report, F_DUPFD_CLOEXEC, 10);
  if (reporter < 0 || !place_streams(in, out, err)) {
    fail(report, ExecStage::descriptors, errno);
  }
  if (user && !become(*user)) fail(reporter, ExecStage::user, errno);
  if (!directory_.empty() && ::chdir(directory_.c_str()) != 0) {
    fail(reporter, ExecStage::directory, errno);
  }
  // After the change of user, which clears the death signal. The parent may have died before.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(reporter, ExecStage::parent, errno);
  if (parent != 0 && ::getppid() != parent) ::_exit(127);
  hide_other_descriptors();
  int error = ENOENT;
  for (const auto& path : paths_) {
    ::execve(path.c_str(), argv_.data(), envp_.data());
    if (errno == ENOENT || errno == ENOTDIR) continue;
    error = errno;
    if (error != EACCES) break;
  }
  fail(reporter, ExecStage::program, error);
}

Status check_command(const Command& command) {
  if (command.argv.empty() || command.argv[0].empty()) {
    return Error(ErrorKind::invalid, "command without a program");
  }
  bool bad = has_nul(command.directory) || has_nul(command.log_path);
  for (const auto& argument : command.argv) bad = bad || has_nul(argument);
  for (const auto& [name, value] : command.environment) {
    bad = bad || name.empty() || has_nul(name) || has_nul(value) ||
          name.find('=') != std::string::npos;
  }
  if (!bad) return {};
  return Error(ErrorKind::invalid, cat("command ", printable(command.argv[0]),
                                       ": a NUL byte, or a variable without a proper name"));
}

Error exec_error(const ExecFailure& failure, const Command& command) {
  auto program = printable(command.argv[0]);
  switch (failure.stage) {
    case ExecStage::user:
      return system_error(failure.error, cat("start ", program, ": become user ",
                                             command.user ? command.user->uid : 0));
    case ExecStage::directory:
      return system_error(failure.error,
                          cat("start ", program, ": enter ", printable(command.directory)));
    case ExecStage::program:
      return system_error(failure.error, cat("start ", program));
    default:
      return system_error(failure.error, cat("start ", program, ": prepare the child"));
  }
}

Result<Descriptor> open_at_least_3(const char* path, int flags, unsigned mode) {
  Descriptor first(::open(path, flags | O_CLOEXEC, mode));
  if (!first.valid()) return system_error(errno, cat("open ", printable(path)));
  if (first.get() >= 3) return first;
  Descriptor higher(::fcntl(first.get(), F_DUPFD_CLOEXEC, 3));
  if (!higher.valid()) return system_error(errno, cat("open ", printable(path)));
  return higher;
}

namespace {

// A memory file instead of a pipe: nobody has to keep writing, and no SIGPIPE can come of it.
Result<Descriptor> stdin_of(const std::string& input) {
  if (input.empty()) return open_at_least_3("/dev/null", O_RDONLY);
  Descriptor memory(::memfd_create("stdin", MFD_CLOEXEC));
  if (!memory.valid()) return system_error(errno, "make standard input");
  std::string_view rest = input;
  while (!rest.empty()) {
    auto put = ::write(memory.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error(errno, "fill standard input");
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) return system_error(errno, "rewind standard input");
  return memory;
}

Status make_pipe(Descriptor& ours, Descriptor& theirs) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "make a pipe");
  ours = Descriptor(ends[0]);
  theirs = Descriptor(ends[1]);
  if (::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0) return system_error(errno, "make a pipe");
  return {};
}

}  // namespace

Result<ChildStreams> captured_streams(const Command& command) {
  ChildStreams streams;
  streams.in = LB_TRY(stdin_of(command.input));
  LB_TRY(make_pipe(streams.from_out, streams.out));
  LB_TRY(make_pipe(streams.from_err, streams.err));
  return streams;
}

Result<ChildStreams> logged_streams(const Command& command) {
  ChildStreams streams;
  streams.in = LB_TRY(stdin_of(command.input));
  streams.out = LB_TRY(command.log_path.empty()
                           ? open_at_least_3("/dev/null", O_WRONLY)
                           : open_at_least_3(command.log_path.c_str(),
                                             O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600));
  streams.err = Descriptor(::fcntl(streams.out.get(), F_DUPFD_CLOEXEC, 3));
  if (!streams.err.valid()) return system_error(errno, "share the log");
  return streams;
}

}  // namespace lb
