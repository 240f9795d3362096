#include "recovery/archive/fetch_line.h"

#include <algorithm>
#include <utility>

namespace lb::archive {

FetchLine::FetchLine(repo::Repository& repository, FetchLineOptions options)
    : repository_(repository), options_(std::move(options)) {
  for (unsigned n = 0; n < options_.workers; ++n)
    workers_.run([this](const std::stop_token& stop) { return work(stop); });
}

FetchLine::~FetchLine() {
  workers_.stop();
  (void)workers_.wait();  // what was read ahead is of no more use
}

Result<std::optional<Buffer>> FetchLine::get(std::uint32_t timeline, std::uint64_t segment) {
  const Place place{timeline, segment};
  auto ahead = take_ahead(place);
  look_ahead(place);
  if (ahead) return ahead;
  auto read = repository_.get_log({options_.log_id, timeline, segment});
  if (!read.ok() && read.error().kind() == ErrorKind::not_found) return std::optional<Buffer>();
  auto bytes = LB_TRY(std::move(read));
  bytes.resize(std::max<std::size_t>(bytes.size(), options_.segment_bytes));
  return std::optional<Buffer>(std::move(bytes));
}

// Waits for one that is being read. nullopt: not read ahead, or not to be had that way.
std::optional<Buffer> FetchLine::take_ahead(const Place& place) {
  std::unique_lock lock(mutex_);
  const auto found = pieces_.find(place);
  if (found == pieces_.end()) return std::nullopt;
  const auto piece = found->second;
  using State = Piece::State;
  if (piece->state == State::waiting) piece->state = State::gone;  // faster by ourselves
  const auto settled = [&] { return piece->state == State::ready || piece->state == State::gone; };
  (void)changed_.wait(lock, workers_.token(), settled);
  pieces_.erase(place);
  if (piece->state != State::ready) return std::nullopt;
  return std::move(piece->bytes);
}

void FetchLine::look_ahead(const Place& from) {
  const auto depth = options_.memory_bytes / options_.segment_bytes;
  std::unique_lock lock(mutex_);
  // A server that went elsewhere does not come back for these.
  std::erase_if(pieces_, [&](const auto& entry) {
    const auto& place = entry.first;
    return place.first != from.first || place.second <= from.second ||
           place.second > from.second + depth || entry.second->state == Piece::State::gone;
  });
  for (std::uint64_t n = 1; n <= depth; ++n) {
    auto& piece = pieces_[{from.first, from.second + n}];
    if (!piece) piece = std::make_shared<Piece>();
  }
  changed_.notify_all();
}

Status FetchLine::work(const std::stop_token& stop) {
  for (;;) {
    Place place;
    PiecePtr piece;
    {
      std::unique_lock lock(mutex_);
      const auto look = [&] {
        const auto found = std::find_if(pieces_.begin(), pieces_.end(), [](const auto& entry) {
          return entry.second->state == Piece::State::waiting;
        });
        if (found == pieces_.end()) return false;
        place = found->first;
        piece = found->second;
        return true;
      };
      if (!changed_.wait(lock, stop, look)) return {};
      piece->state = Piece::State::running;
    }
    auto read = repository_.get_log({options_.log_id, place.first, place.second});
    // One that is not whole may grow until it is asked for; what failed is tried again then.
    const bool whole = read.ok() && read->size() == options_.segment_bytes;
    std::unique_lock lock(mutex_);
    piece->state = whole ? Piece::State::ready : Piece::State::gone;
    if (whole) piece->bytes = std::move(read).take();
    changed_.notify_all();
  }
}

}  // namespace lb::archive
