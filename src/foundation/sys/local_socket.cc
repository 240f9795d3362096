#include "foundation/sys/local_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "foundation/base/text.h"
#include "foundation/sys/files.h"

namespace lb {

namespace {

using Moment = std::chrono::steady_clock::time_point;
constexpr int backlog = 64;
constexpr Micros stop_looked_at_every = std::chrono::milliseconds(100);

// True when ready; false at the deadline.
Result<bool> wait_for(int number, short what, Moment until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        std::max(until - std::chrono::steady_clock::now(), Moment::duration(0)));
    pollfd entry{number, what, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<long>(left.count(), 1 << 30)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return system_error(errno, "wait for a local socket");
  }
}

Error gone() { return Error(ErrorKind::unavailable, "the other side of a local socket is gone"); }

// A socket's name holds 107 bytes, a path may be longer: the folder is named by its descriptor.
struct Address {
  Descriptor folder;
  sockaddr_un name{};
};

Result<Address> address_of(const std::string& path) {
  Address out;
  out.folder = Descriptor(::open(path_parent(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!out.folder.valid()) return system_error(errno, cat("open ", path_parent(path)));
  const auto text = cat("/proc/self/fd/", out.folder.get(), "/", path_name(path));
  if (text.size() >= sizeof out.name.sun_path)
    return Error(ErrorKind::invalid, cat("socket name too long: ", path_name(path)));
  out.name.sun_family = AF_UNIX;
  std::memcpy(out.name.sun_path, text.c_str(), text.size() + 1);
  return out;
}

const sockaddr* raw(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address.name);
}

Result<bool> may_talk(int number) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(number, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return system_error(errno, "ask who is at a local socket");
  return peer.uid == ::geteuid() || peer.uid == 0;
}

Result<Descriptor> make_socket() {
  Descriptor out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out.valid()) return system_error(errno, "make a local socket");
  return out;
}

Result<std::size_t> receive_some(int number, MutableBytes out, Moment until) {
  for (;;) {
    const auto got = ::recv(number, out.data(), out.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0 || errno == ECONNRESET) return gone();
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return system_error(errno, "receive from a local socket");
    const auto ready = LB_TRY(wait_for(number, POLLIN, until));
    if (!ready) return Error(ErrorKind::timeout, "no answer in time on a local socket");
  }
}

Status receive_all(int number, MutableBytes out, Moment until) {
  while (!out.empty()) {
    const auto got = LB_TRY(receive_some(number, out, until));
    out = out.subspan(got);
  }
  return {};
}

Status send_all(int number, ByteView bytes, Moment until) {
  while (!bytes.empty()) {
    const auto sent = ::send(number, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) return gone();
    if (errno != EAGAIN) return system_error(errno, "send to a local socket");
    const auto ready = LB_TRY(wait_for(number, POLLOUT, until));
    if (!ready) return Error(ErrorKind::timeout, "nobody takes a message on a local socket");
  }
  return {};
}

}  // namespace

Status LocalSocket::send(ByteView message, Micros limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  Buffer framed;
  ByteWriter out(framed);
  out.u32(static_cast<std::uint32_t>(message.size()));
  out.raw(message);
  return send_all(connection_.get(), framed, until);
}

Result<Buffer> LocalSocket::receive(std::uint64_t bytes_max, Micros limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  std::array<std::uint8_t, 4> head{};
  LB_TRY(receive_all(connection_.get(), head, until));
  const auto size = LB_TRY(ByteReader(head).u32());
  if (size > bytes_max) return Error(ErrorKind::corrupt, "a message on a local socket is too long");
  Buffer out(size);
  LB_TRY(receive_all(connection_.get(), out, until));
  return out;
}

Result<std::unique_ptr<LocalSocket>> connect_local(const std::string& path, Micros limit) {
  const auto address = LB_TRY(address_of(path));
  auto socket = LB_TRY(make_socket());
  const auto until = std::chrono::steady_clock::now() + limit;
  while (::connect(socket.get(), raw(address), sizeof address.name) != 0) {
    if (errno == EINTR) continue;
    if (errno == ECONNREFUSED) return Error(ErrorKind::not_found, cat("nobody listens at ", path));
    // Its queue is full: it is there, and busy.
    if (errno != EAGAIN) return system_error(errno, cat("connect to ", path));
    if (std::chrono::steady_clock::now() >= until)
      return Error(ErrorKind::timeout, cat("nobody answers at ", path));
    (void)::poll(nullptr, 0, 10);
  }
  const auto allowed = LB_TRY(may_talk(socket.get()));
  if (!allowed) return Error(ErrorKind::denied, cat("another user listens at ", path));
  return std::make_unique<LocalSocket>(std::move(socket));
}

LocalListener::~LocalListener() {
  // While the lock is held, so that it is never a successor's socket that goes.
  (void)::unlink(path_.c_str());
}

Result<std::unique_ptr<LocalSocket>> LocalListener::accept(Micros limit,
                                                           const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) break;
    const auto ready =
        LB_TRY(wait_for(socket_.get(), POLLIN, std::min(until, now + stop_looked_at_every)));
    if (!ready) continue;
    Descriptor taken(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    const bool fatal = !taken.valid() && (errno == EBADF || errno == EINVAL || errno == ENOTSOCK);
    if (fatal) return system_error(errno, "take a local connection");
    if (!taken.valid()) continue;  // another thread was faster, or who came is gone
    const auto allowed = LB_TRY(may_talk(taken.get()));
    if (allowed) return std::make_unique<LocalSocket>(std::move(taken));
  }
  return std::unique_ptr<LocalSocket>();
}

Result<std::unique_ptr<LocalListener>> listen_local(const std::string& path) {
  const auto lock_path = path + ".lock";
  Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.valid()) return system_error(errno, cat("open ", lock_path));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return Error(ErrorKind::conflict, cat("somebody listens at ", path, " already"));
    return system_error(errno, cat("lock ", lock_path));
  }
  const auto address = LB_TRY(address_of(path));
  auto socket = LB_TRY(make_socket());
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return system_error(errno, cat("remove the old socket ", path));
  // The folder keeps others out until the mode is set; who slipped through is asked who it is.
  if (::bind(socket.get(), raw(address), sizeof address.name) != 0)
    return system_error(errno, cat("listen at ", path));
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(socket.get(), backlog) != 0)
    return system_error(errno, cat("listen at ", path));
  return std::make_unique<LocalListener>(path, std::move(lock), std::move(socket));
}

}  // namespace lb
