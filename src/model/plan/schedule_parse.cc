#include <algorithm>
#include <array>

#include "foundation/base/text.h"
#include "model/plan/schedule.h"

namespace lb::plan {

namespace {

constexpr std::string_view usage =
    "write hourly, 30m, daily 02:00, sunday 02:00, month day 1 03:00, quarterly, yearly, or cron "
    "such "
    "as 0 2 * * *";

constexpr std::array<std::string_view, 7> day_names = {"sunday",   "monday", "tuesday", "wednesday",
                                                       "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> month_names = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

constexpr std::uint32_t all_days = 0xFFFFFFFE;  // 1..31
constexpr std::uint32_t all_months = 0x1FFE;    // 1..12
constexpr std::uint32_t all_weekdays = 0x7F;    // 0..6
constexpr std::uint32_t all_hours = 0xFFFFFF;   // 0..23
constexpr std::uint32_t quarter_months = 1u << 1 | 1u << 4 | 1u << 7 | 1u << 10;

Error bad(std::string_view what) {
  return Error(ErrorKind::invalid, std::string(what)).with_hint(std::string(usage));
}

struct FieldRule {
  std::string_view name;
  std::int64_t least, most;
};
constexpr FieldRule minute_rule{"minute", 0, 59}, hour_rule{"hour", 0, 23}, day_rule{"day", 1, 31},
    month_rule{"month", 1, 12}, weekday_rule{"weekday", 0, 7};

// A number, or in the month and weekday fields the first three letters of a name or all of it.
Result<std::int64_t> cron_value(std::string_view text, const FieldRule& rule) {
  auto word = lower(text);
  auto matches = [&](std::string_view name) { return word == name || word == name.substr(0, 3); };
  if (rule.name == "month") {
    for (std::size_t i = 0; i < month_names.size(); ++i) {
      if (matches(month_names[i])) return static_cast<std::int64_t>(i + 1);
    }
  }
  if (rule.name == "weekday") {
    for (std::size_t i = 0; i < day_names.size(); ++i) {
      if (matches(day_names[i])) return static_cast<std::int64_t>(i);
    }
  }
  auto number = parse_int(text);
  if (!number.ok()) return bad(cat("'", printable(text), "' is not a ", rule.name));
  if (*number < rule.least || *number > rule.most) {
    return bad(cat(rule.name, " ", *number, " is not within ", rule.least, "-", rule.most));
  }
  return *number;
}

// One element of a cron list: "*", "7", "1-5", "*/10", "8-18/2", "5/15" (from 5 on, each 15th).
Result<std::uint64_t> cron_element(std::string_view text, const FieldRule& rule) {
  std::int64_t step = 1;
  bool stepped = false;
  if (auto slash = text.find('/'); slash != std::string_view::npos) {
    auto number = parse_int(text.substr(slash + 1));
    if (!number.ok() || *number < 1 || *number > rule.most) {
      return bad(cat("'", printable(text.substr(slash + 1)), "' is not a step of the ", rule.name));
    }
    step = *number;
    stepped = true;
    text = text.substr(0, slash);
  }
  std::int64_t first = rule.least, last = rule.most;
  if (text == "*") {
    if (rule.name == "weekday") last = 6;
  } else if (auto dash = text.find('-'); dash != std::string_view::npos) {
    first = LB_TRY(cron_value(text.substr(0, dash), rule));
    last = LB_TRY(cron_value(text.substr(dash + 1), rule));
    if (first > last) return bad(cat(rule.name, " range '", printable(text), "' runs backwards"));
  } else {
    first = LB_TRY(cron_value(text, rule));
    if (!stepped) last = first;
  }
  std::uint64_t bits = 0;
  for (auto value = first; value <= last; value += step) bits |= std::uint64_t{1} << value;
  return bits;
}

Result<std::uint64_t> cron_field(std::string_view text, const FieldRule& rule) {
  std::uint64_t bits = 0;
  for (const auto& element : split(text, ',')) {
    auto more = LB_TRY(cron_element(element, rule));
    bits |= more;
  }
  return bits;
}

Result<Schedule> parse_cron(const std::vector<std::string>& fields) {
  if (fields.size() != 5) {
    return bad(cat("cron has five fields, here are ", fields.size()));
  }
  Schedule out;
  out.minutes = LB_TRY(cron_field(fields[0], minute_rule));
  auto hours = LB_TRY(cron_field(fields[1], hour_rule));
  auto days = LB_TRY(cron_field(fields[2], day_rule));
  auto months = LB_TRY(cron_field(fields[3], month_rule));
  auto weekdays = LB_TRY(cron_field(fields[4], weekday_rule));
  if ((weekdays & 1u << 7) != 0) weekdays |= 1;  // 7 is Sunday too
  out.hours = static_cast<std::uint32_t>(hours);
  out.days = static_cast<std::uint32_t>(days);
  out.months = static_cast<std::uint32_t>(months);
  out.weekdays = static_cast<std::uint32_t>(weekdays) & all_weekdays;
  // Cron's own rule: a field that begins with a star does not restrict, even with a step.
  out.day_restricted = !fields[2].starts_with('*');
  out.weekday_restricted = !fields[4].starts_with('*');
  return out;
}

Status set_time(Schedule& schedule, std::string_view text) {
  auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 2 || text.size() != colon + 3) {
    return bad(cat("'", printable(text), "' is not a time of day"));
  }
  auto hour = LB_TRY(cron_value(text.substr(0, colon), hour_rule));
  auto minute = LB_TRY(cron_value(text.substr(colon + 1), minute_rule));
  schedule.hours = 1u << hour;
  schedule.minutes = std::uint64_t{1} << minute;
  return {};
}

Schedule midnight_of_each_day() {
  Schedule out;
  out.minutes = 1;
  out.hours = 1;
  out.days = all_days;
  out.months = all_months;
  out.weekdays = all_weekdays;
  return out;
}

void on_day(Schedule& schedule, std::int64_t day) {
  schedule.days = 1u << day;
  schedule.day_restricted = true;
}

void on_weekdays(Schedule& schedule, std::uint32_t weekdays) {
  schedule.weekdays = weekdays;
  schedule.weekday_restricted = true;
}

// Sets what the first word says; false if it is no word of ours.
bool apply_word(Schedule& schedule, const std::string& word) {
  for (std::size_t i = 0; i < day_names.size(); ++i) {
    if (word != day_names[i] && word != day_names[i].substr(0, 3)) continue;
    on_weekdays(schedule, 1u << i);
    return true;
  }
  if (word == "daily") return true;
  if (word == "weekdays") {
    on_weekdays(schedule, 0x3E);
    return true;
  }
  if (word == "weekly") {
    on_weekdays(schedule, 1);
    return true;
  }
  bool known = word == "month" || word == "monthly" || word == "quarterly" || word == "yearly";
  if (!known) return false;
  on_day(schedule, 1);
  if (word == "quarterly") schedule.months = quarter_months;
  if (word == "yearly") schedule.months = 1u << 1;
  return true;
}

Result<Schedule> parse_words(const std::vector<std::string>& words) {
  auto out = midnight_of_each_day();
  if (words[0] == "hourly" && words.size() == 1) {
    out.hours = all_hours;
    return out;
  }
  if (!apply_word(out, words[0])) return bad(cat("'", printable(words[0]), "' is not a schedule"));
  std::size_t next = 1;
  if (words.size() > 2 && words[1] == "day" && out.day_restricted) {
    auto day = LB_TRY(cron_value(words[2], day_rule));
    on_day(out, day);
    next = 3;
  }
  if (next < words.size()) LB_TRY(set_time(out, words[next++]));
  if (next < words.size())
    return bad(cat("'", printable(words[next]), "' is too much for a schedule"));
  return out;
}

Result<Schedule> parse_interval(std::string_view text) {
  auto interval = parse_duration(text);
  if (!interval.ok()) return bad(cat("'", printable(text), "' is not a schedule"));
  if (*interval < std::chrono::minutes(1)) return bad(cat("'", text, "' is less than a minute"));
  Schedule out;
  out.interval = *interval;
  return out;
}

Result<Schedule> parse_any(std::string_view text) {
  std::vector<std::string> words;
  for (auto& word : split(lower(text), ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  if (words.size() > 1 && words[0] == "every") words.erase(words.begin());
  if (words.empty()) return bad("a schedule is missing");
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  bool starts_with_number = digit(words[0][0]);
  if (words.size() == 1 && starts_with_number) return parse_interval(words[0]);
  if (starts_with_number || words[0][0] == '*') return parse_cron(words);
  return parse_words(words);
}

}  // namespace

Result<Schedule> parse_schedule(std::string_view text) {
  auto out = LB_TRY(parse_any(text));
  out.text = std::string(trim(text));
  // Any moment will do: what never comes within eight years after one never comes.
  if (!next_time(out, from_micros(0)).has_value()) {
    return bad(cat("'", printable(text), "' never comes"));
  }
  return out;
}

}  // namespace lb::plan
