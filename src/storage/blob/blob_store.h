// BlobStore: the object store seam. Keys are ASCII paths ("p/0abc/00"); values are immutable: a key
// is written once and never overwritten. Implementations: directory, S3, memory; decorators: fault,
// count. Thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"

namespace lb {

struct BlobInfo {
  std::string key;
  std::uint64_t size = 0;
  Timestamp modified{};  // when it was put, by the store's clock; the epoch when it does not say
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // Create-if-absent. conflict: the key exists (its content is untouched). timeout: it may have
  // landed, look first. Durable once flush() has returned ok. A crash never leaves a torn object
  // under `key`.
  virtual Status put(const std::string& key, ByteView bytes) = 0;
  // Everything put before is durable when this returns ok.
  virtual Status flush() = 0;
  virtual Result<Buffer> get(const std::string& key) = 0;  // not_found
  // Exactly `size` bytes at `offset`; an object that is shorter is ErrorKind::corrupt.
  virtual Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                                   std::uint64_t size) = 0;
  // The same into the caller's memory, which it fills.
  virtual Status get_range_into(const std::string& key, std::uint64_t offset, MutableBytes out) {
    auto bytes = LB_TRY(get_range(key, offset, out.size()));
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return {};
  }
  // The last `size` bytes of an object; all of it when it has no more.
  virtual Result<Buffer> get_tail(const std::string& key, std::uint64_t size);
  virtual Result<BlobInfo> info(const std::string& key) = 0;
  // Keys with this prefix, sorted, strictly after `after` when it is not empty.
  virtual Result<std::vector<BlobInfo>> list(const std::string& prefix,
                                             const std::string& after = {}) = 0;
  // Missing is ok. denied: the store keeps it under a lock that has not ended yet.
  virtual Status remove(const std::string& key) = 0;
  // Nobody can delete the object before `until`: extended, never shortened. unsupported where the
  // store has no locks, which is most of them.
  virtual Status retain(const std::string& key, Timestamp until);
  // Until when nobody can delete the object; nothing when whoever has the right to delete can.
  virtual Result<std::optional<Timestamp>> locked_until(const std::string& /*key*/) {
    return std::optional<Timestamp>();
  }
  // Where else the objects may be had when what this store gives is missing or damaged, the nearest
  // first; null after the last. Whoever was helped says so with healed().
  virtual BlobStore* copy(std::size_t /*number*/) { return nullptr; }
  virtual void healed(const std::string& /*key*/, std::size_t /*number*/) {}
  // How many requests it takes at once to fill the way to the store; 1 where nothing is far away.
  virtual unsigned requests_at_once() const { return 1; }
  virtual std::string describe() const = 0;  // "directory /srv/backups", never a credential
};

}  // namespace lb
