// The small texts of `hours:`: days of the week, times of day, dates, names of zones. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/base/time.h"

namespace lb::plan {

Result<std::vector<std::string>> parse_days(std::string_view text);  // "mon-fri", "sat"
Result<Micros> parse_time_of_day(std::string_view text);             // "09:00", "24:00"
Result<std::chrono::year_month_day> parse_date(std::string_view text);
Status check_zone_name(
    std::string_view text);  // of the form of a name; whether it exists is not known

// "mon" is 0.
const std::vector<std::string>& day_names();

}  // namespace lb::plan
