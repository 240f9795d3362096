#include "foundation/sys/sandbox_supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iterator>

#include "foundation/base/text.h"
#include "foundation/sys/sandbox_init.h"
#include "foundation/sys/sandbox_mounts.h"
#include "foundation/sys/sandbox_network.h"
#include "foundation/sys/sandbox_privileges.h"
#include "foundation/sys/sandbox_wire.h"

namespace lb {

namespace {

constexpr std::string_view supervisor_argument = "--sandbox-supervisor-of-lifeboat";
constexpr std::uint64_t message_bytes_max = 256 << 20;

Result<std::vector<std::string>> host_sockets() {
  auto files = real_files();
  auto text = LB_TRY(read_file(*files, "/proc/net/unix", message_bytes_max));
  return listening_sockets(text_of(text));
}

class SupervisorProcess {
 public:
  explicit SupervisorProcess(Descriptor requests) : requests_(std::move(requests)) {}

  [[noreturn]] void run() {
    auto first = receive_message(requests_.get(), message_bytes_max);
    if (!first.ok() || !*first || (*first)->descriptors.size() != 2) ::_exit(2);
    auto reply = std::move((*first)->descriptors[0]);
    auto applied = set_up(**first);
    Buffer bytes;
    ByteWriter writer(bytes);
    put_status(writer, applied.status());
    if (applied.ok()) put_texts(writer, *applied);
    if (!send_message(reply.get(), bytes).ok() || !applied.ok()) ::_exit(1);
    reply.reset();
    for (;;) wait_and_serve();
  }

 private:
  Result<std::vector<std::string>> set_up(Message& message) {
    ByteReader reader(message.bytes);
    LB_TRY(reader.u8());
    auto spec = LB_TRY(get_spec(reader));
    auto sockets = LB_TRY(host_sockets());
    // Only root may give up groups: inside a user namespace the caller's stay.
    bool groups_cleared = ::geteuid() == 0;
    LB_TRY(enter_namespaces());
    network_ = LB_TRY(SandboxNetwork::bring_up());
    auto applied = LB_TRY(arrange_mounts(spec, sockets));
    LB_TRY(watch_children());
    init_ = ::fork();
    if (init_ == 0) {
      requests_.reset();
      run_sandbox_init(std::move(message.descriptors[1]), spec);
    }
    if (init_ < 0) return system_error(errno, "start the first process of the sandbox");
    message.descriptors.clear();
    LB_TRY(give_up_privileges(spec.user));
    applied.insert(applied.begin(), "network namespace: loopback only, nothing leads out");
    applied.push_back("process, ipc and host name namespaces");
    applied.push_back("system call filter: local and IP sockets only, no key rings, no io_uring");
    applied.push_back(cat("user ", spec.user.uid,
                          groups_cleared ? ", no groups" : ", groups of the caller",
                          ", no capability (bounding set empty), no new privileges"));
    return applied;
  }

  Status watch_children() {
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child, nullptr);
    deaths_ = Descriptor(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!deaths_.valid()) return system_error(errno, "watch the sandbox");
    return {};
  }

  void wait_and_serve() {
    pollfd watched[] = {
        {requests_.get(), POLLIN, 0}, {deaths_.get(), POLLIN, 0}, {network_.packets(), POLLIN, 0}};
    (void)::poll(watched, std::size(watched), -1);
    if (watched[2].revents != 0) network_.refuse_packets();
    if (watched[1].revents != 0) reap();
    if (watched[0].revents != 0) serve();
  }

  void reap() {
    signalfd_siginfo ignored{};
    while (::read(deaths_.get(), &ignored, sizeof ignored) > 0) {
    }
    pid_t gone = 0;
    while ((gone = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
      if (gone == init_) ::_exit(0);  // nothing is left inside
    }
  }

  // The wait for process 1 ends only when all others of its namespace are gone too: those of them
  // that are children of this process, which send HTTP requests, must be reaped for that.
  [[noreturn]] void end() {
    ::kill(init_, SIGKILL);
    pid_t gone = 0;
    while (gone != init_ && (gone >= 0 || errno == EINTR)) gone = ::waitpid(-1, nullptr, 0);
    ::_exit(0);
  }

  void serve() {
    auto message = receive_message(requests_.get(), message_bytes_max);
    if (!message.ok() || !*message) end();
    ByteReader reader((*message)->bytes);
    auto code = reader.u8();
    if (!code.ok()) return;
    if (*code == static_cast<std::uint8_t>(ToSupervisor::stop)) end();
    if ((*message)->descriptors.empty()) return;
    auto& reply = (*message)->descriptors.front();
    if (*code == static_cast<std::uint8_t>(ToSupervisor::http)) send_request(reader, reply);
    if (*code != static_cast<std::uint8_t>(ToSupervisor::blocked)) return;
    Buffer bytes;
    ByteWriter writer(bytes);
    put_blocked(writer, network_.blocked());
    (void)send_message(reply.get(), bytes);
  }

  // In a process of its own for each request: a slow answer holds up nobody.
  void send_request(ByteReader& reader, const Descriptor& reply) {
    if (::fork() != 0) return;
    auto request = get_request(reader);
    auto answer = request.ok() ? real_http()->send(*request)
                               : Result<HttpAnswer>(std::move(request).take_error());
    Buffer bytes;
    ByteWriter writer(bytes);
    put_answer(writer, answer);
    ::_exit(send_message(reply.get(), bytes).ok() ? 0 : 1);
  }

  Descriptor requests_;
  Descriptor deaths_;
  SandboxNetwork network_;
  pid_t init_ = -1;
};

// Runs before main when this program was started as a supervisor, in every program that can make a
// sandbox, tests included: no verb of main has to know of it.
[[gnu::constructor]] void become_supervisor_if_asked(int count, char** arguments) {
  if (count != 2 || arguments[1] != supervisor_argument) return;
  SupervisorProcess(Descriptor(STDIN_FILENO)).run();
}

}  // namespace

Result<Supervisor> start_supervisor(const std::shared_ptr<ForkThread>& forker) {
  auto pair = LB_TRY(make_socket_pair());
  ChildStreams streams;
  streams.in = std::move(pair.theirs);
  streams.out = LB_TRY(open_at_least_3("/dev/null", O_WRONLY));
  streams.err = LB_TRY(open_at_least_3("/dev/null", O_WRONLY));
  Command command;
  command.argv = {"/proc/self/exe", std::string(supervisor_argument)};
  auto process = LB_TRY(launch(forker, command, streams));
  return Supervisor{std::move(process), std::move(pair.ours)};
}

}  // namespace lb
