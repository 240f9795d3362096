#include <algorithm>
#include <array>

#include "foundation/base/text.h"
#include "model/report/figures.h"
#include "model/report/plots.h"

namespace lb::report {

constexpr std::int64_t ms = 1000, s = 1000 * ms, minute = 60 * s, hour = 60 * minute,
                       day = 24 * hour;

static constexpr std::array<std::int64_t, 35> steps = {
    ms,       2 * ms,   5 * ms,     10 * ms,    20 * ms,     50 * ms,     100 * ms,
    200 * ms, 500 * ms, s,          2 * s,      5 * s,       10 * s,      15 * s,
    30 * s,   minute,   2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
    hour,     2 * hour, 4 * hour,   6 * hour,   12 * hour,   day,         2 * day,
    5 * day,  10 * day, 20 * day,   50 * day,   100 * day,   200 * day,   500 * day};

Axis axis_for(Micros top, int ticks_max) {
  const std::int64_t wanted = std::max<std::int64_t>(top.count(), ms);
  std::int64_t step = steps.back();
  for (const auto candidate : steps) {
    if ((wanted + candidate - 1) / candidate > ticks_max) continue;
    step = candidate;
    break;
  }
  const std::int64_t count = std::max<std::int64_t>(1, (wanted + step - 1) / step);
  return {Micros(count * step), Micros(step)};
}

std::string tick_text(Micros value) {
  if (value.count() == 0) return "0";
  const std::int64_t count = value.count();
  if (count > minute && count < hour && count % minute != 0) {
    return cat(count / minute, " min ", count % minute / s, " s");
  }
  if (count > hour && count < 2 * day && count % hour != 0) {
    return cat(count / hour, " h ", count % hour / minute, " min");
  }
  return limit_text(value);
}

std::string stage_title(const record::Stage& stage) {
  if (stage.store.empty() || stage.name.find(stage.store) != std::string::npos) return stage.name;
  return cat(stage.name, " ", stage.store);
}

}  // namespace lb::report
