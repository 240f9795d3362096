#include "model/plan/schedule.h"

#include <algorithm>

namespace lb::plan {

namespace {

using std::chrono::days;
using std::chrono::sys_days;

// The calendar repeats within this: 29 February may be eight years away (2096 to 2104).
constexpr int days_searched = 366 * 9;

bool matches(const Schedule& schedule, sys_days day) {
  std::chrono::year_month_day date(day);
  auto bit = [](std::uint32_t bits, unsigned at) { return (bits >> at & 1u) != 0; };
  if (!bit(schedule.months, static_cast<unsigned>(date.month()))) return false;
  bool by_day = bit(schedule.days, static_cast<unsigned>(date.day()));
  bool by_weekday = bit(schedule.weekdays, std::chrono::weekday(day).c_encoding());
  if (schedule.day_restricted && schedule.weekday_restricted) return by_day || by_weekday;
  return by_day && by_weekday;
}

// Minutes of a matching day at which it runs, ascending.
std::vector<int> minutes_of_day(const Schedule& schedule) {
  std::vector<int> out;
  for (int hour = 0; hour < 24; ++hour) {
    if ((schedule.hours >> hour & 1u) == 0) continue;
    for (int minute = 0; minute < 60; ++minute) {
      if ((schedule.minutes >> minute & 1u) != 0) out.push_back(hour * 60 + minute);
    }
  }
  return out;
}

Timestamp at_minute(sys_days day, int minute) {
  return Timestamp(day) + std::chrono::minutes(minute);
}

}  // namespace

std::optional<Timestamp> next_time(const Schedule& schedule, Timestamp after) {
  if (schedule.interval) {
    auto step = schedule.interval->count();
    auto since = to_micros(after);
    auto turn = since >= 0 ? since / step : (since - step + 1) / step;
    return from_micros((turn + 1) * step);
  }
  auto minutes = minutes_of_day(schedule);
  if (minutes.empty()) return {};
  auto day = std::chrono::floor<days>(after);
  for (int i = 0; i < days_searched; ++i, day += days(1)) {
    if (!matches(schedule, day)) continue;
    for (int minute : minutes) {
      if (at_minute(day, minute) > after) return at_minute(day, minute);
    }
  }
  return {};
}

Micros longest_gap(const Schedule& schedule, Timestamp from) {
  if (schedule.interval) return *schedule.interval;
  auto minutes = minutes_of_day(schedule);
  auto first = next_time(schedule, from - Micros(1));
  if (!first) return Micros::max();
  Micros longest(0);
  auto previous = *first;
  auto end = from + days(366 + 3 * 365);
  for (auto day = std::chrono::floor<days>(*first); Timestamp(day) <= end; day += days(1)) {
    if (!matches(schedule, day)) continue;
    for (int minute : minutes) {
      auto run = at_minute(day, minute);
      if (run <= previous || run > end) continue;
      longest = std::max(longest, Micros(run - previous));
      previous = run;
    }
  }
  if (longest > Micros(0)) return longest;
  // It runs less often than once in four years.
  auto second = next_time(schedule, previous);
  return second ? Micros(*second - previous) : Micros::max();
}

}  // namespace lb::plan
