#include "recovery/check/log_text.h"

#include <algorithm>

namespace lb::check {

namespace {

constexpr std::size_t words_max = 400;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// Letters of other alphabets belong to a word too.
bool in_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool one_of(char c, std::string_view set) { return c != 0 && set.find(c) != set.npos; }

// The token before `at`, over blanks and an opening bracket or quote.
std::string token_before(std::string_view line, std::size_t at) {
  while (at > 0 && one_of(line[at - 1], " \t\"'")) --at;
  auto end = at;
  while (at > 0 && in_word(line[at - 1])) --at;
  return std::string(line.substr(at, end - at));
}

// Parts of a time ("13/Jan/2026", "T02:00:00Z", "UTC") are no word of the message.
bool of_a_time(std::string_view text, char previous, char next) {
  if (is_digit(previous) || is_digit(next)) return true;
  for (std::string_view name :
       {"UTC", "GMT", "CET", "CEST", "AM",  "PM",  "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
        "Jan", "Feb", "Mar", "Apr",  "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}) {
    if (text == name) return true;
  }
  return false;
}

}  // namespace

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool Word::stands_alone() const {
  return !in_word(previous) && !one_of(previous, "/.-$&?=#@%") && !in_word(next) &&
         !one_of(next, "/-=");
}

bool Word::bracketed() const { return one_of(previous, "[<(:|") && one_of(next, "]>)|"); }

std::vector<Word> words_of_line(std::string_view line) {
  std::vector<Word> out;
  bool begun = false;  // a word of the message was met
  int brackets = 0;
  for (std::size_t at = 0; at < line.size() && out.size() < words_max;) {
    if (!is_letter(line[at])) {
      if (line[at] == '[') ++brackets;
      if (line[at] == ']' && brackets > 0) --brackets;
      ++at;
      continue;
    }
    auto end = at;
    while (end < line.size() && is_letter(line[end])) ++end;
    Word word;
    word.at = at;
    word.text = line.substr(at, end - at);
    word.previous = at > 0 ? line[at - 1] : '\0';
    word.next = end < line.size() ? line[end] : '\0';
    word.before = token_before(line, at);
    word.capitals = word.text.size() > 1 && std::all_of(word.text.begin(), word.text.end(),
                                                        [](char c) { return c <= 'Z'; });
    bool aside = brackets > 0 || of_a_time(word.text, word.previous, word.next);
    word.first = !begun && !aside;
    begun = begun || !aside;
    out.push_back(std::move(word));
    at = end;
  }
  return out;
}

std::string_view value_after(std::string_view line, std::size_t at) {
  auto skip = [&](std::string_view set) {
    while (at < line.size() && one_of(line[at], set)) ++at;
  };
  skip("\"'");
  skip(" \t");
  if (at == line.size() || (line[at] != '=' && line[at] != ':')) return {};
  ++at;
  skip(" \t");
  skip("\"'");
  auto end = at;
  while (end < line.size() && is_letter(line[end])) ++end;
  if (end < line.size() && in_word(line[end])) return {};
  return line.substr(at, end - at);
}

std::string without_colours(std::string_view line) {
  constexpr char escape = '\x1b';
  std::string out;
  out.reserve(line.size());
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] != escape || at + 1 == line.size() || line[at + 1] != '[') {
      out += line[at];
      continue;
    }
    at += 2;
    while (at < line.size() && (line[at] < '@' || line[at] > '~')) ++at;
  }
  return out;
}

}  // namespace lb::check
