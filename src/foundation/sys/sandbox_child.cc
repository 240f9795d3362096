// Children inside a sandbox, seen from outside: started by the first process inside, which tells
// over a socket of each child's own how it ended.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "foundation/base/text.h"
#include "foundation/sys/launch.h"
#include "foundation/sys/real_sandbox.h"
#include "foundation/sys/run_to_end.h"
#include "foundation/sys/sandbox_init.h"

namespace lb {

class SandboxChild final : public Child {
 public:
  SandboxChild(std::shared_ptr<SandboxLink> link, std::uint64_t id, Descriptor status)
      : link_(std::move(link)), id_(id), status_(std::move(status)) {}

  ~SandboxChild() override {
    (void)signal(SIGKILL);
    (void)wait_for_end(*this, status_.get(), {});
  }

  int pid() const override { return pid_; }
  int ended() const { return status_.get(); }

  // The child's first words carry its number as it is called outside.
  void learn_pid() {
    char hello = 0;
    iovec piece{&hello, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))] = {};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    while (::recvmsg(status_.get(), &header, 0) < 0 && errno == EINTR) {
    }
    auto* part = CMSG_FIRSTHDR(&header);
    if (part == nullptr || part->cmsg_type != SCM_CREDENTIALS) return;
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
    pid_ = sender.pid;
  }

  Result<std::optional<Finished>> poll() override {
    std::lock_guard lock(mutex_);
    if (finished_) return finished_;
    EndNote note;
    auto got = ::recv(status_.get(), &note, sizeof note, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::optional<Finished>();
    // No word but the end of the socket: the sandbox was stopped, and all in it killed.
    if (got != sizeof note) note = EndNote{-1, SIGKILL};
    Finished result;
    result.exit_code = note.exit_code;
    result.signal = note.signal;
    finished_ = result;
    return finished_;
  }

  Result<Finished> wait(std::stop_token stop) override {
    return wait_for_end(*this, status_.get(), stop);
  }

  Status signal(int number) override {
    std::lock_guard lock(mutex_);
    if (finished_) return Error(ErrorKind::not_found, cat("process ", pid_, " has ended"));
    Buffer bytes;
    ByteWriter writer(bytes);
    writer.u8(static_cast<std::uint8_t>(ToInit::signal));
    writer.u64(id_);
    writer.u32(static_cast<std::uint32_t>(number));
    return link_->tell_init(bytes);
  }

 private:
  std::shared_ptr<SandboxLink> link_;  // shared with the sandbox and its other children
  std::uint64_t id_;
  Descriptor status_;
  int pid_ = 0;
  std::mutex mutex_;
  std::optional<Finished> finished_;
};

Result<std::unique_ptr<SandboxChild>> start_inside(const std::shared_ptr<SandboxLink>& link,
                                                   const Command& command, ChildStreams& streams) {
  auto status = LB_TRY(make_socket_pair());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "make a pipe");
  Descriptor news(ends[0]);
  Descriptor report(ends[1]);
  auto id = link->next_id();
  Buffer bytes;
  ByteWriter writer(bytes);
  writer.u8(static_cast<std::uint8_t>(ToInit::start));
  writer.u64(id);
  put_command(writer, command);
  LB_TRY(link->tell_init(bytes, {streams.in.get(), streams.out.get(), streams.err.get(),
                                 report.get(), status.theirs.get()}));
  streams.in.reset();
  streams.out.reset();
  streams.err.reset();
  report.reset();
  status.theirs.reset();
  auto child = std::make_unique<SandboxChild>(link, id, std::move(status.ours));
  auto failure = read_report(news.get());
  child->learn_pid();
  if (failure) return exec_error(*failure, command);
  return child;
}

Result<Finished> run_inside(const std::shared_ptr<SandboxLink>& link, const Command& command,
                            Micros limit, const std::stop_token& stop) {
  LB_TRY(check_command(command));
  auto streams = LB_TRY(captured_streams(command));
  auto child = LB_TRY(start_inside(link, command, streams));
  return run_to_end(*child, child->ended(), std::move(streams), command, limit, stop);
}

Result<std::unique_ptr<Child>> start_inside_logged(const std::shared_ptr<SandboxLink>& link,
                                                   const Command& command) {
  LB_TRY(check_command(command));
  auto streams = LB_TRY(logged_streams(command));
  auto child = LB_TRY(start_inside(link, command, streams));
  return std::unique_ptr<Child>(std::move(child));
}

}  // namespace lb
