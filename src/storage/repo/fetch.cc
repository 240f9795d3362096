// StoredSnapshot::fetch: content of many rows in pack order. Pieces that lie close together in a
// pack are read with one request; each frame is opened once, each chunk checked once, those of some
// frames side by side, and given to every row that has it. Memory: a window of pieces, and for each
// worker what one request brings and some opened frames.
#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <tuple>

#include "foundation/base/text.h"
#include "foundation/flow/task_group.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {

namespace {

constexpr std::uint64_t read_bytes_max = 4 << 20;
constexpr std::uint64_t far_read_bytes_max = 8 << 20;  // each request costs the store, too
constexpr std::uint64_t gap_bytes_max = 64 << 10;      // read over rather than asked for apart
constexpr std::size_t pieces_max = 64 << 10;           // looked at together
constexpr std::size_t frames_max = 4;  // opened together: enough chunks to fill lanes

// A piece of a row, and where it is read: where its extent says, or where that was moved.
struct Piece {
  const Extent* extent = nullptr;
  std::uint64_t row_offset = 0;
  std::size_t row = 0;
  std::uint32_t pack = 0;  // in the list of Fetch
  std::uint32_t frame = 0, frame_size = 0;
  std::uint64_t frame_offset = 0;
  std::uint32_t offset = 0;  // in the opened frame
};

// Pieces that lie one behind another in a frame as in their row: given as one.
struct Run {
  const Piece* first = nullptr;
  ByteView bytes;
  std::uint64_t pieces = 0;

  bool take(const Piece& piece, ByteView its) {
    bool joins = pieces > 0 && piece.row == first->row &&
                 piece.row_offset == first->row_offset + bytes.size() &&
                 its.data() == bytes.data() + bytes.size();
    if (!joins) return false;
    bytes = {bytes.data(), bytes.size() + its.size()};
    ++pieces;
    return true;
  }
};

struct Read {
  std::size_t first = 0, last = 0;  // pieces [first, last)
  std::uint64_t offset = 0, size = 0;
};

bool in_pack_order(const Piece& a, const Piece& b) {
  return std::tie(a.pack, a.frame_offset, a.offset) < std::tie(b.pack, b.frame_offset, b.offset);
}

std::vector<Read> reads_of(const std::vector<Piece>& pieces, std::uint64_t bytes_max) {
  std::vector<Read> out;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto& piece = pieces[i];
    auto end = piece.frame_offset + piece.frame_size;
    if (!out.empty()) {
      auto& last = out.back();
      bool joins = pieces[last.first].pack == piece.pack &&
                   piece.frame_offset <= last.offset + last.size + gap_bytes_max &&
                   end - last.offset <= bytes_max;
      if (joins) {
        last.size = std::max(last.size, end - last.offset);
        last.last = i + 1;
        continue;
      }
    }
    out.push_back({i, i + 1, piece.frame_offset, piece.frame_size});
  }
  return out;
}

bool same_frame(const Piece& a, const Piece& b) {
  return a.frame == b.frame && a.frame_offset == b.frame_offset && a.frame_size == b.frame_size;
}

// Gives pieces in windows: what one call holds does not grow with the rows.
class Pieces {
 public:
  explicit Pieces(std::span<const Row> rows) : rows_(rows.data()), count_(rows.size()) {}

  // Empty at the end.
  std::vector<Piece> next() {
    std::vector<Piece> out;
    for (; row_ < count_ && out.size() < pieces_max; ++row_, extent_ = 0, at_ = 0) {
      const auto& extents = rows_[row_].extents;
      for (; extent_ < extents.size() && out.size() < pieces_max; ++extent_) {
        const auto& extent = extents[extent_];
        if (!extent.hole && extent.length > 0) {
          out.push_back({&extent, at_, row_, extent.pack, extent.frame, extent.frame_size,
                         extent.frame_offset, extent.offset});
        }
        at_ += extent.length;
      }
      if (extent_ < extents.size()) break;
    }
    return out;
  }

