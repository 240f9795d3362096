// TimeZone: what a clock on the wall shows, from the bytes of a TZif file (RFC 8536, versions 1 to
// 4) as /usr/share/zoneinfo holds them. Leap seconds are passed over. Pure; immutable once read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"

namespace lb {

using LocalTime = std::chrono::local_seconds;  // what the wall shows

class TimeZone {
 public:
  TimeZone() = default;  // UTC
  // corrupt: not such a file, or one whose parts do not fit together.
  static Result<TimeZone> parse(ByteView tzif);

  Seconds offset_at(Timestamp time) const;  // east of Greenwich is positive
  LocalTime local(Timestamp time) const;
  // The first moment at which the wall shows `local` or, where the clock is put forward over it,
  // more.
  Timestamp first_moment(LocalTime local) const;

 private:
  // Daylight-saving time begins or ends at a day of the year and a time of that day.
  struct Turn {
    enum class Form { month_week_day, day_without_leap, day } form = Form::day;
    int month = 0, week = 0, weekday = 0, day = 0;
    std::int64_t seconds = 7200;  // since midnight, by the wall before
    LocalTime in_year(int year) const;
  };
  // "CET-1CEST,M3.5.0,M10.5.0/3": what holds after the last change that is listed.
  struct Rule {
    std::int64_t standard = 0, summer = 0;
    bool has_summer = false;
    Turn begin, end;
  };
  struct Change {
    std::int64_t at = 0;      // seconds since 1970
    std::int64_t offset = 0;  // from then on
  };

  friend class TzifReader;
  std::int64_t offset_by_rule(std::int64_t seconds) const;

  std::int64_t first_ = 0;  // before all changes
  std::vector<Change> changes_;
  std::optional<Rule> rule_;
};

}  // namespace lb
