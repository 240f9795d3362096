#include "storage/collect/live_frames.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "storage/repo/format.h"

namespace lb::repo {

namespace {

constexpr std::uint32_t points = 16;
constexpr std::uint32_t distance = frame_bytes_max / points;
// In frames that were filled; of short ones, which end with the chunk that filled them, few reach
// as far as most long ones do.
constexpr std::uint32_t short_points = frame_bytes / distance;
constexpr std::uint32_t long_points = long_frame_bytes / distance;
constexpr std::uint32_t between_points = (short_points + long_points) / 2;
// Of so many frames few can be short of full, and a part that is not named is taken for unneeded.
constexpr std::size_t many_frames = 16;

std::uint32_t place_of(std::uint32_t point) { return distance / 2 + point * distance; }

// A bit for each point that lies before this place.
std::uint32_t points_before(std::uint64_t place) {
  auto count = std::min<std::uint64_t>((place + distance / 2 - 1) / distance, points);
  return place == 0 ? 0 : (1u << count) - 1;
}

// What of the new frame a point lies in, as a place in the old one.
std::optional<std::uint32_t> place_before(std::uint32_t place, const MovedPack& moves,
                                          const MovedFrame& moved) {
  if (moved.whole()) return place;
  std::uint32_t begin = moved.base;
  for (const auto& run : moves.runs_of(moved)) {
    if (begin <= place && place < begin + run.length) return run.offset + (place - begin);
    begin += run.length;
  }
  return std::nullopt;
}

}  // namespace

void LiveChunks::add(const LiveChunk& chunk) {
  if (!chunks_.empty() && chunks_.back() == chunk) return;
  chunks_.push_back(chunk);
  if (chunks_.size() >= 2 * sorted_ + 64) (void)list();
}

const std::vector<LiveChunk>& LiveChunks::list() {
  if (sorted_ == chunks_.size()) return chunks_;
  std::sort(chunks_.begin(), chunks_.end());
  chunks_.erase(std::unique(chunks_.begin(), chunks_.end()), chunks_.end());
  sorted_ = chunks_.size();
  return chunks_;
}

void FrameSet::name(std::uint32_t frame, std::uint32_t size) {
  if (has(frame)) return;
  if (frame >= named_.size()) {
    named_.resize(frame + 1);
    points_.resize(frame + 1);
  }
  named_[frame] = true;
  bytes_ += size;
}

void FrameSet::add(const LiveChunk& chunk, std::uint32_t size) {
  name(chunk.frame, size);
  auto end = points_before(std::uint64_t{chunk.offset} + chunk.length);
  points_[chunk.frame] |= static_cast<std::uint16_t>(end & ~points_before(chunk.offset));
}

void FrameSet::add_moved(const FrameSet& from, const MovedPack& moves, const MovedFrame& moved) {
  name(moved.number, moved.size);
  auto before = from.points_[moved.frame];
  for (std::uint32_t point = 0; point < points; ++point) {
    auto place = place_before(place_of(point), moves, moved);
    if (!place || (before >> (*place / distance) & 1) == 0) continue;
    points_[moved.number] |= static_cast<std::uint16_t>(1u << point);
  }
}

std::vector<std::uint32_t> FrameSet::numbers() const {
  std::vector<std::uint32_t> out;
  for (std::uint32_t frame = 0; frame < named_.size(); ++frame) {
    if (named_[frame]) out.push_back(frame);
  }
  return out;
}

// A pack is of one kind: its frames come from one store.
std::uint32_t FrameSet::full_points() const {
  std::size_t far = 0, count = 0;
  for (std::uint32_t frame = 0; frame < named_.size(); ++frame) {
    if (!named_[frame]) continue;
    ++count;
    if (std::cmp_greater_equal(std::bit_width(points_[frame]), between_points)) ++far;
  }
  return 4 * far > count ? long_points : short_points;
}

// How long a frame is its names do not say.
std::uint64_t FrameSet::live_bytes() const {
  const auto full = full_points();
  std::uint64_t covered = 0, all = 0;
  for (std::uint32_t frame = 0; frame < named_.size(); ++frame) {
    if (!named_[frame]) continue;
    auto count = static_cast<std::uint32_t>(std::popcount(points_[frame]));
    auto reach = static_cast<std::uint32_t>(std::bit_width(points_[frame]));
    bool may_be_short = named_.size() < many_frames && count == reach;
    auto length = std::max(full, reach);
    covered += may_be_short ? length : count;
    all += length;
  }
  return all == 0 ? 0 : bytes_ * covered / all;
}

std::uint64_t FrameSet::live_bytes(const PackShape& shape) const {
  std::uint64_t out = 0;
  for (std::uint32_t frame = 0; frame < named_.size() && frame < shape.frames.size(); ++frame) {
    if (!named_[frame]) continue;
    const auto& [sealed, plain] = shape.frames[frame];
    auto all = static_cast<std::uint32_t>(std::popcount(points_before(plain)));
    auto covered = static_cast<std::uint32_t>(std::popcount(points_[frame]));
    out += all == 0 ? sealed : std::uint64_t{sealed} * std::min(covered, all) / all;
  }
  return out;
}

}  // namespace lb::repo
