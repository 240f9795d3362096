#include "model/adopt/words.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/secrets.h"
#include "model/plan/value_types.h"

namespace lb::adopt {

namespace {

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool digit(char c) { return c >= '0' && c <= '9'; }

// [text](address) at the start: the length of both, and where the address stands.
struct Link {
  std::size_t text = 0, address = 0, size = 0;  // size 0: no link
};
Link link_at(std::string_view text) {
  constexpr std::size_t link_max = 2000;
  auto close = text.substr(0, link_max).find("](");
  if (text.empty() || text[0] != '[' || close == std::string_view::npos) return {};
  auto end = text.substr(0, link_max).find(')', close);
  if (end == std::string_view::npos) return {};
  return {close, close + 2, end + 1};
}

struct Unit {
  std::string_view words[6];
  const char* plan;
  std::int64_t seconds;
};
constexpr Unit units[] = {
    {{"s", "sec", "secs", "second", "seconds", ""}, "s", 1},
    {{"m", "min", "mins", "minute", "minutes", ""}, "m", 60},
    {{"h", "hr", "hrs", "hour", "hours", ""}, "h", 3600},
    {{"d", "day", "days", "", "", ""}, "d", 86'400},
    {{"w", "wk", "week", "weeks", "", ""}, "w", 604'800},
    {{"mo", "month", "months", "", "", ""}, "mo", 2'592'000},
    {{"y", "yr", "year", "years", "", ""}, "y", 31'536'000},
};

const Unit* unit_of(const std::string& word) {
  for (const auto& unit : units) {
    bool found =
        std::find(std::begin(unit.words), std::end(unit.words), word) != std::end(unit.words);
    if (!word.empty() && found) return &unit;
  }
  return nullptr;
}

Span span_of(std::int64_t count, const Unit& unit) {
  return {cat(count, unit.plan), Micros(count * unit.seconds * 1'000'000)};
}

}  // namespace

std::string plain(std::string_view text) {
  std::string out;
  bool code = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '`') {
      code = !code;
      continue;
    }
    if (!code && text.substr(i).starts_with("**")) {
      ++i;
      continue;
    }
    if (auto link = code ? Link() : link_at(text.substr(i)); link.size > 0) {
      out += plain(text.substr(i + 1, link.text - 1));
      auto address = text.substr(i + link.address, link.size - link.address - 1);
      if (!address.starts_with('#')) out += cat(" (", address, ")");
      i += link.size - 1;
      continue;
    }
    out += text[i] == '\n' || text[i] == '\t' ? ' ' : text[i];
  }
  return std::string(trim(out));
}

std::string link_of(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto link = text[i] == '[' ? link_at(text.substr(i)) : Link();
    if (link.size > 0) {
      return std::string(trim(text.substr(i + link.address, link.size - link.address - 1)));
    }
  }
  auto start = text.find('`');
  auto end = start == std::string_view::npos ? start : text.find('`', start + 1);
  if (end == std::string_view::npos) return "";
  auto code = text.substr(start + 1, end - start - 1);
  return code.find('/') == std::string_view::npos ? "" : std::string(trim(code));
}

Labelled labelled(std::string_view text) {
  constexpr std::size_t label_max = 80;
  text = trim(text);
  bool strong = text.starts_with("**");
  if (strong) {
    auto end = text.find("**", 2);
    if (end == std::string_view::npos || end > label_max) return {};
    auto label = trim(text.substr(2, end - 2));
    auto rest = trim(text.substr(end + 2));
    bool inside = label.ends_with(':');
    if (inside) label.remove_suffix(1);
    // "**RPO** (Recovery Point Objective): 1 hour"
    if (!inside && rest.starts_with('(') && rest.find("):") != std::string_view::npos)
      rest.remove_prefix(rest.find("):") + 1);
    if (!inside && !rest.starts_with(':') && !rest.empty()) return {};
    if (rest.starts_with(':')) rest.remove_prefix(1);
    return {plain(label), plain(rest), true};
  }
  auto colon = text.find(':');
  bool parts = colon != std::string_view::npos && colon > 0 && colon <= label_max &&
               (colon + 1 == text.size() || text[colon + 1] == ' ');
  if (!parts || words_of(text.substr(0, colon)).size() > 6) return {};
  return {plain(text.substr(0, colon)), plain(text.substr(colon + 1)), false};
}

std::string without_number(std::string_view title) {
  auto text = trim(title);
  auto after = [&](std::string_view word) {
    auto low = lower(text.substr(0, word.size()));
    std::size_t at = word.size();
    if (low != word || at >= text.size() || text[at] != ' ') return;
    while (at < text.size() && (text[at] == ' ' || digit(text[at]))) ++at;
    bool closed = at < text.size() && (text[at] == ':' || text[at] == '.' || text[at] == '-');
    if (closed && digit(text[at - 1])) text = trim(text.substr(at + 1));
  };
  for (std::string_view word : {"scenario", "step", "phase", "option", "runbook"}) after(word);
  std::size_t at = 0;
  while (at < text.size() && (digit(text[at]) || text[at] == '.')) ++at;
  bool counted =
      at > 0 && digit(text[0]) && at < text.size() && text[at] == ' ' && text[at - 1] == '.';
  return std::string(counted ? trim(text.substr(at)) : text);
}

