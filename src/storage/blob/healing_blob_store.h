// HealingBlobStore: a store with copies behind it, for reading. It gives what the store gives;
// readers that find an object missing or damaged ask its copies (BlobStore::copy). Copies are
// opened when first needed. What was healed is remembered, never silent. Writing goes to the store
// alone. Thread-safe.
#pragma once

#include <functional>
#include <map>

#include "foundation/flow/guarded.h"
#include "storage/blob/blob_store.h"

namespace lb {

struct CopySource {
  std::string name;  // for people
  std::function<Result<std::unique_ptr<BlobStore>>()> open;
};

class HealingBlobStore final : public BlobStore {
 public:
  // `copies`: the nearest first. `on_trouble` is told once of each that cannot be opened.
  HealingBlobStore(BlobStore& inner, std::vector<CopySource> copies,
                   std::function<void(const std::string&)> on_trouble);

  Status put(const std::string& key, ByteView bytes) override { return inner_.put(key, bytes); }
  Status flush() override { return inner_.flush(); }
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
  // Of the log, what any place has: a segment that is lost here is found in a copy. Of all else,
  // what the store has: it says which points there are.
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override;
  Status remove(const std::string& key) override { return inner_.remove(key); }
  Status retain(const std::string& key, Timestamp until) override {
    return inner_.retain(key, until);
  }
  Result<std::optional<Timestamp>> locked_until(const std::string& key) override {
    return inner_.locked_until(key);
  }
  unsigned requests_at_once() const override { return inner_.requests_at_once(); }
  std::string describe() const override { return inner_.describe(); }

  BlobStore* copy(std::size_t number) override;
  void healed(const std::string& key, std::size_t number) override;

  // Object -> name of the copy that had it.
  std::map<std::string, std::string> all_healed();

 private:
  struct Place {
    CopySource source;
    bool tried = false;
    std::unique_ptr<BlobStore> store;  // null: could not be opened
  };
  struct State {
    std::vector<Place> places;
    std::map<std::string, std::string> healed;
  };
  BlobStore* opened(State& state, std::size_t number);

  BlobStore& inner_;
  const std::function<void(const std::string&)> on_trouble_;
  Guarded<State> state_;
};

}  // namespace lb
