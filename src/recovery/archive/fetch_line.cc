#include "recovery/archive/fetch_line.h"

#include <algorithm>
#include <utility>

#include "foundation/base/text.h"
#include "stores/postgres/archived_file.h"

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

Result<std::optional<FetchedSegment>> FetchLine::get(std::uint32_t timeline, std::uint64_t segment,
                                                     const std::string& folder) {
  const Place place{timeline, segment};
  auto ahead = take_ahead(place, folder);
  if (ahead) {
    look_ahead(place, folder);
    return ahead;
  }
  auto read = repository_.get_log({options_.log_id, timeline, segment});
  if (!read.ok() && read.error().kind() == ErrorKind::not_found)
    return std::optional<FetchedSegment>();
  auto bytes = LB_TRY(std::move(read));
  // A server asks every timeline for a segment: only where it is found the next ones are wanted.
  look_ahead(place, folder);
  // A tail of a few bytes does not make a header yet.
  if (bytes.size() < pg::long_header_bytes) return std::optional<FetchedSegment>();
  bytes.resize(std::max<std::size_t>(bytes.size(), options_.segment_bytes));
  LB_TRY(check(place, bytes));
  return std::optional<FetchedSegment>(FetchedSegment{std::move(bytes), nullptr});
}

Status FetchLine::check(const Place& place, ByteView bytes) const {
  const auto text = pg::segment_name(place.first, place.second, options_.segment_bytes);
  const auto name = pg::parse_archived_name(text);
  if (!name) return Error(ErrorKind::internal, cat("impossible segment ", text));
  return pg::check_segment(*name, bytes, options_.system_identifier)
      .context(cat("what the repository holds as ", text))
      .status();
}

// Waits for one that is being read. nullopt: not read ahead, or not to be had that way.
std::optional<FetchedSegment> FetchLine::take_ahead(const Place& place, const std::string& folder) {
  std::unique_lock lock(mutex_);
  const auto found = pieces_.find(place);
  if (found == pieces_.end()) return std::nullopt;
  const auto piece = found->second;
  using State = Piece::State;
  if (piece->state == State::waiting) piece->state = State::gone;  // faster by ourselves
  const auto settled = [&] { return piece->state == State::ready || piece->state == State::gone; };
  (void)changed_.wait(lock, workers_.token(), settled);
  pieces_.erase(place);
  if (piece->state != State::ready || piece->folder != folder) return std::nullopt;
  return std::move(piece->found);
}

void FetchLine::look_ahead(const Place& from, const std::string& folder) {
  const auto depth = options_.ahead_bytes / options_.segment_bytes;
  std::unique_lock lock(mutex_);
  // A server that went elsewhere does not come back for these.
  std::erase_if(pieces_, [&](const auto& entry) {
    const auto& place = entry.first;
    return place.first != from.first || place.second <= from.second ||
           place.second > from.second + depth || entry.second->state == Piece::State::gone;
  });
  for (std::uint64_t n = 1; n <= depth; ++n) {
    auto& piece = pieces_[{from.first, from.second + n}];
    if (piece) continue;
    piece = std::make_shared<Piece>();
    piece->folder = folder;
  }
  changed_.notify_all();
}

FetchLine::PiecePtr FetchLine::next_piece(Place& place, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  PiecePtr piece;
  const auto look = [&] {
    const auto found = std::find_if(pieces_.begin(), pieces_.end(), [](const auto& entry) {
      return entry.second->state == Piece::State::waiting;
    });
    if (found == pieces_.end()) return false;
    place = found->first;
    piece = found->second;
    return true;
  };
  if (!changed_.wait(lock, stop, look)) return nullptr;
  piece->state = Piece::State::running;
  return piece;
}

// One that is not whole may grow until it is asked for; what fails is tried again then.
std::optional<FetchedSegment> FetchLine::read_ahead(const Place& place, const std::string& folder) {
  auto read = repository_.get_log({options_.log_id, place.first, place.second});
  const bool whole = read.ok() && read->size() == options_.segment_bytes;
  if (!whole || !check(place, *read).ok()) return std::nullopt;
  auto file = NamelessFile::write(folder, *read);
  if (file.ok()) return FetchedSegment{{}, std::move(file).take()};
  return FetchedSegment{std::move(read).take(), nullptr};
}

Status FetchLine::work(const std::stop_token& stop) {
  Place place;
  while (const auto piece = next_piece(place, stop)) {
    auto found = read_ahead(place, piece->folder);
    std::unique_lock lock(mutex_);
    piece->state = found ? Piece::State::ready : Piece::State::gone;
    if (found) piece->found = std::move(*found);
    changed_.notify_all();
  }
  return {};
}

}  // namespace lb::archive
