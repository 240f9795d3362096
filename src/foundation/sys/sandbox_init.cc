#include "foundation/sys/sandbox_init.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iterator>
#include <map>

#include "foundation/base/text.h"
#include "foundation/sys/exec_child.h"
#include "foundation/sys/sandbox_filter.h"
#include "foundation/sys/sandbox_mounts.h"
#include "foundation/sys/sandbox_privileges.h"
#include "foundation/sys/sandbox_wire.h"

namespace lb {

namespace {

constexpr std::uint64_t message_bytes_max = 64 << 20;

// A folder above that only root may enter would show much later, as a program that fails oddly.
Status check_reach(const SandboxSpec& spec) {
  auto paths = spec.visible;
  paths.push_back(spec.folder);
  for (const auto& path : paths) {
    if (::access(path.c_str(), R_OK | X_OK) == 0) continue;
    return system_error(errno, cat("user ", spec.user.uid, " cannot enter ", printable(path)))
        .with_hint("give it to that user, and let others pass the folders above it (chmod o+x)");
  }
  return {};
}

class Init {
 public:
  explicit Init(Descriptor requests) : requests_(std::move(requests)) {}

  [[noreturn]] void run(const SandboxSpec& spec) {
    auto ready = settle(spec);
    Buffer bytes;
    ByteWriter writer(bytes);
    put_status(writer, ready);
    if (!send_message(requests_.get(), bytes).ok() || !ready.ok()) ::_exit(1);
    for (;;) {
      pollfd watched[] = {{requests_.get(), POLLIN, 0}, {deaths_.get(), POLLIN, 0}};
      (void)::poll(watched, std::size(watched), -1);
      if (watched[1].revents != 0) reap();
      if (watched[0].revents != 0) serve();
    }
  }

 private:
  struct Running {
    std::uint64_t id;
    Descriptor status;
  };

  Status settle(const SandboxSpec& spec) {
    LB_TRY(mount_fresh_proc());
    LB_TRY(give_up_privileges(spec.user));
    LB_TRY(filter_system_calls());
    LB_TRY(check_reach(spec));
    if (::chdir("/") != 0) return system_error(errno, "enter the root of the sandbox");
    ::umask(077);
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child, nullptr);
    deaths_ = Descriptor(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!deaths_.valid()) return system_error(errno, "watch for the end of programs");
    return {};
  }

  void serve() {
    auto message = receive_message(requests_.get(), message_bytes_max);
    // Lifeboat is gone: so is everything inside, when this process ends.
    if (!message.ok() || !*message) ::_exit(0);
    ByteReader reader((*message)->bytes);
    auto code = reader.u8();
    auto id = reader.u64();
    if (!code.ok() || !id.ok()) return;
    if (*code == static_cast<std::uint8_t>(ToInit::start)) start(*id, **message, reader);
    if (*code == static_cast<std::uint8_t>(ToInit::signal)) signal(*id, reader);
  }

  void start(std::uint64_t id, Message& message, ByteReader& reader) {
    constexpr std::size_t streams_report_and_status = 5;
    auto command = get_command(reader);
    if (!command.ok() || message.descriptors.size() != streams_report_and_status) return;
    ExecPlan plan(*command);
    plan.in = message.descriptors[0].get();
    plan.out = message.descriptors[1].get();
    plan.err = message.descriptors[2].get();
    plan.report = message.descriptors[3].get();
    auto& status = message.descriptors[4];
    pid_t child = ::fork();
    if (child == 0) {
      // Lifeboat reads our number, as it is called outside, off this message.
      char hello = 'h';
      (void)::send(status.get(), &hello, 1, MSG_NOSIGNAL);
      plan.exec();
    }
    if (child < 0) {
      ExecFailure failure{ExecStage::parent, errno};
      [[maybe_unused]] auto put = ::write(plan.report, &failure, sizeof failure);
      return;
    }
    running_[child] = Running{id, std::move(status)};
  }

  void signal(std::uint64_t id, ByteReader& reader) {
    auto number = reader.u32();
    if (!number.ok()) return;
    for (const auto& [child, running] : running_) {
      if (running.id == id) ::kill(-child, static_cast<int>(*number));
    }
  }

  void reap() {
    signalfd_siginfo ignored{};
    while (::read(deaths_.get(), &ignored, sizeof ignored) > 0) {
    }
    for (;;) {
      siginfo_t facts{};
      if (::waitid(P_ALL, 0, &facts, WEXITED | WNOHANG | WNOWAIT) != 0 || facts.si_pid == 0) return;
      auto found = running_.find(facts.si_pid);
      // While the dead leader is not reaped, its number cannot name another group.
      if (found != running_.end()) ::kill(-facts.si_pid, SIGKILL);
      ::waitid(P_PID, static_cast<id_t>(facts.si_pid), &facts, WEXITED);
      if (found == running_.end()) continue;
      EndNote note;
      if (facts.si_code == CLD_EXITED) {
        note.exit_code = facts.si_status;
      } else {
        note.signal = facts.si_status;
      }
      (void)::send(found->second.status.get(), &note, sizeof note, MSG_NOSIGNAL);
      running_.erase(found);
    }
  }

  Descriptor requests_;
  Descriptor deaths_;
  std::map<pid_t, Running> running_;
};

}  // namespace

void run_sandbox_init(Descriptor requests, const SandboxSpec& spec) {
  Init(std::move(requests)).run(spec);
}

}  // namespace lb
