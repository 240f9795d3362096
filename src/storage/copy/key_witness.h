// The witness that holds the keys of the repository: opens what it is shown. See witness.h.
#pragma once

#include <mutex>
#include <optional>
#include <set>

#include "storage/copy/witness.h"
#include "storage/repo/core.h"
#include "storage/repo/moves.h"

namespace lb::copy {

// corrupt unless the object opens whole under its key: every frame, and what its kind demands. Text
// objects prove only that they are whole. Objects of a kind unknown here are taken as they are.
Status prove_object(const repo::Core& core, const std::string& key, ByteView object);

class KeyWitness final : public Witness {
 public:
  explicit KeyWitness(const repo::Core& core) : core_(core) {}

  Status prove(const std::string& key, ByteView object) override {
    return prove_object(core_, key, object);
  }
  Result<std::vector<BlobInfo>> needs_of(const std::string& verdict_key, ByteView object) override;

 private:
  Status look();
  Result<std::vector<BlobInfo>> settled(const repo::Verdict& verdict, const Digest& digest);

  const repo::Core& core_;
  std::mutex mutex_;
  std::optional<std::set<std::string>> packs_;  // in the repository, when first needed
  std::optional<repo::Moves> moves_;
};

}  // namespace lb::copy
