// Decorators for tests and simulation. FaultBlobStore lets chosen calls of another store go wrong
// the way real stores do; CountingBlobStore counts calls and bytes. Both thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "foundation/flow/guarded.h"
#include "storage/blob/blob_store.h"

namespace lb {

enum class BlobCall { put, flush, get, get_range, info, list, remove };

enum class BlobFault {
  fail,               // unavailable; nothing happened
  full,               // exhausted; nothing happened (of put; others: as fail)
  timed_out_applied,  // timeout; the call took effect
  timed_out,          // timeout; it did not
  flip,               // a read comes back with one bit changed (others: as fail)
  truncate,           // a read comes back shorter (others: as fail)
};

struct FaultPlan {
  std::uint64_t nth = 0;  // the call that goes wrong, counted from 0 over all matching calls
  BlobFault fault = BlobFault::fail;
  bool lasting = false;               // all later matching calls too
  std::optional<BlobCall> only = {};  // match this call alone
  std::string prefix = {};            // match keys (or list prefixes) that start so
  std::function<void(const std::string&)> before =
      {};                         // called before every matching call, may block
  unsigned requests_at_once = 1;  // as if it were so far away
};

class FaultBlobStore final : public BlobStore {
 public:
  FaultBlobStore(BlobStore& inner, FaultPlan plan) : inner_(inner), plan_(std::move(plan)) {}

  Status put(const std::string& key, ByteView bytes) override;
  Status flush() override;
  Result<Buffer> get(const std::string& key) override;
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override;
  Result<BlobInfo> info(const std::string& key) override;
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override;
  Status remove(const std::string& key) override;
  Status retain(const std::string& key, Timestamp until) override {
    return inner_.retain(key, until);
  }
  Result<std::optional<Timestamp>> locked_until(const std::string& key) override {
    return inner_.locked_until(key);
  }
  unsigned requests_at_once() const override { return plan_.requests_at_once; }
  std::string describe() const override { return inner_.describe(); }

  bool fired() const { return fired_; }
  std::uint64_t calls() const { return calls_; }

 private:
  std::optional<BlobFault> next(BlobCall call, const std::string& key);

  BlobStore& inner_;
  const FaultPlan plan_;
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<bool> fired_{false};
};

struct BlobCounts {
  std::uint64_t puts = 0, gets = 0, lists = 0, removes = 0, flushes = 0;
  std::uint64_t put_bytes = 0, got_bytes = 0;
};

class CountingBlobStore final : public BlobStore {
 public:
  explicit CountingBlobStore(BlobStore& inner) : inner_(inner) {}

  Status put(const std::string& key, ByteView bytes) override;
  Status flush() override;
  Result<Buffer> get(const std::string& key) override;
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override;
  Result<BlobInfo> info(const std::string& key) override { return inner_.info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override;
  Status remove(const std::string& key) override;
  Status retain(const std::string& key, Timestamp until) override {
    return inner_.retain(key, until);
  }
  Result<std::optional<Timestamp>> locked_until(const std::string& key) override {
    return inner_.locked_until(key);
  }
  std::string describe() const override { return inner_.describe(); }

  BlobCounts counts() { return *counts_.lock(); }

 private:
  BlobStore& inner_;
  Guarded<BlobCounts> counts_;
};

}  // namespace lb
