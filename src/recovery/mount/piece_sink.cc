#include "recovery/mount/piece_sink.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::mount {

PieceSink::PieceSink(const std::vector<Piece>& pieces, std::size_t first, std::size_t last)
    : pieces_(pieces), first_(first), buffers_(last - first), got_(last - first) {
  for (auto i = first; i < last; ++i) buffers_[i - first].resize(pieces[i].size);
}

Status PieceSink::data(std::size_t, std::uint64_t offset, ByteView bytes) {
  auto at = pieces_[first_].offset + offset;
  auto number = piece_at(pieces_, at);
  bool inside = number >= first_ && number < first_ + buffers_.size() &&
                bytes.size() <= pieces_[number].size - (at - pieces_[number].offset);
  if (!inside) return Error(ErrorKind::internal, cat("content at ", at, " that was not asked for"));
  auto& buffer = buffers_[number - first_];
  std::copy(bytes.begin(), bytes.end(),
            buffer.begin() + static_cast<std::ptrdiff_t>(at - pieces_[number].offset));
  got_[number - first_] += bytes.size();
  return {};
}

bool PieceSink::whole(std::size_t piece) const {
  return got_[piece - first_] == pieces_[piece].size;
}

}  // namespace lb::mount
