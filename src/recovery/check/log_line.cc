#include "recovery/check/log_line.h"

#include <algorithm>
#include <array>
#include <optional>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "recovery/check/log_text.h"

namespace lb::check {

namespace {

using Told = std::optional<LineLevel>;

bool any_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What a level is called, in small letters. Nothing: it is no name of a level.
Told level_called(std::string_view word) {
  if (any_of(word, {"error", "err", "fatal", "critical", "crit", "panic", "severe", "emerg",
                    "emergency", "alert"}))
    return LineLevel::error;
  if (any_of(word, {"warn", "warning"})) return LineLevel::warning;
  if (any_of(word, {"trace", "debug", "verbose", "info", "notice"})) return LineLevel::none;
  return {};
}

// The numbers of pino and bunyan.
Told level_numbered(std::int64_t number) {
  if (number < 10) return {};
  if (number >= 50) return LineLevel::error;
  return number >= 40 ? LineLevel::warning : LineLevel::none;
}

constexpr std::array<std::string_view, 7> level_keys = {
    "level", "severity", "lvl", "levelname", "loglevel", "log_level", "log.level"};

Told level_in_json(std::string_view line) {
  if (!line.starts_with('{')) return {};
  auto document = parse_json(line);
  if (!document.ok()) return {};
  auto told = [](const Json& value) -> Told {
    if (value.is_int()) return level_numbered(value.integer());
    return level_called(lower(value.string()));
  };
  for (auto key : level_keys) {
    if (auto found = told((*document)[key])) return found;
  }
  return told((*document)["log"]["level"]);
}

struct Declared {
  std::size_t at = std::string::npos;
  LineLevel level = LineLevel::none;
};

// The first level=error, lvl="warn" or "severity": "ERROR" of a line that is not JSON as a whole.
Declared level_of_key(std::string_view line) {
  Declared out;
  auto small = lower(line);
  for (auto key : level_keys) {
    for (auto at = small.find(key); at < out.at; at = small.find(key, at + 1)) {
      bool starts =
          at == 0 || std::string_view(" \t{[(,\"'").find(small[at - 1]) != std::string_view::npos;
      auto level = starts ? level_called(value_after(small, at + key.size())) : std::nullopt;
      if (level) out = {at, *level};
    }
  }
  return out;
}

// "E0113 02:00:00.123456", as Google's libraries begin a line.
Told level_of_letter(std::string_view line) {
  constexpr std::size_t head = 8;
  if (line.size() < head || line[5] != ' ' || !is_digit(line[6]) || !is_digit(line[7])) return {};
  if (!std::all_of(line.begin() + 1, line.begin() + 5, is_digit)) return {};
  if (line[0] == 'E' || line[0] == 'F') return LineLevel::error;
  if (line[0] == 'W') return LineLevel::warning;
  if (line[0] == 'I') return LineLevel::none;
  return {};
}

// Says that there is none: "no error", or "0 ERROR, 0 WARNING" of a summary.
bool denied(const Word& word) {
  if (any_of(lower(word.before), {"no", "without", "zero"})) return true;
  bool summed = word.next == 0 || word.next == ',' || word.next == ';' || word.next == '(';
  return word.before == "0" && (summed || !word.capitals);
}

// A level word of a line without keys, or nothing.
Told level_of_word(const Word& word, std::string_view line) {
  auto small = lower(word.text);
  // PostgreSQL's own: what follows an error is no second one, and a statement may quote anything.
  bool postgres = word.capitals && line.substr(word.at + word.text.size()).starts_with(":  ") &&
                  any_of(small, {"log", "detail", "hint", "statement", "context", "query"});
  if (postgres) return LineLevel::none;
  auto called = level_called(small);
  if (!called || denied(word)) return {};
  bool named =
      word.next == ':' && (word.previous == 0 || is_blank(word.previous) ||
                           std::string_view("[].|").find(word.previous) != std::string_view::npos);
  if (word.capitals && (word.stands_alone() || named)) return called;
  if (word.bracketed()) return called;
  bool neutral = *called == LineLevel::none;
  if (named && (!neutral || word.first)) return called;
  bool spoken = any_of(
      small, {"error", "fatal", "critical", "panic", "warning", "warn", "info", "debug", "trace"});
  bool alone = word.next == 0 || is_blank(word.next);
  if (word.first && spoken && alone) return called;
  return {};
}

// "ValueError:", "java.sql.SQLException: …", "DeprecationWarning:".
Told level_of_type(const Word& word) {
  if (word.next != ':' && word.next != 0) return {};
  if (word.next == 0 && !word.first) return {};
  if (!word.stands_alone() && word.previous != '.') return {};
  if (word.text.ends_with("Error") || word.text.ends_with("Exception")) return LineLevel::error;
  if (word.text.ends_with("Warning")) return LineLevel::warning;
  return {};
}

bool tells_crash(std::string_view line) {
  for (std::string_view sign : {"Exception in thread", "Unhandled ", "Uncaught ",
                                "Segmentation fault", "unhandled exception"}) {
    if (line.starts_with(sign)) return true;
  }
  for (std::string_view sign :
       {"Traceback (most recent call last)", "panicked at", "(core dumped)"}) {
    if (line.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

LineLevel level_of(std::string_view raw) {
  auto plain = without_colours(raw);
  auto line = trim(plain);
  if (auto told = level_in_json(line)) return *told;
  auto declared = level_of_key(line);
  if (auto told = level_of_letter(line)) return *told;
  auto words = words_of_line(line);
  for (const auto& word : words) {
    if (word.at >= declared.at) break;
    if (auto told = level_of_word(word, line)) return *told;
  }
  if (declared.at != std::string::npos) return declared.level;
  for (const auto& word : words) {
    if (auto told = level_of_type(word)) return *told;
  }
  return tells_crash(line) ? LineLevel::error : LineLevel::none;
}

}  // namespace lb::check
