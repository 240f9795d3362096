#include "stores/postgres/recovery_log.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

constexpr std::uint64_t tail_bytes = 4096;
constexpr std::size_t tail_lines = 8;

void hide(std::string& text, std::size_t from, std::size_t to) {
  text.replace(from, to - from, "***");
}

void hide_passwords(std::string& text) {
  constexpr std::string_view key = "password";
  for (std::size_t at = 0; (at = lower(text).find(key, at)) != std::string::npos;) {
    at += key.size();
    auto value = text.find_first_not_of(" ='\"", at);
    if (value == std::string::npos || value == at) continue;
    if (text.substr(at, value - at).find('=') == std::string::npos) continue;
    auto end = std::min(text.find_first_of(" '\"\n\t", value), text.size());
    hide(text, value, end);
    at = value;
  }
}

void hide_uri_passwords(std::string& text) {
  for (std::size_t at = 0; (at = text.find("://", at)) != std::string::npos;) {
    at += 3;
    auto end = std::min(text.find_first_of(" '\"\n/", at), text.size());
    auto host = text.rfind('@', end);
    auto colon = text.find(':', at);
    if (host == std::string::npos || host < at || colon == std::string::npos || colon > host)
      continue;
    hide(text, colon + 1, host);
  }
}

}  // namespace

std::string without_secrets(std::string_view text) {
  std::string out(text);
  hide_passwords(out);
  hide_uri_passwords(out);
  return out;
}

std::string log_tail(Files& files, const std::string& path) {
  auto file = files.open_read(path);
  if (!file.ok()) return {};
  auto info = (*file)->info();
  if (!info.ok()) return {};
  auto from = info->size > tail_bytes ? info->size - tail_bytes : 0;
  Buffer bytes(info->size - from);
  auto got = (*file)->read_at(bytes, from);
  if (!got.ok()) return {};
  auto lines = split(trim(text_of(ByteView(bytes).first(*got))), '\n');
  if (lines.size() > tail_lines) lines.erase(lines.begin(), lines.end() - tail_lines);
  for (auto& line : lines) line = printable(without_secrets(line));
  return join(lines, " | ");
}

}  // namespace lb::pg
