#include "recovery/check/comparison.h"

#include <cmath>

#include "foundation/base/text.h"

namespace lb::check {

using Op = plan::Comparison::Op;

namespace {

// Digits without leading zeros before the point and without trailing zeros after it, so that equal
// numbers have equal texts whatever their length: no rounding hides a lost cent.
struct Decimal {
  bool negative = false;
  std::string whole, fraction;
  bool zero() const { return whole.empty() && fraction.empty(); }
};

bool all_digits(std::string_view text) {
  for (char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal out;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    out.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  auto point = text.find('.');
  auto whole = text.substr(0, point);
  auto fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (!all_digits(whole) || !all_digits(fraction)) return std::nullopt;
  while (whole.starts_with('0')) whole.remove_prefix(1);
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  out.whole = whole;
  out.fraction = fraction;
  if (out.zero()) out.negative = false;
  return out;
}

int sign_of(int value) { return value < 0 ? -1 : value > 0 ? 1 : 0; }

int compare_decimals(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  int order = 0;
  if (a.whole.size() != b.whole.size()) {
    order = a.whole.size() < b.whole.size() ? -1 : 1;
  } else {
    order = sign_of(a.whole.compare(b.whole));
    if (order == 0) order = sign_of(a.fraction.compare(b.fraction));
  }
  return a.negative ? -order : order;
}

template <typename T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

std::optional<Micros> any_duration(std::string_view text) {
  auto plain = parse_duration(text);
  if (plain.ok()) return *plain;
  return parse_interval(text);
}

// PostgreSQL prints zones as "+00"; RFC 3339 wants minutes too.
std::optional<Timestamp> any_time(std::string_view text) {
  std::string full(text);
  auto zone = full.find_last_of("+-");
  if (zone != std::string::npos && zone > 10 && full.size() - zone == 3) full += ":00";
  auto time = parse_time(full);
  if (!time.ok()) return std::nullopt;
  return *time;
}

// The order of got against expected, by the first kind of value that fits both.
std::optional<int> order_of(std::string_view got, std::string_view expected) {
  if (auto numbers = compare_numbers(got, expected)) return numbers;
  auto got_duration = any_duration(got), expected_duration = any_duration(expected);
  if (got_duration && expected_duration) return three_way(*got_duration, *expected_duration);
  auto got_size = parse_size(got), expected_size = parse_size(expected);
  if (got_size.ok() && expected_size.ok()) return three_way(*got_size, *expected_size);
  auto got_time = any_time(got), expected_time = any_time(expected);
  if (got_time && expected_time) return three_way(*got_time, *expected_time);
  return std::nullopt;
}

bool same_boolean(const std::string& got, const std::string& expected) {
  return (got == "t" && expected == "true") || (got == "f" && expected == "false");
}

bool equals(const std::string& got, const std::string& expected) {
  if (got == expected || same_boolean(got, expected)) return true;
  auto order = order_of(got, expected);
  return order && *order == 0;
}

bool order_holds(Op op, int order) {
  switch (op) {
    case Op::less:
      return order < 0;
    case Op::less_equal:
      return order <= 0;
    case Op::greater:
      return order > 0;
    case Op::greater_equal:
      return order >= 0;
    case Op::equal:
    case Op::not_equal:
    case Op::recorded:
      break;
  }
  LB_ASSERT(false);
  return false;
}

}  // namespace

std::optional<int> compare_numbers(std::string_view a, std::string_view b) {
  auto left = parse_decimal(a), right = parse_decimal(b);
  if (left && right) return compare_decimals(*left, *right);
  auto left_double = parse_double(a), right_double = parse_double(b);
  if (!left_double.ok() || !right_double.ok()) return std::nullopt;
  if (std::isnan(*left_double) || std::isnan(*right_double)) return std::nullopt;
  return three_way(*left_double, *right_double);
}

std::optional<std::string> canonical_decimal(std::string_view text) {
  auto decimal = parse_decimal(text);
  if (!decimal) return std::nullopt;
  return cat(decimal->negative ? "-" : "", decimal->whole.empty() ? "0" : decimal->whole,
             decimal->fraction.empty() ? "" : ".", decimal->fraction);
}

namespace {

// "02:03:04.5", perhaps signed.
std::optional<Micros> parse_clock(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  auto parts = split(text, ':');
  if (parts.size() != 3 || parts[2].size() < 2 || parts[2].find('-') != std::string::npos) {
    return std::nullopt;
  }
  auto hours = parse_uint(parts[0]), minutes = parse_uint(parts[1]);
  auto seconds = parse_double(parts[2]);
  if (!hours.ok() || !minutes.ok() || !seconds.ok()) return std::nullopt;
  if (*hours > 100'000'000 || *minutes > 59 || !(*seconds < 61)) return std::nullopt;
  auto whole = static_cast<std::int64_t>(*hours * 3600 + *minutes * 60) * 1'000'000;
  auto micros = Micros(whole + std::llround(*seconds * 1e6));
  return negative ? -micros : micros;
}

std::optional<std::int64_t> unit_days(std::string_view unit) {
  if (unit.ends_with('s')) unit.remove_suffix(1);
  if (unit == "day") return 1;
  if (unit == "mon") return 30;
  if (unit == "year") return 365;
  return std::nullopt;
}

}  // namespace

std::optional<Micros> parse_interval(std::string_view text) {
  auto words = split(text, ' ');
  Micros total{0};
  std::size_t i = 0;
  for (; i + 1 < words.size(); i += 2) {
    auto number = parse_int(words[i]);
    auto days = unit_days(words[i + 1]);
    if (!number.ok() || !days || std::llabs(*number) > 1'000'000) return std::nullopt;
    total += std::chrono::hours(24 * *number * *days);
  }
  if (i == words.size()) return i == 0 ? std::nullopt : std::optional(total);
  auto clock = parse_clock(words[i]);
  if (!clock) return std::nullopt;
  return total + *clock;
}

std::string text_of(const plan::Comparison& expect) {
  switch (expect.op) {
    case Op::equal:
      return expect.value;
    case Op::not_equal:
      return cat("!= ", expect.value);
    case Op::less:
      return cat("< ", expect.value);
    case Op::less_equal:
      return cat("<= ", expect.value);
    case Op::greater:
      return cat("> ", expect.value);
    case Op::greater_equal:
      return cat(">= ", expect.value);
    case Op::recorded:
      break;
  }
  return "recorded";
}

Result<bool> holds(const plan::Comparison& expect, const std::optional<std::string>& got) {
  if (expect.op == Op::recorded) {
    return Error(ErrorKind::invalid, "'recorded' has no meaning here: nothing is recorded for it")
        .with_hint("compare with a number or a text");
  }
  if (!got) {
    bool wants_null = lower(expect.value) == "null";
    return expect.op == Op::equal ? wants_null : expect.op == Op::not_equal && !wants_null;
  }
  if (expect.op == Op::equal) return equals(*got, expect.value);
  if (expect.op == Op::not_equal) return !equals(*got, expect.value);
  auto order = order_of(*got, expect.value);
  if (!order) {
    return Error(ErrorKind::invalid, cat("'", printable(*got), "' and '", printable(expect.value),
                                         "' have no order to compare them by"))
        .with_hint("numbers, durations, sizes and times can be ordered");
  }
  return order_holds(expect.op, *order);
}

}  // namespace lb::check
