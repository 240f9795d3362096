#include "storage/repo/open_pack.h"

#include <algorithm>

#include "foundation/base/assert.h"

namespace lb::repo {

void OpenPack::append(ByteView more) {
  if (used + more.size() > room) {
    room = used + more.size();
    auto larger = make_page_bytes(room);
    std::copy_n(bytes.get(), used, larger.get());
    bytes = std::move(larger);
  }
  std::copy(more.begin(), more.end(), bytes.get() + used);
  used += more.size();
}

std::size_t OpenPack::reserve(const ChunkFrame& frame, std::size_t sealed_bytes) {
  FooterFrame footer;
  footer.offset = used;
  footer.sealed_bytes = static_cast<std::uint32_t>(sealed_bytes);
  footer.plain_bytes = static_cast<std::uint32_t>(frame.plain.size());
  footer.chunks.reserve(frame.chunks.size());
  std::uint32_t offset = 0;
  for (const auto& [id, length] : frame.chunks) {
    footer.chunks.push_back({id, offset, length});
    offset += length;
  }
  frames.push_back(std::move(footer));
  used += sealed_bytes;
  LB_ASSERT(used <= room);
  ++pending;
  chunks += frame.chunks.size();
  return used - sealed_bytes;
}

void PackBuffers::lend_to(OpenPack& pack) {
  LB_ASSERT(left_ > 0);
  --left_;
  pack.room = bytes_;
  if (spare_.empty()) {
    pack.bytes = make_page_bytes(bytes_);
    return;
  }
  pack.bytes = std::move(spare_.back());
  spare_.pop_back();
}

void PackBuffers::take_back(OpenPack& pack) {
  ++left_;
  // One that had to grow for a long footer would be larger than what was planned.
  if (pack.room == bytes_) spare_.push_back(std::move(pack.bytes));
  pack.bytes.reset();
}

}  // namespace lb::repo
