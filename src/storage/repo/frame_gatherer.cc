#include "storage/repo/frame_gatherer.h"

#include <thread>

#include "foundation/base/assert.h"
#include "storage/repo/format.h"

namespace lb::repo {

FrameGatherer::Lane& FrameGatherer::lane_of_thread() {
  auto hash = std::hash<std::thread::id>{}(std::this_thread::get_id());
  return lanes_[hash % lanes_.size()];
}

ChunkFrame FrameGatherer::fresh() {
  std::lock_guard lock(spare_mutex_);
  if (spare_.empty()) return {};
  auto out = std::move(spare_.back());
  spare_.pop_back();
  return out;
}

std::optional<ChunkFrame> FrameGatherer::add(const Digest& id, ByteView bytes, std::size_t full) {
  LB_ASSERT(bytes.size() <= frame_bytes_max);
  auto& lane = lane_of_thread();
  std::lock_guard lock(lane.mutex);
  auto& frame = lane.frame;
  std::optional<ChunkFrame> out;
  auto used = frame.plain.size();
  if (used > 0 && (used >= full || used + bytes.size() > frame_bytes_max)) {
    out = std::exchange(frame, {});
  }
  if (frame.plain.capacity() == 0) frame = fresh();
  // Once for the life of the buffer: growing step by step would copy all of it several times.
  if (frame.plain.capacity() < frame_bytes_max) frame.plain.reserve(frame_bytes_max);
  frame.plain.insert(frame.plain.end(), bytes.begin(), bytes.end());
  frame.chunks.emplace_back(id, static_cast<std::uint32_t>(bytes.size()));
  return out;
}

std::vector<ChunkFrame> FrameGatherer::take_rest() {
  std::vector<ChunkFrame> out;
  for (auto& lane : lanes_) {
    std::lock_guard lock(lane.mutex);
    if (!lane.frame.chunks.empty()) out.push_back(std::exchange(lane.frame, {}));
  }
  return out;
}

void FrameGatherer::give_back(ChunkFrame frame) {
  frame.plain.clear();
  frame.chunks.clear();
  std::lock_guard lock(spare_mutex_);
  if (spare_.size() < spare_max_) spare_.push_back(std::move(frame));
}

}  // namespace lb::repo
