#include "foundation/codec/time_zone.h"

#include <algorithm>

#include "foundation/codec/tzif_reader.h"

namespace lb {

namespace {

namespace chr = std::chrono;

constexpr std::int64_t day_seconds = 86'400;

constexpr std::int64_t seconds_max = 200'000'000'000;  // 6,300 years; calendars end somewhere

std::int64_t seconds_of(Timestamp time) {
  return std::clamp(chr::floor<Seconds>(time).time_since_epoch().count(), -seconds_max,
                    seconds_max);
}

chr::local_days new_year(int year) { return chr::local_days(chr::year(year) / chr::January / 1); }

}  // namespace

Result<TimeZone> TimeZone::parse(ByteView tzif) { return TzifReader(tzif).read(); }

LocalTime TimeZone::Turn::in_year(int year) const {
  chr::local_days date = new_year(year);
  if (form == Form::month_week_day) {
    const auto in_month = chr::year(year) / chr::month(static_cast<unsigned>(month));
    const chr::weekday wanted(static_cast<unsigned>(weekday));
    date = week == 5 ? chr::local_days(in_month / wanted[chr::last])
                     : chr::local_days(in_month / wanted[static_cast<unsigned>(week)]);
  } else if (form == Form::day_without_leap) {
    const bool past_february = chr::year(year).is_leap() && day >= 60;
    date += chr::days(day - 1 + (past_february ? 1 : 0));
  } else {
    date += chr::days(day);
  }
  return LocalTime(date) + Seconds(seconds);
}

std::int64_t TimeZone::offset_by_rule(std::int64_t seconds) const {
  const auto& rule = *rule_;
  if (!rule.has_summer) return rule.standard;
  const chr::sys_seconds standard{Seconds(seconds + rule.standard)};
  const auto year = static_cast<int>(chr::year_month_day(chr::floor<chr::days>(standard)).year());
  const auto begin = rule.begin.in_year(year).time_since_epoch().count() - rule.standard;
  const auto end = rule.end.in_year(year).time_since_epoch().count() - rule.summer;
  const bool summer =
      begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
  return summer ? rule.summer : rule.standard;
}

Seconds TimeZone::offset_at(Timestamp time) const {
  const auto seconds = seconds_of(time);
  auto after =
      std::upper_bound(changes_.begin(), changes_.end(), seconds,
                       [](std::int64_t at, const Change& change) { return at < change.at; });
  if (after == changes_.end() && rule_) return Seconds(offset_by_rule(seconds));
  return Seconds(after == changes_.begin() ? first_ : std::prev(after)->offset);
}

LocalTime TimeZone::local(Timestamp time) const {
  return LocalTime(Seconds(seconds_of(time)) + offset_at(time));
}

Timestamp TimeZone::first_moment(LocalTime local) const {
  const auto at = [](std::int64_t seconds) { return Timestamp(Seconds(seconds)); };
  const auto wall = std::clamp(local.time_since_epoch().count(), -seconds_max, seconds_max);
  const auto before = offset_at(at(wall - day_seconds - day_seconds / 12)).count();
  const auto after = offset_at(at(wall + day_seconds + day_seconds / 12)).count();
  const auto early = wall - std::max(before, after), late = wall - std::min(before, after);
  for (const auto seconds : {early, late}) {
    if (seconds + offset_at(at(seconds)).count() == wall) return at(seconds);
  }
  // The clock is put forward over it: the moment that happens lies between the two.
  auto low = early, high = late;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if (middle + offset_at(at(middle)).count() >= wall) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return at(low);
}

}  // namespace lb
