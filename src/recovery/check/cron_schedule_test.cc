#include "recovery/check/cron_schedule.h"

#include <gtest/gtest.h>

namespace lb::check {
namespace {

const Timestamp now = *parse_time("2026-01-13T02:00:00Z");  // a Tuesday

std::string due(std::string_view schedule) {
  auto got = next_due(schedule, now);
  if (!got.ok()) return "unread";
  return *got ? format_time(**got) : "start";
}

TEST(CronSchedule, IsDueWhenPgCronWouldRunIt) {
  struct Row {
    std::string_view schedule, due;
  };
  const Row rows[] = {
      {"*/10 * * * *", "2026-01-13T02:10:00Z"},
      {"0 2 * * *", "2026-01-14T02:00:00Z"},
      {" 30\t4  * * mon-fri ", "2026-01-13T04:30:00Z"},
      {"0 0 29 2 *", "2028-02-29T00:00:00Z"},
      {"*/60 * * * *", "2026-01-13T03:00:00Z"},
      {"15 3 $ * *", "2026-01-31T03:15:00Z"},
      {"15 3 $ 2 *", "2026-02-28T03:15:00Z"},
      {"15 3 $ * fri", "2026-01-16T03:15:00Z"},
      {"15 3 $ 4 fri", "2026-04-03T03:15:00Z"},
      {"30 seconds", "2026-01-13T02:00:30Z"},
      {"1 Second", "2026-01-13T02:00:01Z"},
      {"@hourly", "2026-01-13T03:00:00Z"},
      {"@daily", "2026-01-14T00:00:00Z"},
      {"@Weekly", "2026-01-18T00:00:00Z"},
      {"@monthly", "2026-02-01T00:00:00Z"},
      {"@yearly", "2027-01-01T00:00:00Z"},
      {"@reboot", "start"},
  };
  for (const auto& row : rows) EXPECT_EQ(due(row.schedule), row.due) << row.schedule;
}

TEST(CronSchedule, RefusesWhatPgCronCannotRead) {
  for (const char* schedule :
       {"", "daily 02:00", "30m", "hourly", "0 2 * *", "0 2 * * * *", "60 * * * *", "0 0 31 2 *",
        "60 seconds", "0 seconds", "-1 seconds", "@never", "sunday 02:00 * * *", "0 2 ? * *"}) {
    EXPECT_EQ(due(schedule), "unread") << schedule;
  }
}

}  // namespace
}  // namespace lb::check
