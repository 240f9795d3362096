// PieceSink: takes what a fetch of a part of a file brings, piece by piece. The
// part is a row made by part_of; several threads may give.
#pragma once

#include <atomic>
#include <vector>

#include "recovery/mount/pieces.h"
#include "storage/repo/repository.h"

namespace lb::mount {

class PieceSink final : public repo::FetchSink {
 public:
  PieceSink(const std::vector<Piece>& pieces, std::size_t first, std::size_t last);

  Status data(std::size_t row, std::uint64_t offset, ByteView bytes) override;
  Status done(std::size_t) override { return {}; }
  bool whole(std::size_t piece) const;  // all of its bytes came
  Buffer take(std::size_t piece) { return std::move(buffers_[piece - first_]); }

 private:
  const std::vector<Piece>& pieces_;
  const std::size_t first_;
  std::vector<Buffer> buffers_;
  std::vector<std::atomic<std::uint64_t>> got_;
};

}  // namespace lb::mount
