// MovedPackWriter: writes what is needed of old packs into new ones: whole frames as they were,
// decrypted under the old key and sealed under the new, not decompressed; and chunks out of frames
// that are not needed whole, put together into new frames. Puts packs and their indexes. Memory:
// one pack and one frame.
#pragma once

#include <span>
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
  Result<MovedFrame> add(const FormParts& form, const FooterFrame& frame);
  // Takes chunks out of an opened frame. Of the result `number` is that of a gathered frame, to be
  // looked up when all is written, and `base` says where in it they begin, one behind the other.
  Result<MovedFrame> gather(ByteView plain, std::span<const FooterChunk> chunks);
  const MovedFrame& gathered(std::uint32_t number) const { return gathered_[number]; }
  // Puts the rest. Everything is durable when it returns.
  Status finish();

  const std::vector<StoredPack>& packs() const { return packs_; }  // whole after finish()
  std::uint64_t stored_bytes() const { return stored_bytes_; }
  // That, and what is not put yet.
  std::uint64_t written_bytes() const {
    return stored_bytes_ + (frames_.empty() ? 0 : bytes_.size()) + plain_.size();
  }

 private:
  Status make_room();
  MovedFrame append(const FormParts& form, const FooterFrame& frame);
  Status seal_gathered();
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
  Buffer plain_;  // of the frame that is being gathered
  std::vector<FooterChunk> plain_chunks_;
  std::vector<MovedFrame> gathered_;
  Index index_;
  std::uint32_t next_index_ = 0;
  std::uint64_t stored_bytes_ = 0;
};

}  // namespace lb::repo
