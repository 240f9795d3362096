#include "foundation/base/time.h"

#include <cmath>
#include <cstdio>

#include "foundation/base/text.h"

namespace lb {

namespace {

Error bad_time(std::string_view text) {
  return Error(ErrorKind::invalid, cat("'", printable(text), "' is not a time"))
      .with_hint(
          "write RFC 3339 with a zone, such as 2026-01-13T02:00:00Z or 2026-01-13T02:00:00+01:00");
}

// Reads exactly `count` digits at `at`; -1 if they are not there.
int digits_at(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

Result<Seconds> parse_zone(std::string_view zone, std::string_view whole) {
  if (zone == "Z" || zone == "z") return Seconds(0);
  if (zone.empty()) {
    return Error(ErrorKind::invalid, cat("'", printable(whole), "' has no time zone"))
        .with_hint(cat("add Z for UTC or an offset such as +02:00: ", printable(whole), "Z"));
  }
  int hours = digits_at(zone, 1, 2);
  int minutes = digits_at(zone, 4, 2);
  bool shape = zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':';
  if (!shape || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return bad_time(whole);
  Seconds offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return zone[0] == '-' ? -offset : offset;
}

struct Unit {
  std::string_view name;
  std::int64_t micros;
};
constexpr std::int64_t second_micros = 1000000;
constexpr Unit units[] = {{"mo", 30 * 86400 * second_micros},
                          {"ms", 1000},
                          {"us", 1},
                          {"y", 365 * 86400 * second_micros},
                          {"w", 7 * 86400 * second_micros},
                          {"d", 86400 * second_micros},
                          {"h", 3600 * second_micros},
                          {"m", 60 * second_micros},
                          {"s", second_micros}};

}  // namespace

Result<Timestamp> parse_time(std::string_view text) {
  using namespace std::chrono;
  int y = digits_at(text, 0, 4), mo = digits_at(text, 5, 2), d = digits_at(text, 8, 2);
  int h = digits_at(text, 11, 2), mi = digits_at(text, 14, 2), s = digits_at(text, 17, 2);
  bool shape = text.size() >= 19 && text[4] == '-' && text[7] == '-' &&
               (text[10] == 'T' || text[10] == 't' || text[10] == ' ') && text[13] == ':' &&
               text[16] == ':';
  if (!shape || y < 0 || mo < 0 || d < 0 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 ||
      s > 60) {
    return bad_time(text);
  }
  year_month_day date{year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d))};
  if (!date.ok()) return bad_time(text);
  auto rest = text.substr(19);
  std::int64_t fraction = 0;
  if (!rest.empty() && rest[0] == '.') {
    std::int64_t scale = 100000;
    std::size_t i = 1;
    for (; i < rest.size() && rest[i] >= '0' && rest[i] <= '9'; ++i, scale /= 10) {
      fraction += (rest[i] - '0') * scale;
    }
    if (i == 1) return bad_time(text);
    rest = rest.substr(i);
  }
  auto offset = LB_TRY(parse_zone(rest, text));
  return Timestamp(sys_days(date)) + hours(h) + minutes(mi) + seconds(s) + Micros(fraction) -
         offset;
}

std::string format_time_seconds(Timestamp time) {
  using namespace std::chrono;
  auto day = floor<days>(time);
  year_month_day date(day);
  auto rest = floor<seconds>(time - day).count();
  char out[64];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(rest / 3600), static_cast<int>(rest / 60 % 60),
                static_cast<int>(rest % 60));
  return out;
}

std::string format_time(Timestamp time) {
  auto whole = std::chrono::floor<Seconds>(time);
  auto fraction = (time - whole).count();
  auto out = format_time_seconds(time);
  if (fraction == 0) return out;
  char digits[16];
  std::snprintf(digits, sizeof digits, ".%06d", static_cast<int>(fraction));
  std::string text(digits);
  while (text.back() == '0') text.pop_back();
  out.insert(out.size() - 1, text);
  return out;
}

Result<Micros> parse_duration(std::string_view text) {
  auto bad = [&] {
    return Error(ErrorKind::invalid, cat("'", printable(text), "' is not a duration"))
        .with_hint("write durations such as 90s, 15m, 24h, 7d, 6mo or 1h30m");
  };
  auto rest = text;
  std::int64_t total = 0;
  while (!rest.empty()) {
    std::size_t count = 0;
    while (count < rest.size() && rest[count] >= '0' && rest[count] <= '9') ++count;
    if (count == 0 || count > 9) return bad();
    auto number = LB_TRY(parse_int(rest.substr(0, count)));
    rest = rest.substr(count);
    const Unit* found = nullptr;
    for (const auto& unit : units) {
      if (rest.starts_with(unit.name)) {
        found = &unit;
        break;
      }
    }
    if (found == nullptr) return bad();
    if (number > 4'000'000'000'000'000'000 / found->micros - total / found->micros) return bad();
    total += number * found->micros;
    rest = rest.substr(found->name.size());
  }
  if (text.empty()) return bad();
  return Micros(total);
}

std::string format_duration(Micros duration) {
  std::int64_t left = duration.count();
  if (left == 0) return "0s";
  std::string out = left < 0 ? "-" : "";
  if (left < 0) left = -left;
  for (std::string_view name : {"d", "h", "m", "s", "ms", "us"}) {
    for (const auto& unit : units) {
      if (unit.name != name || left < unit.micros) continue;
      out += cat(left / unit.micros, name);
      left %= unit.micros;
    }
  }
  return out;
}

std::string human_duration(Micros duration) {
  double s = static_cast<double>(duration.count()) / 1e6;
  if (s < 0) return "-" + human_duration(-duration);
  if (s < 0.001) return duration.count() == 0 ? "0 s" : "< 1 ms";
  // Limits as the figures will be rounded: never "1000 ms" or "60.0 s".
  if (s < 0.9995) return cat(fixed(s * 1000, 0), " ms");
  if (s < 59.95) return cat(fixed(s, 1), " s");
  auto whole = static_cast<std::int64_t>(std::llround(s));
  auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  if (whole < 3600) return cat(whole / 60, " min ", two(whole % 60), " s");
  if (whole < 2 * 86400) return cat(whole / 3600, " h ", two(whole / 60 % 60), " min");
  return cat(whole / 86400, " d ", two(whole / 3600 % 24), " h");
}

std::int64_t to_micros(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp from_micros(std::int64_t micros_since_1970) {
  return Timestamp(Micros(micros_since_1970));
}

}  // namespace lb
