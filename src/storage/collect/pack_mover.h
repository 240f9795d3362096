// PackMover: moves what is live in an old pack, frame by frame: whole, or the chunks that are named
// out of a frame that is opened, once these were compared with their ids. Used by Repacker.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "storage/collect/moved_packs.h"
#include "storage/collect/repack_plan.h"

namespace lb::repo {

class PackMover {
 public:
  PackMover(const Core& core, MovedPackWriter& out, std::stop_token stop)
      : core_(core), out_(out), stop_(std::move(stop)) {}

  // `places` gets where the frames are, as MovedPackWriter says it. corrupt: the pack is damaged.
  Status run(const RepackPlan::Pack& pack, MovedPack& places);
  // Frames that were moved as they were though they should have been opened.
  const std::vector<std::string>& damaged() const { return damaged_; }

 private:
  struct OldPack;

  Result<MovedFrame> move_frame(OldPack& old, std::uint32_t number, ByteView form,
                                MovedPack& places);
  bool holds(ByteView plain, const std::vector<FooterChunk>& chunks);

  const Core& core_;
  MovedPackWriter& out_;
  const std::stop_token stop_;
  std::vector<Digest> digests_;
  std::vector<std::string> damaged_;
};

}  // namespace lb::repo
