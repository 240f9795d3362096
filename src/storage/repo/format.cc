#include "storage/repo/format.h"

#include <cstdio>

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"

namespace lb::repo {

namespace {

std::string hex_number(std::uint64_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

std::string slot_key(std::string_view name) { return cat("k/", name); }
std::string intent_key(std::string_view session) { return cat("i/", session); }
std::string verdict_key(std::string_view session) { return cat("e/", session); }
std::string pack_key(std::string_view session, std::uint32_t number) {
  return cat("p/", session, "/", hex_number(number, 8));
}
std::string index_key(std::string_view session, std::uint32_t number) {
  return cat("x/", session, ".", hex_number(number, 8));
}
std::string merged_index_key(std::string_view id) { return cat("x/m", id, ".", hex_number(0, 8)); }
bool is_merged_index(std::string_view key) {
  // Ids of sessions may begin with an m, too, some day; then the key is shorter.
  return key.starts_with("x/m") && key.size() == merged_index_key(std::string(26, '0')).size();
}
std::string log_prefix(std::string_view log_id) { return cat("w/", escape_part(log_id), "/"); }
std::string log_timeline_prefix(std::string_view log_id, std::uint32_t timeline) {
  return cat(log_prefix(log_id), hex_number(timeline, 8), "/");
}
std::string log_key(std::string_view log_id, std::uint32_t timeline, std::uint64_t segment) {
  return cat(log_timeline_prefix(log_id, timeline), hex_number(segment, 16));
}
std::string log_tail_key(std::string_view log_id, std::uint32_t timeline, std::uint64_t segment,
                         std::uint64_t offset) {
  return cat(log_key(log_id, timeline, segment), ".t", hex_number(offset, 8));
}
std::string history_key(std::string_view log_id, std::uint32_t timeline) {
  return cat(log_prefix(log_id), hex_number(timeline, 8), ".history");
}
std::string record_prefix(std::string_view kind) { return cat("r/", escape_part(kind), "/"); }
std::string record_key(std::string_view kind, std::string_view id) {
  return cat(record_prefix(kind), escape_part(id));
}

std::string escape_part(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (plain) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out += '=';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

Result<std::string> unescape_part(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] != '=') {
      out += part[i];
      continue;
    }
    if (i + 2 >= part.size())
      return Error(ErrorKind::corrupt, cat("bad object name part '", printable(part), "'"));
    auto byte = from_hex(part.substr(i + 1, 2));
    if (!byte.ok())
      return Error(ErrorKind::corrupt, cat("bad object name part '", printable(part), "'"));
    out += static_cast<char>((*byte)[0]);
    i += 2;
  }
  return out;
}

namespace {
constexpr std::string_view id_digits = "0123456789abcdefghijklmnopqrstuv";
}  // namespace

bool is_id(std::string_view text) {
  return text.size() == 26 && text.find_first_not_of(id_digits) == std::string_view::npos;
}

std::string id_text(const IdBytes& bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (auto byte : bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) out += id_digits[(bits >> (count - 5)) & 31];
  }
  if (count > 0) out += id_digits[(bits << (5 - count)) & 31];
  return out;
}

IdBytes parse_id(std::string_view id) {
  IdBytes out{};
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t at = 0;
  for (char digit : id) {
    bits = (bits << 5) | static_cast<std::uint32_t>(id_digits.find(digit));
    count += 5;
    if (count < 8 || at == out.size()) continue;
    count -= 8;
    out[at++] = static_cast<std::uint8_t>(bits >> count);
  }
  return out;
}

}  // namespace lb::repo
