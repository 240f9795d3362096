#include "foundation/sys/real_sandbox.h"

#include <poll.h>

#include <chrono>

#include "foundation/base/text.h"

namespace lb {

SandboxLink::SandboxLink(Files& files, Supervisor supervisor, Descriptor init, SandboxCgroup cgroup)
    : files_(files),
      supervisor_(std::move(supervisor.process)),
      requests_(std::move(supervisor.requests)),
      init_(std::move(init)),
      cgroup_(std::move(cgroup)) {}

namespace {
bool readable_within(int descriptor, std::chrono::milliseconds limit) {
  auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd watched{descriptor, POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>(left.count())) > 0) return true;
  }
}
}  // namespace

SandboxLink::~SandboxLink() { (void)stop(); }

Result<Buffer> SandboxLink::ask(ByteView question, std::uint64_t answer_bytes_max, int also) {
  auto gone = [] {
    return Error(ErrorKind::unavailable, "the sandbox has been stopped or its supervisor died");
  };
  if (stopped_) return gone();
  auto pair = LB_TRY(make_socket_pair());
  std::vector<int> descriptors = {pair.theirs.get()};
  if (also >= 0) descriptors.push_back(also);
  auto sent = send_message(requests_.get(), question, descriptors);
  if (!sent.ok()) return gone();
  pair.theirs.reset();
  auto answer = LB_TRY(receive_message(pair.ours.get(), answer_bytes_max));
  if (!answer) return gone();
  return std::move(answer->bytes);
}

Status SandboxLink::tell_init(ByteView bytes, const std::vector<int>& descriptors) {
  auto sent = send_message(init_.get(), bytes, descriptors);
  if (!stopped_ && sent.ok()) return {};
  return Error(ErrorKind::unavailable, "the sandbox has been stopped");
}

Status SandboxLink::await_init() {
  auto message = LB_TRY(receive_message(init_.get(), 1 << 20));
  if (!message) {
    return Error(ErrorKind::unavailable,
                 "the first process of the sandbox ended before it was ready");
  }
  ByteReader reader(message->bytes);
  return get_status(reader);
}

Status SandboxLink::stop() {
  std::lock_guard lock(stop_mutex_);
  stopped_ = true;
  if (supervisor_) {
    std::uint8_t question = static_cast<std::uint8_t>(ToSupervisor::stop);
    // It ends when everything inside is dead. One that is dead already has taken all with it.
    (void)send_message(requests_.get(), ByteView(&question, 1));
    bool ended = readable_within(supervisor_->ended(), std::chrono::seconds(30));
    supervisor_.reset();  // kills it if it has not ended
    if (!ended) {
      return Error(ErrorKind::timeout, "processes in the sandbox did not die when killed")
          .with_hint("they hang in the kernel, often on storage that does not answer");
    }
  }
  return cgroup_.remove(files_);
}

namespace {

class SandboxHttp final : public Http {
 public:
  explicit SandboxHttp(std::shared_ptr<SandboxLink> link) : link_(std::move(link)) {}

  Result<HttpAnswer> send(const HttpRequest& request) override {
    constexpr std::uint64_t headers_bytes_max = 4 << 20;
    Buffer question;
    ByteWriter writer(question);
    writer.u8(static_cast<std::uint8_t>(ToSupervisor::http));
    put_request(writer, request);
    auto bytes = LB_TRY(link_->ask(question, request.body_max + headers_bytes_max));
    ByteReader reader(bytes);
    return get_answer(reader);
  }

 private:
  std::shared_ptr<SandboxLink> link_;  // shared: an Http may outlive its sandbox, and then says so
};

}  // namespace

RealSandbox::RealSandbox(std::shared_ptr<SandboxLink> link, std::vector<std::string> isolation)
    : link_(std::move(link)), isolation_(std::move(isolation)) {}

RealSandbox::~RealSandbox() { (void)link_->stop(); }

Result<std::unique_ptr<Child>> RealSandbox::start(const Command& command) {
  return start_inside_logged(link_, command);
}

Result<Finished> RealSandbox::run(const Command& command, Micros limit, std::stop_token stop) {
  return run_inside(link_, command, limit, stop);
}

std::unique_ptr<Http> RealSandbox::http() { return std::make_unique<SandboxHttp>(link_); }

Result<BlockedAttempts> RealSandbox::blocked() {
  std::uint8_t question = static_cast<std::uint8_t>(ToSupervisor::blocked);
  auto bytes = LB_TRY(link_->ask(ByteView(&question, 1), 1 << 20));
  ByteReader reader(bytes);
  return get_blocked(reader);
}

Status RealSandbox::stop() { return link_->stop(); }

}  // namespace lb
