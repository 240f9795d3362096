// WorkTimes: when people work, in their zone, with days off. Pure.
#pragma once

#include <string>

#include "foundation/codec/time_zone.h"
#include "foundation/sys/files.h"
#include "model/plan/plan.h"

namespace lb::notify {

class WorkTimes {
 public:
  WorkTimes(plan::BusinessHours hours, TimeZone zone);

  bool open(Timestamp time) const;
  // `time` when it is open, else the next opening. When there is none within a year (every day is
  // off): `time`, for telling people now is better than never.
  Timestamp next_open(Timestamp time) const;
  // The opening of the first business day after that of `time`.
  Timestamp next_business_day(Timestamp time) const;

 private:
  bool business_day(std::chrono::local_days day) const;
  Timestamp opening(std::chrono::local_days day) const;
  Timestamp first_opening_from(std::chrono::local_days day, Timestamp otherwise) const;

  plan::BusinessHours hours_;
  TimeZone zone_;
};

// Of this machine's files; "UTC" needs none. not_found with a hint when there is no such zone.
Result<TimeZone> load_zone(Files& files, const std::string& name);

// The hours of a plan in their zone. In UTC when this machine does not know that zone, and then
// `trouble` says so: people who are told at the wrong hour are better than people who are not.
WorkTimes work_times(Files& files, const plan::BusinessHours& hours, std::string& trouble);

}  // namespace lb::notify