 private:
  const Row* const rows_;  // the caller's, for the time of the call
  const std::size_t count_;
  std::size_t row_ = 0, extent_ = 0;
  std::uint64_t at_ = 0;
};

class Fetch {
 public:
  Fetch(StoredSnapshot& snapshot, std::span<const Row> rows, FetchSink& sink)
      : snapshot_(snapshot), rows_(rows.data()), sink_(sink), left_(rows.size()) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto& extents = rows[row].extents;
      left_[row] = static_cast<std::uint64_t>(
          std::count_if(extents.begin(), extents.end(),
                        [](const Extent& extent) { return !extent.hole && extent.length > 0; }));
    }
  }

  Status run(std::span<const Row> rows, unsigned workers, std::stop_token stop) {
    // Those who wait for a store that is far away leave the processor to the others. A caller that
    // wants one thread has others of its own.
    auto requests = snapshot_.core().blobs.requests_at_once();
    if (workers > 1 && requests > 1) workers += requests;
    const auto bytes_max = requests > 1 ? far_read_bytes_max : read_bytes_max;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (left_[row] == 0) LB_TRY(sink_.done(row));
    }
    Pieces pieces(rows);
    for (;;) {
      pieces_ = pieces.next();
      if (pieces_.empty()) return {};
      for (auto& piece : pieces_) LB_TRY(settle(piece));
      std::sort(pieces_.begin(), pieces_.end(), in_pack_order);
      reads_ = reads_of(pieces_, bytes_max);
      next_ = 0;
      TaskGroup group(stop);
      auto count = std::min<std::size_t>(std::max(1u, workers), reads_.size());
      for (std::size_t i = 0; i < count; ++i) {
        group.run([this](std::stop_token token) { return work(token); });
      }
      LB_TRY(group.wait());
    }
  }

 private:
  // What a worker keeps from one request to the next.
  struct Scratch {
    Buffer sealed;
    std::array<Buffer, frames_max> frames;  // room for opened ones
    std::vector<std::size_t> wanted;        // pieces that lie in them
    std::vector<ChunkCheck> checks;         // of these
    CheckScratch check;
  };

  // Turns a piece to where it lies now. Packs that were given up are few, or none: what is
  // there is asked once.
  Status settle(Piece& piece) {
    auto number = piece.pack;
    if (number < there_.size() && there_[number]) return {};
    auto pack = LB_TRY(snapshot_.pack_of(*piece.extent));
    auto place = snapshot_.frames().moved(pack, *piece.extent);
    if (!place) {
      if (number >= there_.size()) there_.resize(number + 1);
      there_[number] = true;
      return {};
    }
    auto first = static_cast<std::uint32_t>(snapshot_.verdict().packs.size());
    auto next = first + static_cast<std::uint32_t>(moved_.size());
    auto [found, added] = moved_numbers_.try_emplace(place->pack, next);
    if (added) moved_.push_back(place->pack);
    piece.pack = found->second;
    piece.frame = place->frame;
    piece.frame_offset = place->frame_offset;
    piece.frame_size = place->frame_size;
    piece.offset = place->offset;
    return {};
  }

  std::string pack_of(const Piece& piece) const {
    const auto& packs = snapshot_.verdict().packs;
    return piece.pack < packs.size() ? packs[piece.pack].name : moved_[piece.pack - packs.size()];
  }

  Status work(std::stop_token stop) {
    Scratch scratch;
    for (;;) {
      auto next = next_.fetch_add(1);
      if (next >= reads_.size()) return {};
      if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      LB_TRY(give(reads_[next], scratch));
    }
  }

  Status give(const Read& read, Scratch& scratch) {
    auto pack = pack_of(pieces_[read.first]);
    if (scratch.sealed.size() < read.size) scratch.sealed.resize(read.size);
    auto bytes = MutableBytes(scratch.sealed).first(read.size);
    auto got = snapshot_.frames().read(pack, read.offset, bytes);
    if (!got.ok()) return give_from_elsewhere(got.error(), read.first, read.last);
    std::size_t frames = 0;
    for (auto first = read.first; first < read.last;) {
      auto last = first + 1;
      while (last < read.last && same_frame(pieces_[first], pieces_[last])) ++last;
      const auto& piece = pieces_[first];
      auto sealed = bytes.subspan(piece.frame_offset - read.offset, piece.frame_size);
      auto frame = snapshot_.frames().open(pack, piece.frame, sealed, scratch.frames[frames]);
      if (frame.ok()) {
        want(*frame, first, last, scratch);
        ++frames;
      } else {
        LB_TRY(give_from_elsewhere(frame.error(), first, last));
      }
      first = last;
      if (frames < frames_max && first < read.last) continue;
      LB_TRY(give_checked(pack, scratch));
      frames = 0;
    }
    return {};
  }

  // Pieces [first, last) lie in the frame.
  void want(ByteView frame, std::size_t first, std::size_t last, Scratch& scratch) {
    for (auto i = first; i < last; ++i) {
      const auto& piece = pieces_[i];
      scratch.wanted.push_back(i);
      scratch.checks.push_back(
          {piece.frame, frame, piece.offset, piece.extent->chunk_bytes(), piece.extent->id});
    }
  }

  // Gives what is wanted if all of it is good.
  Status give_checked(const std::string& pack, Scratch& scratch) {
    auto bad = snapshot_.frames().check(pack, scratch.checks, scratch.check);
    if (bad) return std::move(bad->error).context(what(scratch.wanted[bad->number]));
    Run run;
    for (std::size_t i = 0; i < scratch.checks.size(); ++i) {
      const auto& check = scratch.checks[i];
      const auto& piece = pieces_[scratch.wanted[i]];
      auto bytes = wanted_of(piece, check.frame.subspan(check.offset, check.length));
      if (run.take(piece, bytes)) continue;
      LB_TRY(give(run));
      run = {&piece, bytes, 1};
    }
    LB_TRY(give(run));
    scratch.wanted.clear();
    scratch.checks.clear();
    return {};
  }

  Status give_from_elsewhere(const Error& why, std::size_t first, std::size_t last) {
    for (auto i = first; i < last; ++i) {
      const auto& piece = pieces_[i];
      auto named = LB_TRY(snapshot_.pack_of(*piece.extent));
      auto found = snapshot_.frames().elsewhere(named, *piece.extent, why);
      auto chunk = LB_TRY(std::move(found).context(what(i)));
      LB_TRY(give({&piece, wanted_of(piece, chunk.bytes()), 1}));
    }
    return {};
  }

  static ByteView wanted_of(const Piece& piece, ByteView chunk) {
    return chunk.subspan(piece.extent->skip, piece.extent->length);
  }

  Status give(const Run& run) {
    if (run.pieces == 0) return {};
    auto row = run.first->row;
    LB_TRY(sink_.data(row, run.first->row_offset, run.bytes));
    if (left_[row].fetch_sub(run.pieces) == run.pieces) LB_TRY(sink_.done(row));
    return {};
  }

  std::string what(std::size_t piece) const {
    return cat("read '", printable_key(rows_[pieces_[piece].row].key), "'");
  }

  StoredSnapshot& snapshot_;
  const Row* const rows_;
  FetchSink& sink_;
  std::vector<Piece> pieces_;  // of the present window
  std::vector<Read> reads_;
  std::vector<bool> there_;         // packs of the snapshot that are where it says, or nowhere
  std::vector<std::string> moved_;  // packs that are not in its list
  std::map<std::string, std::uint32_t> moved_numbers_;
  std::vector<std::atomic<std::uint64_t>> left_;  // pieces a row still waits for
  std::atomic<std::size_t> next_{0};
};

}  // namespace

Status StoredSnapshot::fetch(std::span<const Row> rows, FetchSink& sink, unsigned workers,
                             std::stop_token stop) {
  return Fetch(*this, rows, sink).run(rows, workers, stop);
}

}  // namespace lb::repo
