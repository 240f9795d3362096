#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "foundation/base/text.h"
#include "foundation/sys/real_file.h"
#include "foundation/sys/sandbox_wire.h"

namespace lb {

namespace {

constexpr std::size_t descriptors_max = 8;
constexpr std::size_t control_bytes =
    CMSG_SPACE(sizeof(int) * (descriptors_max + 1)) + CMSG_SPACE(sizeof(ucred));

void take_control(msghdr& header, Message& message) {
  for (auto* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_CREDENTIALS) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
      message.sender = sender.pid;
    }
    if (part->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; at + CMSG_LEN(sizeof(int)) <= part->cmsg_len; at += sizeof(int)) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + at, sizeof number);
      message.descriptors.emplace_back(number);
    }
  }
}

Result<Buffer> read_payload(Descriptor memory, std::uint64_t bytes_max) {
  RealFile file(std::move(memory), "message");
  auto facts = LB_TRY(file.info());
  if (facts.size > bytes_max) return Error(ErrorKind::corrupt, "a message is too large");
  Buffer out(facts.size);
  auto got = LB_TRY(file.read_at(out, 0));
  out.resize(got);
  return out;
}

}  // namespace

Result<SocketPair> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return system_error(errno, "make a socket pair");
  }
  SocketPair pair{Descriptor(ends[0]), Descriptor(ends[1])};
  int on = 1;
  ::setsockopt(pair.ours.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  return pair;
}

Status send_message(int socket, ByteView bytes, const std::vector<int>& descriptors) {
  LB_ASSERT(descriptors.size() <= descriptors_max);
  Descriptor memory(::memfd_create("message", MFD_CLOEXEC));
  if (!memory.valid()) return system_error(errno, "make a message");
  std::vector<int> numbers = {memory.get()};
  numbers.insert(numbers.end(), descriptors.begin(), descriptors.end());
  RealFile file(std::move(memory), "message");
  LB_TRY(file.write_at(bytes, 0));

  char mark = 'm';
  iovec piece{&mark, 1};
  alignas(cmsghdr) char control[control_bytes] = {};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = CMSG_SPACE(sizeof(int) * numbers.size());
  auto* part = CMSG_FIRSTHDR(&header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int) * numbers.size());
  std::memcpy(CMSG_DATA(part), numbers.data(), sizeof(int) * numbers.size());
  for (;;) {
    if (::sendmsg(socket, &header, MSG_NOSIGNAL) >= 0) return {};
    if (errno != EINTR) return system_error(errno, "send a message to the sandbox");
  }
}

Result<std::optional<Message>> receive_message(int socket, std::uint64_t bytes_max) {
  char mark = 0;
  iovec piece{&mark, 1};
  alignas(cmsghdr) char control[control_bytes] = {};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got == 0 || (got < 0 && errno == ECONNRESET)) return std::optional<Message>();
  if (got < 0) return system_error(errno, "receive a message");
  Message message;
  take_control(header, message);
  if (message.descriptors.empty()) return Error(ErrorKind::corrupt, "a message without content");
  message.bytes = LB_TRY(read_payload(std::move(message.descriptors.front()), bytes_max));
  message.descriptors.erase(message.descriptors.begin());
  return std::optional<Message>(std::move(message));
}

}  // namespace lb
