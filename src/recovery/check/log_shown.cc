// shown_line: a line of a log without what looks like a secret. Whoever writes a log does not know
// that it becomes evidence, which is signed and sent around.
#include "foundation/base/text.h"
#include "recovery/check/log_line.h"
#include "recovery/check/log_text.h"
#include "recovery/check/redactor.h"

namespace lb::check {

namespace {

constexpr std::string_view ends_of_value = " \t\"',;&)}]<>";

bool in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::size_t end_of_value(std::string_view text, std::size_t at) {
  auto end = text.find_first_of(ends_of_value, at);
  return end == std::string_view::npos ? text.size() : end;
}

// postgresql://user:password@host
std::string without_credentials(std::string text) {
  for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    auto from = at + 3;
    auto end = std::min(text.find_first_of(" \t\"'/?#<>", from), text.size());
    auto sign = text.rfind('@', end);
    if (sign == std::string::npos || sign < from || sign >= end) continue;
    text.replace(from, sign - from, redacted_mark);
  }
  return text;
}

// "Authorization: Bearer abc": the word after it, in any case.
std::string without_scheme_values(std::string text) {
  for (std::string_view scheme : {"bearer ", "basic "}) {
    auto small = lower(text);
    for (auto at = small.find(scheme); at != std::string::npos;) {
      auto from = at + scheme.size();
      auto end = end_of_value(text, from);
      constexpr std::size_t shortest = 8;  // "basic setup" is no credential
      if (end - from >= shortest) {
        text.replace(from, end - from, redacted_mark);
        small = lower(text);
      }
      at = small.find(scheme, from);
    }
  }
  return text;
}

// password=abc, "token": "abc", api_key: abc.
std::string without_named_values(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    auto end = at;
    while (end < text.size() && in_name(text[end])) ++end;
    if (end == at) {
      out += text[at++];
      continue;
    }
    auto name = text.substr(at, end - at);
    out += name;
    at = end;
    auto mark = end;
    if (mark < text.size() && (text[mark] == '"' || text[mark] == '\'')) ++mark;
    while (mark < text.size() && is_blank(text[mark])) ++mark;
    bool assigned = mark < text.size() && (text[mark] == '=' || text[mark] == ':');
    if (!assigned || !looks_secret(name)) continue;
    ++mark;
    while (mark < text.size() && is_blank(text[mark])) ++mark;
    char quote = mark < text.size() && (text[mark] == '"' || text[mark] == '\'') ? text[mark] : 0;
    if (quote != 0) ++mark;
    auto stop =
        quote != 0 ? std::min(text.find(quote, mark), text.size()) : end_of_value(text, mark);
    out.append(text, end, mark - end);
    if (stop > mark) out += redacted_mark;
    at = stop;
  }
  return out;
}

// Signed tokens (JWT): three parts, the first of which begins like an encoded "{".
std::string without_tokens(std::string text) {
  for (auto at = text.find("eyJ"); at != std::string::npos; at = text.find("eyJ", at + 1)) {
    auto end = at;
    while (end < text.size() && (in_name(text[end]) || text[end] == '.')) ++end;
    auto dot = text.find('.', at);
    if (dot == std::string::npos || dot >= end) continue;
    text.replace(at, end - at, redacted_mark);
  }
  return text;
}

}  // namespace

std::string shown_line(std::string_view line) {
  auto text = printable(trim(without_colours(line)));
  text = without_scheme_values(without_credentials(std::move(text)));
  return without_tokens(without_named_values(text));
}

}  // namespace lb::check
