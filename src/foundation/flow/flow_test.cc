#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>

#include "foundation/flow/bounded_queue.h"
#include "foundation/flow/guarded.h"
#include "foundation/flow/task_group.h"

namespace lb {
namespace {

TEST(BoundedQueue, GivesItemsInOrderAndEndsWhenClosed) {
  BoundedQueue<int> queue(100);
  ASSERT_TRUE(queue.push(1, 10, {}));
  ASSERT_TRUE(queue.push(2, 10, {}));
  EXPECT_EQ(queue.bytes(), 20u);
  queue.close();
  EXPECT_FALSE(queue.push(3, 1, {}));
  EXPECT_EQ(queue.pop({}), 1);
  EXPECT_EQ(queue.pop({}), 2);
  EXPECT_EQ(queue.pop({}), std::nullopt);
}

TEST(BoundedQueue, NeverHoldsMoreThanItsBound) {
  BoundedQueue<int> queue(10);
  std::atomic<std::uint64_t> most{0};
  TaskGroup group;
  group.run([&](std::stop_token stop) -> Status {
    for (int i = 0; i < 1000; ++i) {
      if (!queue.push(i, 4, stop)) return Error(ErrorKind::cancelled, "push");
      most = std::max<std::uint64_t>(most, queue.bytes());
    }
    queue.close();
    return {};
  });
  int expected = 0;
  while (auto item = queue.pop({})) EXPECT_EQ(*item, expected++);
  EXPECT_EQ(expected, 1000);
  EXPECT_TRUE(group.wait().ok());
  EXPECT_LE(most, 10u);
}

TEST(BoundedQueue, TakesAnItemLargerThanTheBoundWhenEmpty) {
  BoundedQueue<std::unique_ptr<int>> queue(10);
  ASSERT_TRUE(queue.push(std::make_unique<int>(7), 1000, {}));
  EXPECT_EQ(**queue.pop({}), 7);
}

TEST(BoundedQueue, StopEndsBothWaits) {
  BoundedQueue<int> full(1), empty(1);
  ASSERT_TRUE(full.push(1, 1, {}));
  std::stop_source source;
  std::atomic<int> ended{0};
  std::jthread pusher([&] { ended += full.push(2, 1, source.get_token()) ? 0 : 1; });
  std::jthread popper([&] { ended += empty.pop(source.get_token()) ? 0 : 1; });
  source.request_stop();
  pusher.join();
  popper.join();
  EXPECT_EQ(ended, 2);
}

TEST(TaskGroup, ReturnsTheFirstErrorAndStopsTheOthers) {
  TaskGroup group;
  group.run([](std::stop_token stop) -> Status {
    BoundedQueue<int> never(1);
    EXPECT_EQ(never.pop(stop), std::nullopt);
    return Error(ErrorKind::cancelled, "second");
  });
  group.run([](std::stop_token) -> Status { return Error(ErrorKind::corrupt, "first"); });
  auto status = group.wait();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message(), "first");
}

TEST(TaskGroup, AnExceptionIsAnInternalError) {
  TaskGroup group;
  group.run([](std::stop_token) -> Status { throw std::runtime_error("boom"); });
  auto status = group.wait();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind(), ErrorKind::internal);
}

TEST(TaskGroup, TheOuterStopCancels) {
  std::stop_source outer;
  TaskGroup group(outer.get_token());
  group.run([](std::stop_token stop) -> Status {
    BoundedQueue<int> never(1);
    (void)never.pop(stop);
    return {};
  });
  outer.request_stop();
  auto status = group.wait();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind(), ErrorKind::cancelled);
}

TEST(ForEachParallel, DoesEveryItemOnce) {
  Guarded<std::vector<int>> seen(std::vector<int>(1000, 0));
  auto status = for_each_parallel(1000, 4, {}, [&](std::size_t i) -> Status {
    seen.with([&](auto& counts) { ++counts[i]; });
    return {};
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(*seen.lock(), std::vector<int>(1000, 1));
}

TEST(ForEachParallel, StopsAtTheFirstError) {
  std::atomic<std::size_t> done{0};
  auto status = for_each_parallel(1'000'000, 2, {}, [&](std::size_t i) -> Status {
    ++done;
    if (i == 3) return Error(ErrorKind::corrupt, "three");
    return {};
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message(), "three");
  EXPECT_LT(done, 1'000'000u);
}

}  // namespace
}  // namespace lb
