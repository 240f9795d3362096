// Fuzz target of the reader of time zones: whatever it takes must answer for any time.
#include <cstddef>
#include <cstdint>

#include "foundation/codec/time_zone.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto zone = lb::TimeZone::parse(lb::ByteView(data, size));
  if (!zone.ok()) return 0;
  for (const std::int64_t seconds :
       {std::int64_t{-9'000'000'000'000}, std::int64_t{-1}, std::int64_t{0},
        std::int64_t{1'774'746'000}, std::int64_t{9'000'000'000'000}}) {
    const lb::Timestamp time{lb::Seconds(seconds)};
    (void)zone->first_moment(zone->local(time));
  }
  return 0;
}
