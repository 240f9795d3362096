// What the line of progress says on a terminal.
#include "app/cli/console.h"

#include <gtest/gtest.h>

#include "app/cli/text_width.h"
#include "foundation/base/text.h"

namespace lb::cli {
namespace {

class ProgressLine : public testing::Test {
 protected:
  // After ten seconds.
  std::string line_of(const Progress& progress) {
    Console console(clock, {.err_is_terminal = true});
    auto sink = console.progress("db");
    clock.advance(Seconds(10));
    testing::internal::CaptureStderr();
    sink(progress);
    auto shown = testing::internal::GetCapturedStderr();
    return replace_all(shown, "\r\x1b[K", "");
  }

  SimClock clock{parse_time("2026-11-26T12:00:00Z").take()};
};

TEST_F(ProgressLine, SaysBytesRateTimeLeftNewAndDeduplicated) {
  constexpr std::uint64_t mib = 1 << 20;
  EXPECT_EQ(line_of({10 * mib, 40 * mib, 3 * mib, 12, "a/b"}),
            "db: 10.0 MiB of 40.0 MiB, 1.0 MiB/s, 30 s left, 3.0 MiB new, "
            "7.0 MiB deduplicated, 12 items  a/b");
  EXPECT_EQ(line_of({100 * mib, 101 * mib, {}, 0, {}}),
            "db: 100.0 MiB of 101.0 MiB, 10.0 MiB/s, 1 s left");
  EXPECT_EQ(line_of({100 * mib, 100 * mib, {}, 0, {}}), "db: 100.0 MiB of 100.0 MiB, 10.0 MiB/s");
  EXPECT_EQ(line_of({100 * mib, 1300 * mib, {}, 0, {}}),
            "db: 100.0 MiB of 1.3 GiB, 10.0 MiB/s, 2 min 00 s left");
  EXPECT_EQ(line_of({100 * mib, 0, {}, 0, {}}), "db: 100.0 MiB, 10.0 MiB/s");
}

TEST_F(ProgressLine, IsCutBetweenCharacters) {
  for (std::size_t before = 0; before < 4; ++before) {
    std::string name(before, 'a');
    for (int i = 0; i < 100; ++i) name += "\u00fc";
    auto shown = line_of({1000, 0, {}, 0, name});
    EXPECT_EQ(width_of(shown), 100u) << shown;
    EXPECT_TRUE(shown.ends_with("\u00fc…")) << shown;
  }
}

}  // namespace
}  // namespace lb::cli
