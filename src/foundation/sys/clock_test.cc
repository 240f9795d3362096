#include "foundation/sys/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace lb {
namespace {

TEST(RealClock, SteadyMovesOnlyForwardAndWallIsAfterThisCodeWasWritten) {
  auto clock = real_clock();
  auto before = clock->steady();
  EXPECT_TRUE(clock->sleep(Micros(2000), {}));
  EXPECT_GE(clock->steady() - before, Micros(2000));
  EXPECT_GT(clock->now(), parse_time("2025-01-01T00:00:00Z").value());
}

TEST(RealClock, SleepEndsWhenStopIsRequested) {
  auto clock = real_clock();
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  EXPECT_FALSE(clock->sleep(std::chrono::hours(24), source.get_token()));
}

TEST(SimClock, MovesOnlyWhenTold) {
  auto start = parse_time("2026-01-13T02:00:00Z").value();
  SimClock clock(start);
  EXPECT_EQ(clock.now(), start);
  auto steady = clock.steady();
  EXPECT_TRUE(clock.sleep(std::chrono::hours(1), {}));
  EXPECT_EQ(clock.now() - start, std::chrono::hours(1));
  EXPECT_EQ(clock.steady() - steady, std::chrono::hours(1));
}

TEST(SimClock, WallCanJumpBackWhileSteadyDoesNot) {
  auto start = parse_time("2026-01-13T02:00:00Z").value();
  SimClock clock(start);
  clock.advance(Seconds(10));
  auto steady = clock.steady();
  clock.set_wall(start - Seconds(100));
  EXPECT_EQ(clock.now(), start - Seconds(100));
  EXPECT_EQ(clock.steady(), steady);
  clock.advance(Seconds(-5));
  EXPECT_EQ(clock.steady(), steady);
}

TEST(SimClock, StoppedSleepDoesNotMoveTime) {
  SimClock clock(Timestamp{});
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(clock.sleep(Seconds(5), source.get_token()));
  EXPECT_EQ(clock.now(), Timestamp{});
}

}  // namespace
}  // namespace lb