std::string slug(std::string_view text) {
  constexpr std::size_t name_max = 60;
  if (holds_secret(text)) return "unnamed";
  std::string out;
  for (char c : lower(text)) {
    if (out.size() >= name_max) break;
    if (letter_or_digit(c)) {
      out += c;
    } else if (!out.empty() && out.back() != '-' && c != '\'') {
      out += '-';
    }
  }
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? "unnamed" : out;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  bool inside = false;
  for (char c : text) {
    if (!letter_or_digit(c)) {
      inside = false;
      continue;
    }
    if (!inside) out.emplace_back();
    out.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    inside = true;
  }
  return out;
}

bool mentions(std::string_view text, std::initializer_list<std::string_view> starts) {
  auto words = cat(" ", join(words_of(text), " "));
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) {
    return words.find(cat(" ", start)) != std::string::npos;
  });
}

std::vector<Span> find_spans(std::string_view text) {
  std::vector<Span> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!digit(text[i])) continue;
    std::size_t end = i;
    while (end < text.size() && digit(text[end])) ++end;
    auto count = parse_int(text.substr(i, end - i));
    bool part = i > 0 && (letter_or_digit(text[i - 1]) || text[i - 1] == '.');
    std::size_t start = end;
    while (start < text.size() && (text[start] == ' ' || text[start] == '-')) ++start;
    std::size_t stop = start;
    while (stop < text.size() && letter_or_digit(text[stop])) ++stop;
    const auto* unit = unit_of(lower(text.substr(start, stop - start)));
    bool fits = count.ok() && *count > 0 && *count < 100'000 && !part && unit != nullptr;
    if (fits) out.push_back(span_of(*count, *unit));
    i = (fits ? stop : end) - 1;
  }
  return out;
}

std::optional<Span> find_span(std::string_view text) {
  auto spans = find_spans(text);
  if (spans.empty()) return {};
  return spans.front();
}

std::optional<Span> find_cadence(std::string_view text) {
  struct Word {
    std::string_view word;
    const char* schedule;
    std::int64_t hours;
  };
  static constexpr Word known[] = {
      {"hourly", "hourly", 1},    {"daily", "daily", 24},       {"nightly", "daily", 24},
      {"weekly", "weekly", 168},  {"monthly", "monthly", 730},  {"quarterly", "quarterly", 2190},
      {"annual", "yearly", 8760}, {"annually", "yearly", 8760}, {"yearly", "yearly", 8760},
  };
  auto hours = [](std::int64_t count) { return Micros(count * 3'600'000'000); };
  auto words = words_of(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const auto& one : known) {
      if (words[i] == one.word) return Span{one.schedule, hours(one.hours)};
    }
    if (words[i] != "every" || i + 1 >= words.size()) continue;
    if (words[i + 1] == "hour") return Span{"hourly", hours(1)};
    if (words[i + 1] == "day" || words[i + 1] == "night") return Span{"daily", hours(24)};
    auto next = i + 2 < words.size() ? words[i + 2] : std::string();
    auto rest = find_span(cat(words[i + 1], " ", next));
    bool short_enough = rest && rest->length <= hours(24);
    if (short_enough) return rest;
  }
  return {};
}

std::string store_kind(std::string_view text) {
  if (mentions(text, {"firestore"})) return "firestore";
  if (mentions(text, {"redis"})) return "redis";
  if (mentions(text, {"postgres", "pg restore", "pg dump", "pg basebackup", "psql"}))
    return "postgres";
  if (mentions(text, {"bucket", "s3", "gcs", "object storage"})) return "bucket";
  if (mentions(text, {"file", "storage", "artifact", "media"})) return "files";
  if (mentions(text, {"database", "wal", "sql"})) return "postgres";
  return "";
}

bool holds_secret(std::string_view text) {
  if (plan::looks_like_secret("", text)) return true;
  for (const auto& line : split(text, '\n')) {
    if (plan::looks_like_secret("", line) || plan::hide_secrets(line) != line) return true;
  }
  return false;
}

namespace {

// Of "jan", "January"; 0: none.
unsigned month_of(std::string_view word) {
  static constexpr std::string_view months[] = {"january",   "february", "march",    "april",
                                                "may",       "june",     "july",     "august",
                                                "september", "october",  "november", "december"};
  constexpr std::size_t shortest = 3;
  for (unsigned i = 0; i < std::size(months); ++i) {
    if (word.size() >= shortest && months[i].starts_with(word)) return i + 1;
  }
  return 0;
}

// "13", "13th"; 0: none of that length or less.
unsigned number_of(std::string_view word, std::size_t digits_max) {
  if (word.ends_with("st") || word.ends_with("nd") || word.ends_with("rd") || word.ends_with("th"))
    word.remove_suffix(2);
  if (word.empty() || word.size() > digits_max) return 0;
  auto number = parse_uint(word);
  return number.ok() ? static_cast<unsigned>(*number) : 0;
}

}  // namespace

std::optional<std::string> find_date(std::string_view text) {
  const auto words = words_of(text);
  auto said = [](unsigned year, unsigned month, unsigned day) -> std::optional<std::string> {
    constexpr unsigned year_min = 1970;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                           std::chrono::month(month), std::chrono::day(day)};
    if (year < year_min || !date.ok()) return std::nullopt;
    return format_time_seconds(Timestamp(std::chrono::sys_days(date))).substr(0, 10);
  };
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    const auto &one = words[i], &two = words[i + 1], &three = words[i + 2];
    auto found = said(number_of(three, 4), month_of(one), number_of(two, 2));
    if (!found) found = said(number_of(three, 4), month_of(two), number_of(one, 2));
    if (!found && one.size() == 4 && two.size() == 2 && three.size() == 2)
      found = said(number_of(one, 4), number_of(two, 2), number_of(three, 2));
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace lb::adopt
