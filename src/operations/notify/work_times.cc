#include "operations/notify/work_times.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/hours_text.h"

namespace lb::notify {

namespace {

namespace chr = std::chrono;

constexpr int days_looked_at = 366;
constexpr std::uint64_t zone_bytes_max = 1 << 20;
constexpr int links_max = 8;
constexpr const char* folder = "/usr/share/zoneinfo";

}  // namespace

WorkTimes::WorkTimes(plan::BusinessHours hours, TimeZone zone)
    : hours_(std::move(hours)), zone_(std::move(zone)) {}

bool WorkTimes::business_day(chr::local_days day) const {
  const auto& names = plan::day_names();
  const auto& name = names[(chr::weekday(day).c_encoding() + 6) % 7];  // "mon" is the first
  if (std::find(hours_.days.begin(), hours_.days.end(), name) == hours_.days.end()) return false;
  return std::none_of(hours_.except.begin(), hours_.except.end(), [&](const auto& text) {
    auto off = plan::parse_date(text);
    return off.ok() && chr::local_days(*off) == day;
  });
}

Timestamp WorkTimes::opening(chr::local_days day) const {
  return zone_.first_moment(LocalTime(day) + chr::floor<Seconds>(hours_.from));
}

Timestamp WorkTimes::first_opening_from(chr::local_days day, Timestamp otherwise) const {
  for (int i = 0; i < days_looked_at; ++i, day += chr::days(1)) {
    if (business_day(day)) return opening(day);
  }
  return otherwise;
}

bool WorkTimes::open(Timestamp time) const {
  const auto local = zone_.local(time);
  const auto day = chr::floor<chr::days>(local);
  const Micros since_midnight = local - day;
  return business_day(day) && since_midnight >= hours_.from && since_midnight < hours_.to;
}

Timestamp WorkTimes::next_open(Timestamp time) const {
  if (open(time)) return time;
  const auto today = chr::floor<chr::days>(zone_.local(time));
  if (business_day(today) && opening(today) > time) return opening(today);
  return first_opening_from(today + chr::days(1), time);
}

Timestamp WorkTimes::next_business_day(Timestamp time) const {
  return first_opening_from(chr::floor<chr::days>(zone_.local(time)) + chr::days(1), time);
}

Result<TimeZone> load_zone(Files& files, const std::string& name) {
  if (name == "UTC") return TimeZone();
  LB_TRY(plan::check_zone_name(name));
  auto path = path_join(folder, name);
  const auto missing = [&](Error error) {
    return std::move(error)
        .context(cat("time zone ", name))
        .with_hint("write a name such as Europe/Berlin; the package tzdata holds them");
  };
  for (int i = 0; i < links_max; ++i) {
    auto target = files.read_link(path);
    if (!target.ok()) break;  // not a link
    path = target->starts_with('/') ? *target : path_join(path_parent(path), *target);
  }
  auto bytes = read_file(files, path, zone_bytes_max);
  if (!bytes.ok()) return missing(std::move(bytes).take_error());
  return TimeZone::parse(*bytes).context(cat("time zone ", name));
}

WorkTimes work_times(Files& files, const plan::BusinessHours& hours, std::string& trouble) {
  auto zone = load_zone(files, hours.zone);
  if (zone.ok()) return {hours, std::move(zone).take()};
  trouble = cat("the hours of the plan are taken for UTC: ", zone.error().text(), " (",
                zone.error().hint(), ")");
  return {hours, TimeZone()};
}

}  // namespace lb::notify
