#include "foundation/sys/sandbox_packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "foundation/base/text.h"

namespace lb {

namespace {

constexpr std::uint8_t tcp = 6, udp = 17, icmp = 1, igmp = 2, icmp6 = 58, hop_by_hop = 0;

// The parts of an IPv4 or IPv6 packet that matter here. Views point into the packet.
struct Parsed {
  bool six = false;
  std::uint8_t protocol = 0;
  ByteView source, destination, body;
};

std::optional<Parsed> parse(ByteView packet) {
  if (packet.size() >= 20 && packet[0] >> 4 == 4) {
    std::size_t header = std::size_t{packet[0] & 15U} * 4;
    if (header < 20 || header > packet.size()) return std::nullopt;
    return Parsed{false, packet[9], packet.subspan(12, 4), packet.subspan(16, 4),
                  packet.subspan(header)};
  }
  if (packet.size() >= 40 && packet[0] >> 4 == 6) {
    return Parsed{true, packet[6], packet.subspan(8, 16), packet.subspan(24, 16),
                  packet.subspan(40)};
  }
  return std::nullopt;
}

unsigned be16(ByteView bytes, std::size_t at) { return bytes[at] * 256U + bytes[at + 1]; }

void put16(Buffer& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void put32(Buffer& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

void append(Buffer& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

unsigned checksum(ByteView bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += bytes[i] * 256U + (i + 1 < bytes.size() ? bytes[i + 1] : 0U);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

void set_checksum(Buffer& bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

// The sum over the addresses that TCP and ICMPv6 include.
unsigned checksum_with_addresses(const Parsed& from, std::uint8_t protocol, const Buffer& body) {
  Buffer all;
  append(all, from.destination);
  append(all, from.source);
  put32(all, static_cast<std::uint32_t>(body.size()));
  put32(all, protocol);
  append(all, body);
  return checksum(all);
}

// From the destination back to the source.
Buffer wrap(const Parsed& from, std::uint8_t protocol, const Buffer& body) {
  Buffer out;
  if (from.six) {
    put32(out, 0x60000000);
    put16(out, static_cast<unsigned>(body.size()));
    out.push_back(protocol);
    out.push_back(64);
  } else {
    put16(out, 0x4500);
    put16(out, static_cast<unsigned>(body.size() + 20));
    put32(out, 0x00004000);
    out.push_back(64);
    out.push_back(protocol);
    put16(out, 0);
  }
  append(out, from.destination);
  append(out, from.source);
  if (!from.six) set_checksum(out, 10, checksum(out));
  append(out, body);
  return out;
}

Buffer tcp_reset(const Parsed& from) {
  constexpr unsigned header_words = 5, reset_and_ack = 0x14;
  std::uint32_t sequence = be16(from.body, 4) * 65536U + be16(from.body, 6);
  Buffer body;
  append(body, from.body.subspan(2, 2));
  append(body, from.body.subspan(0, 2));
  put32(body, 0);
  put32(body, sequence + 1);
  put16(body, header_words << 12 | reset_and_ack);
  put16(body, 0);  // window
  put32(body, 0);  // checksum, urgent
  set_checksum(body, 16, checksum_with_addresses(from, tcp, body));
  return wrap(from, tcp, body);
}

Buffer unreachable(const Parsed& from, ByteView packet) {
  bool port = from.protocol == udp;
  Buffer body;
  // Type and code: destination unreachable, of the port or of the host.
  put16(body, from.six ? (port ? 0x0104U : 0x0100U) : (port ? 0x0303U : 0x0301U));
  put16(body, 0);
  put32(body, 0);
  append(body, packet.first(std::min<std::size_t>(packet.size(), 512)));
  set_checksum(body, 2, from.six ? checksum_with_addresses(from, icmp6, body) : checksum(body));
  return wrap(from, from.six ? icmp6 : icmp, body);
}

bool opens_connection(const Parsed& packet) {
  constexpr unsigned syn = 2, ack = 16;
  return packet.body.size() >= 20 && (packet.body[13] & (syn | ack)) == syn;
}

bool is_chatter(const Parsed& packet) {
  if (!packet.six) return packet.protocol == igmp;
  bool multicast = packet.destination[0] == 0xff;
  return multicast && (packet.protocol == icmp6 || packet.protocol == hop_by_hop);
}

bool is_echo_request(const Parsed& packet) {
  return !packet.body.empty() && packet.body[0] == (packet.six ? 128 : 8);
}

}  // namespace

std::optional<std::string> outbound_destination(ByteView packet) {
  auto parsed = parse(packet);
  if (!parsed || is_chatter(*parsed)) return std::nullopt;
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(parsed->six ? AF_INET6 : AF_INET, parsed->destination.data(), text, sizeof text);
  std::string address = text;
  if (parsed->protocol == tcp || parsed->protocol == udp) {
    if (parsed->body.size() < 8) return std::nullopt;
    if (parsed->protocol == tcp && !opens_connection(*parsed)) return std::nullopt;
    auto host = parsed->six ? cat("[", address, "]") : address;
    return cat(host, ":", be16(parsed->body, 2), parsed->protocol == tcp ? " tcp" : " udp");
  }
  if (parsed->protocol == (parsed->six ? icmp6 : icmp)) {
    if (!is_echo_request(*parsed)) return std::nullopt;
    return cat(address, " icmp");
  }
  return cat(address, " protocol ", unsigned{parsed->protocol});
}

Buffer refusal_of(ByteView packet) {
  auto parsed = parse(packet);
  if (!parsed || is_chatter(*parsed)) return {};
  if (parsed->protocol == tcp) return opens_connection(*parsed) ? tcp_reset(*parsed) : Buffer();
  bool is_icmp = parsed->protocol == (parsed->six ? icmp6 : icmp);
  // Errors about errors would never end.
  if (is_icmp && !is_echo_request(*parsed)) return {};
  return unreachable(*parsed, packet);
}

}  // namespace lb
