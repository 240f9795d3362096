#include "foundation/sys/sandbox_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <linux/ipv6_route.h>
#include <linux/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "foundation/base/text.h"
#include "foundation/sys/sandbox_packet.h"

namespace lb {

namespace {

constexpr const char* device_name = "out0";
constexpr std::size_t destinations_max = 100;

ifreq request_for(const char* name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  return request;
}

bool bring_device_up(int socket, const char* name) {
  auto request = request_for(name);
  if (::ioctl(socket, SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  return ::ioctl(socket, SIOCSIFFLAGS, &request) == 0;
}

void put_address(sockaddr& to, const char* text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, text, &address.sin_addr);
  std::memcpy(&to, &address, sizeof address);
}

// A default route into the device: without one the kernel would say "unreachable" without a packet
// that could be counted. The addresses are of ranges reserved for documentation.
bool route_all(int socket) {
  auto request = request_for(device_name);
  put_address(request.ifr_addr, "192.0.2.2");
  if (::ioctl(socket, SIOCSIFADDR, &request) != 0) return false;
  put_address(request.ifr_netmask, "255.255.255.255");
  if (::ioctl(socket, SIOCSIFNETMASK, &request) != 0) return false;
  if (!bring_device_up(socket, device_name)) return false;
  std::string name = device_name;
  rtentry route{};
  put_address(route.rt_dst, "0.0.0.0");
  put_address(route.rt_genmask, "0.0.0.0");
  route.rt_flags = RTF_UP;
  route.rt_dev = name.data();
  return ::ioctl(socket, SIOCADDRT, &route) == 0;
}

bool route_all_six() {
  Descriptor socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  auto request = request_for(device_name);
  if (!socket.valid() || ::ioctl(socket.get(), SIOCGIFINDEX, &request) != 0) return false;
  in6_ifreq address{};
  ::inet_pton(AF_INET6, "2001:db8::2", &address.ifr6_addr);
  address.ifr6_prefixlen = 128;
  address.ifr6_ifindex = request.ifr_ifindex;
  if (::ioctl(socket.get(), SIOCSIFADDR, &address) != 0) return false;
  in6_rtmsg route{};
  route.rtmsg_flags = RTF_UP;
  route.rtmsg_metric = 1024;
  route.rtmsg_ifindex = request.ifr_ifindex;
  return ::ioctl(socket.get(), SIOCADDRT, &route) == 0;
}

Descriptor make_device(int socket) {
  Descriptor device(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!device.valid()) return {};
  auto request = request_for(device_name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(device.get(), TUNSETIFF, &request) != 0 || !route_all(socket)) return {};
  // A kernel without IPv6 has no IPv6 to count.
  (void)route_all_six();
  return device;
}

std::string read_all(int descriptor) {
  std::string out(65536, '\0');
  auto got = ::pread(descriptor, out.data(), out.size(), 0);
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

// /proc/net/snmp: a line of names and a line of numbers, both after "Ip:".
std::uint64_t no_route_count(const std::string& text) {
  auto lines = split(text, '\n');
  if (lines.size() < 2) return 0;
  auto names = split(lines[0], ' ');
  auto numbers = split(lines[1], ' ');
  for (std::size_t i = 0; i < names.size() && i < numbers.size(); ++i) {
    if (names[i] != "OutNoRoutes") continue;
    auto number = parse_uint(numbers[i]);
    return number.ok() ? *number : 0;
  }
  return 0;
}

// /proc/net/snmp6: one name and number in each line.
std::uint64_t no_route_count_six(const std::string& text) {
  for (const auto& line : split(text, '\n')) {
    if (!line.starts_with("Ip6OutNoRoutes")) continue;
    auto number = parse_uint(trim(std::string_view(line).substr(14)));
    return number.ok() ? *number : 0;
  }
  return 0;
}

}  // namespace

Result<SandboxNetwork> SandboxNetwork::bring_up() {
  Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() || !bring_device_up(socket.get(), "lo")) {
    return system_error(errno, "bring up the loopback device of the sandbox");
  }
  SandboxNetwork network;
  network.device_ = make_device(socket.get());
  network.counters_ = Descriptor(::open("/proc/self/net/snmp", O_RDONLY | O_CLOEXEC));
  network.counters_six_ = Descriptor(::open("/proc/self/net/snmp6", O_RDONLY | O_CLOEXEC));
  return network;
}

void SandboxNetwork::refuse_packets() {
  std::uint8_t packet[65536];
  for (;;) {
    auto got = ::read(device_.get(), packet, sizeof packet);
    if (got <= 0) return;
    ByteView view(packet, static_cast<std::size_t>(got));
    auto destination = outbound_destination(view);
    if (destination) {
      ++count_;
      if (destinations_.size() < destinations_max) destinations_.insert(*destination);
    }
    auto refusal = refusal_of(view);
    // A refusal that does not fit is lost like any packet: the sender runs into its own limit.
    if (!refusal.empty()) {
      [[maybe_unused]] auto put = ::write(device_.get(), refusal.data(), refusal.size());
    }
  }
}

std::uint64_t SandboxNetwork::kernel_count() {
  return no_route_count(read_all(counters_.get())) +
         no_route_count_six(read_all(counters_six_.get()));
}

BlockedAttempts SandboxNetwork::blocked() {
  if (device_.valid()) {
    refuse_packets();
    return {count_,
            {destinations_.begin(), destinations_.end()},
            "packets leaving the sandbox, read from a tunnel device that leads nowhere"};
  }
  if (counters_.valid()) {
    return {kernel_count(),
            {},
            "kernel count of attempts without a route; destinations unknown (no tunnel device)"};
  }
  return {0, {}, "not counted: neither a tunnel device nor kernel counters"};
}

}  // namespace lb
