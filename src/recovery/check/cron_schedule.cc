#include "recovery/check/cron_schedule.h"

#include <string>
#include <vector>

#include "foundation/base/text.h"
#include "model/plan/schedule.h"

namespace lb::check {

namespace {

using std::chrono::days;

std::vector<std::string> words_of(std::string_view text) {
  std::string flat(text);
  for (char& c : flat) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  }
  std::vector<std::string> out;
  for (auto& word : split(lower(flat), ' ')) {
    if (!word.empty()) out.push_back(std::move(word));
  }
  return out;
}

Error unread(std::string_view schedule) {
  return Error(ErrorKind::invalid, cat("'", printable(schedule), "' is no schedule of cron"));
}

std::string_view fields_of_nickname(std::string_view name) {
  if (name == "@yearly" || name == "@annually") return "0 0 1 1 *";
  if (name == "@monthly") return "0 0 1 * *";
  if (name == "@weekly") return "0 0 * * 0";
  if (name == "@daily" || name == "@midnight") return "0 0 * * *";
  if (name == "@hourly") return "0 * * * *";
  return "";
}

// "59 seconds", which pg_cron allows up to a minute.
std::optional<Seconds> interval_of(const std::vector<std::string>& words) {
  if (words.size() != 2 || (words[1] != "seconds" && words[1] != "second")) return {};
  auto number = parse_int(words[0]);
  if (!number.ok() || *number < 1 || *number > 59) return {};
  return Seconds(*number);
}

bool digit(char c) { return c >= '0' && c <= '9'; }

bool ends_month(Timestamp time) {
  std::chrono::year_month_day next(std::chrono::floor<days>(time) + days(1));
  return next.day() == std::chrono::day(1);
}

// Field by field as cron reads it. A plan's own words ("daily 02:00") are none of pg_cron's.
Result<plan::Schedule> parse_fields(std::vector<std::string> fields) {
  for (auto& field : fields) {
    bool known =
        field.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789*,-/") == std::string::npos;
    if (!known) return unread(join(fields, " "));
  }
  bool starts_like_cron = fields.size() == 5 && (fields[0][0] == '*' || digit(fields[0][0]));
  if (!starts_like_cron) return unread(join(fields, " "));
  // Wider than the field is wide: only its first value is left of it.
  static constexpr std::int64_t values[] = {60, 24, 31, 12, 7};
  static constexpr std::string_view firsts[] = {"0", "0", "1", "1", "0"};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].starts_with("*/")) continue;
    auto step = parse_int(std::string_view(fields[i]).substr(2));
    if (step.ok() && *step >= values[i]) fields[i] = firsts[i];
  }
  return plan::parse_schedule(join(fields, " "));
}

// The last day of a month is one of its days 28 to 31, and the next one is the first.
Result<std::optional<Timestamp>> due_at_month_end(std::vector<std::string> fields, Timestamp now) {
  auto weekdays = fields;
  fields[2] = "28-31";
  bool either = fields[4] != "*";  // cron's rule: the day or the weekday
  fields[4] = "*";
  auto schedule = LB_TRY(parse_fields(fields));
  auto due = plan::next_time(schedule, now);
  while (due && !ends_month(*due)) due = plan::next_time(schedule, *due);
  if (!either) return due;
  weekdays[2] = "*";
  auto other = LB_TRY(parse_fields(weekdays));
  auto by_weekday = plan::next_time(other, now);
  if (!due || (by_weekday && *by_weekday < *due)) return by_weekday;
  return due;
}

}  // namespace

Result<std::optional<Timestamp>> next_due(std::string_view schedule, Timestamp now) {
  auto words = words_of(schedule);
  if (auto interval = interval_of(words)) return std::optional<Timestamp>(now + *interval);
  if (words.size() == 1 && words[0] == "@reboot") return std::optional<Timestamp>();
  if (words.size() == 1) {
    auto fields = fields_of_nickname(words[0]);
    if (fields.empty()) return unread(schedule);
    words = words_of(fields);
  }
  if (words.size() == 5 && words[2] == "$") return due_at_month_end(words, now);
  auto parsed = LB_TRY(parse_fields(words));
  auto due = plan::next_time(parsed, now);
  if (!due) return unread(schedule);
  return due;
}

}  // namespace lb::check
