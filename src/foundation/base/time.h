// Time values and their text forms. Wall time is UTC microseconds. Pure: the clock is in sys.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace lb {

using Micros = std::chrono::microseconds;
using Seconds = std::chrono::seconds;
using Timestamp = std::chrono::sys_time<Micros>;

// RFC 3339 with a zone ("2026-01-13T02:00:00Z", "+02:00"; fractions to microseconds). A time
// without a zone is ErrorKind::invalid with a hint: PITR by guess loses data.
Result<Timestamp> parse_time(std::string_view text);
std::string format_time(Timestamp time);  // "2026-01-13T02:00:00Z", fraction only when not zero
std::string format_time_seconds(Timestamp time);  // always whole seconds

// "15m", "24h", "7d", "6mo" (30 d each), "1y" (365 d), "90s", "250ms", or several: "1h30m".
Result<Micros> parse_duration(std::string_view text);
std::string format_duration(Micros duration);  // "1h30m", "250ms", exact and parseable
std::string human_duration(Micros duration);   // "2 h 05 min", "3.2 s", for people

std::int64_t to_micros(Timestamp time);
Timestamp from_micros(std::int64_t micros_since_1970);

}  // namespace lb
