// parse_schedule: cron (five fields) or words ("hourly", "30m", "sunday 02:00", "month day 1
// 03:00", "quarterly", "yearly") into one bit-set form. The text forms live here; plan.h holds the
// value.
#pragma once

#include <string_view>

#include "foundation/base/result.h"
#include "model/plan/plan.h"

namespace lb::plan {

// invalid with the reason, and a hint that shows what to write. Place is left to the caller.
Result<Schedule> parse_schedule(std::string_view text);

}  // namespace lb::plan
