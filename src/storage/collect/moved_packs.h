// MovedPackWriter: writes frames of old packs into new ones, as they were: decrypted under the old
// key and sealed under the new, not decompressed. Puts packs and their indexes. Memory: one pack.
#pragma once

#include <string>
#include <vector>

#include "storage/repo/core.h"
#include "storage/repo/index_object.h"
#include "storage/repo/moved.h"
#include "storage/repo/pack_format.h"

namespace lb::repo {

class MovedPackWriter {
 public:
  MovedPackWriter(const Core& core, std::string session);

  // `form`: what an opened frame was before sealing; `frame`: what the old footer says of it.
  // Returns where it is now; `frame` of the result is left to the caller.
  Result<MovedFrame> add(ByteView form, const FooterFrame& frame);
  // Puts the rest. Everything is durable when it returns.
  Status finish();

  const std::vector<StoredPack>& packs() const { return packs_; }  // whole after finish()
  std::uint64_t stored_bytes() const { return stored_bytes_; }

 private:
  void open();
  Status close();
  Status put_index();

  const Core& core_;
  const std::string session_;
  const std::size_t pack_bytes_max_;
  std::vector<StoredPack> packs_;  // the last is open while `frames_` has any
  PackKey key_;
  Buffer bytes_;
  std::vector<FooterFrame> frames_;
  std::size_t chunks_ = 0;
  Index index_;
  std::uint32_t next_index_ = 0;
  std::uint64_t stored_bytes_ = 0;
};

}  // namespace lb::repo
