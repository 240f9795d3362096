#include "storage/blob/shared_flush_blob_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "foundation/base/text.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/blob/memory_blob_store.h"

namespace lb {
namespace {

// Eight threads that put and flush while each flush of the store is slow: what was put before is
// durable after, with fewer flushes than threads.
TEST(SharedFlush, ThreadsThatWaitShareABarrierThatCoversThemAll) {
  MemoryBlobStore memory;
  CountingBlobStore counted(memory);
  FaultPlan slow;
  slow.nth = 1'000'000;
  slow.only = BlobCall::flush;
  slow.before = [](const std::string&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
  FaultBlobStore store(counted, slow);
  SharedFlushBlobStore shared(store);
  constexpr int threads = 8, rounds = 5;
  std::latch begin(threads);
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> running;
    for (int n = 0; n < threads; ++n) {
      running.emplace_back([&, n] {
        begin.arrive_and_wait();
        for (int round = 0; round < rounds; ++round) {
          const auto key = cat("w/", n, "/", round);
          if (!shared.put(key, view_of("x")).ok() || !shared.flush().ok()) ++failed;
        }
      });
    }
  }
  EXPECT_EQ(failed, 0);
  const auto flushes = counted.counts().flushes;
  EXPECT_GE(flushes, 5U);
  EXPECT_LE(flushes, 20U) << "of " << threads * rounds << " asked for";
  memory.crash();
  EXPECT_EQ(memory.list("w/", {})->size(), 40U);
}

// A store whose flush is done and not yet told when somebody puts another object.
class HeldFlush final : public BlobStore {
 public:
  explicit HeldFlush(MemoryBlobStore& inner) : inner_(inner) {}
  Status flush() override {
    auto flushed = inner_.flush();
    if (count_++ == 0) {
      began.count_down();
      go_on.wait();
    }
    return flushed;
  }
  Status put(const std::string& key, ByteView bytes) override { return inner_.put(key, bytes); }
  Result<Buffer> get(const std::string& key) override { return inner_.get(key); }
  Result<Buffer> get_range(const std::string& key, std::uint64_t at, std::uint64_t size) override {
    return inner_.get_range(key, at, size);
  }
  Result<BlobInfo> info(const std::string& key) override { return inner_.info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    return inner_.list(prefix, after);
  }
  Status remove(const std::string& key) override { return inner_.remove(key); }
  std::string describe() const override { return "held"; }

  std::latch began{1}, go_on{1};

 private:
  MemoryBlobStore& inner_;
  std::atomic<int> count_ = 0;
};

TEST(SharedFlush, AFlushThatBeganBeforeAPutDoesNotSpeakForIt) {
  MemoryBlobStore memory;
  HeldFlush held(memory);
  SharedFlushBlobStore shared(held);
  std::jthread first([&] { EXPECT_TRUE(shared.flush().ok()); });
  held.began.wait();
  ASSERT_TRUE(shared.put("late", view_of("x")).ok());
  std::atomic<bool> told = false;
  std::jthread second([&] {
    EXPECT_TRUE(shared.flush().ok());
    told = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(told);
  held.go_on.count_down();
  second.join();
  memory.crash();
  EXPECT_TRUE(memory.info("late").ok());
}

TEST(SharedFlush, AllWhoShareAFailureLearnOfIt) {
  MemoryBlobStore memory;
  FaultPlan plan;
  plan.lasting = true;
  plan.only = BlobCall::flush;
  FaultBlobStore broken(memory, plan);
  SharedFlushBlobStore shared(broken);
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> running;
    for (int n = 0; n < 6; ++n)
      running.emplace_back([&] { refused += shared.flush().ok() ? 0 : 1; });
  }
  EXPECT_EQ(refused, 6);
}

}  // namespace
}  // namespace lb
