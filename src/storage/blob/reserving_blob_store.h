// ReservingBlobStore: a store on a disk of this host whose last free space is left to others.
// Before prune deletes anything it puts on record what it deletes, so a disk that backups fill to
// the last byte could never be freed again. Whoever adds content writes through this; who frees or
// mends does not. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "foundation/sys/files.h"
#include "storage/blob/blob_store.h"

namespace lb {

// What of a disk of this size is left free.
std::uint64_t reserve_of(std::uint64_t total);

class ReservingBlobStore final : public BlobStore {
 public:
  // `folder` is where `inner` keeps its objects.
  ReservingBlobStore(std::unique_ptr<BlobStore> inner, Files& files, std::string folder)
      : inner_(std::move(inner)), files_(files), folder_(std::move(folder)) {}

  // exhausted (exit 22), and nothing written, when the object would take of the reserve.
  Status put(const std::string& key, ByteView bytes) override;

  Status flush() override { return inner_->flush(); }
  Result<Buffer> get(const std::string& key) override { return inner_->get(key); }
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override {
    return inner_->get_range(key, offset, size);
  }
  Status get_range_into(const std::string& key, std::uint64_t offset, MutableBytes out) override {
    return inner_->get_range_into(key, offset, out);
  }
  Result<Buffer> get_tail(const std::string& key, std::uint64_t size) override {
    return inner_->get_tail(key, size);
  }
  Result<BlobInfo> info(const std::string& key) override { return inner_->info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    return inner_->list(prefix, after);
  }
  Status remove(const std::string& key) override { return inner_->remove(key); }
  Status retain(const std::string& key, Timestamp until) override {
    return inner_->retain(key, until);
  }
  Result<std::optional<Timestamp>> locked_until(const std::string& key) override {
    return inner_->locked_until(key);
  }
  BlobStore* copy(std::size_t number) override { return inner_->copy(number); }
  void healed(const std::string& key, std::size_t number) override { inner_->healed(key, number); }
  unsigned requests_at_once() const override { return inner_->requests_at_once(); }
  std::string describe() const override { return inner_->describe(); }

 private:
  Status check_room(const std::string& key, std::uint64_t writing) const;

  const std::unique_ptr<BlobStore> inner_;
  Files& files_;
  const std::string folder_;
  std::atomic<std::uint64_t> writing_{0};  // bytes of puts that run
};

}  // namespace lb
