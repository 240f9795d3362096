// SharedFlushBlobStore: lets threads that wait for the same barrier share one. A flush serves all
// who asked for it before it began; who comes later waits for the next. All other calls go
// straight to the store behind it. Thread-safe.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "storage/blob/blob_store.h"

namespace lb {

class SharedFlushBlobStore final : public BlobStore {
 public:
  explicit SharedFlushBlobStore(BlobStore& inner) : inner_(inner) {}

  Status flush() override;

  Status put(const std::string& key, ByteView bytes) override { return inner_.put(key, bytes); }
  Result<Buffer> get(const std::string& key) override { return inner_.get(key); }
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override {
    return inner_.get_range(key, offset, size);
  }
  Status get_range_into(const std::string& key, std::uint64_t offset, MutableBytes out) override {
    return inner_.get_range_into(key, offset, out);
  }
  Result<Buffer> get_tail(const std::string& key, std::uint64_t size) override {
    return inner_.get_tail(key, size);
  }
  Result<BlobInfo> info(const std::string& key) override { return inner_.info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    return inner_.list(prefix, after);
  }
  Status remove(const std::string& key) override { return inner_.remove(key); }
  Status retain(const std::string& key, Timestamp until) override {
    return inner_.retain(key, until);
  }
  Result<std::optional<Timestamp>> locked_until(const std::string& key) override {
    return inner_.locked_until(key);
  }
  BlobStore* copy(std::size_t number) override { return inner_.copy(number); }
  void healed(const std::string& key, std::size_t number) override { inner_.healed(key, number); }
  unsigned requests_at_once() const override { return inner_.requests_at_once(); }
  std::string describe() const override { return inner_.describe(); }

 private:
  struct Round {
    bool done = false;
    Status outcome;
  };

  BlobStore& inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool running_ = false;
  std::shared_ptr<Round> next_;  // shared by all who wait for it; null when nobody does
};

}  // namespace lb
