// A BlobStore in memory, for tests and simulation. Thread-safe. crash() forgets what was never
// flushed.
#pragma once

#include <map>
#include <set>

#include "foundation/flow/guarded.h"
#include "storage/blob/blob_store.h"

namespace lb {

class MemoryBlobStore final : public BlobStore {
 public:
  Status put(const std::string& key, ByteView bytes) override;
  Status flush() override;
  Result<Buffer> get(const std::string& key) override;
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override;
  Result<BlobInfo> info(const std::string& key) override;
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override;
  Status remove(const std::string& key) override;
  std::string describe() const override { return "memory"; }

  // The worst a power cut may do: every put since the last flush is gone.
  void crash();
  // Bytes changed behind the store's back, as a bad disk would. The key must exist.
  void tamper(const std::string& key, Buffer bytes);

 private:
  struct State {
    std::map<std::string, Buffer> objects;
    std::set<std::string> unflushed;
  };
  Guarded<State> state_;
};

}  // namespace lb
