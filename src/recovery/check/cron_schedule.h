// When a schedule of pg_cron is due: five fields, "@daily" and its like, "30 seconds", "$" for the
// last day of a month. Internal to this folder, pure.
#pragma once

#include <optional>
#include <string_view>

#include "foundation/base/result.h"
#include "foundation/base/time.h"

namespace lb::check {

// The first moment after `now` (UTC). None: at each start of the server (@reboot). invalid: pg_cron
// could not read it, or it never comes.
Result<std::optional<Timestamp>> next_due(std::string_view schedule, Timestamp now);

}  // namespace lb::check
