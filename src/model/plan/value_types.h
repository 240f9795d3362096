// Values that stand anywhere in a plan: places, references to secrets, schedules, objectives. Part
// of plan.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "foundation/base/time.h"

namespace lb::plan {

struct Place {
  std::string file;
  std::size_t line = 0, column = 0;  // from 1
  std::string text() const;          // "lifeboat.yaml:12:5"
};

// A value that may be secret: either literal text, or a reference resolved only when it is used.
struct Reference {
  enum class Kind { literal, env, file, command, kms };
  Kind kind = Kind::literal;
  std::string value;  // the text after "env:" and so on
  Place place;
  bool empty() const { return kind == Kind::literal && value.empty(); }
  std::string text() const;  // as written: "env:DATABASE_URL"
};

struct Schedule {
  std::string text;  // as written
  // Minutes, hours, days of month, months, weekdays (0 = Sunday) as bit sets; words become the
  // same. `interval` is set instead for "every 30m" forms.
  std::optional<Micros> interval;
  std::uint64_t minutes = 0;
  std::uint32_t hours = 0, days = 0, months = 0, weekdays = 0;
  bool day_restricted = false,
       weekday_restricted = false;  // cron's rule: either matches if both are
  Place place;
};

// The first moment strictly after `after` (UTC). nullopt: never (31 February).
std::optional<Timestamp> next_time(const Schedule& schedule, Timestamp after);
// The longest gap between two runs within the four years after `from`.
Micros longest_gap(const Schedule& schedule, Timestamp from);

struct Objective {
  std::optional<Micros> rpo, rto, goal;
  std::string why, clock;
  Place place;
};

}  // namespace lb::plan
