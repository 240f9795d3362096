// StoredSnapshot::fetch: content of many rows in pack order. Pieces that lie close together in a
// pack are read with one request; each frame is opened once, each chunk checked once, several side
// by side, and given to every row that has it. Memory: a window of pieces, and for each worker what
// one request brings.
#include <algorithm>
#include <atomic>
#include <tuple>

#include "foundation/base/text.h"
#include "foundation/flow/task_group.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {

namespace {

constexpr std::uint64_t read_bytes_max = 4 << 20;
constexpr std::uint64_t gap_bytes_max = 64 << 10;  // read over rather than asked for apart
constexpr std::size_t pieces_max = 64 << 10;       // looked at together

struct Piece {
  const Extent* extent = nullptr;
  std::uint64_t row_offset = 0;
  std::size_t row = 0;
};

struct Read {
  std::size_t first = 0, last = 0;  // pieces [first, last)
  std::uint64_t offset = 0, size = 0;
};

bool in_pack_order(const Piece& a, const Piece& b) {
  return std::tie(a.extent->pack, a.extent->frame_offset, a.extent->offset) <
         std::tie(b.extent->pack, b.extent->frame_offset, b.extent->offset);
}

std::vector<Read> reads_of(const std::vector<Piece>& pieces) {
  std::vector<Read> out;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto& extent = *pieces[i].extent;
    auto end = extent.frame_offset + extent.frame_size;
    if (!out.empty()) {
      auto& last = out.back();
      bool joins = pieces[last.first].extent->pack == extent.pack &&
                   extent.frame_offset <= last.offset + last.size + gap_bytes_max &&
                   end - last.offset <= read_bytes_max;
      if (joins) {
        last.size = std::max(last.size, end - last.offset);
        last.last = i + 1;
        continue;
      }
    }
    out.push_back({i, i + 1, extent.frame_offset, extent.frame_size});
  }
  return out;
}

bool same_frame(const Extent& a, const Extent& b) {
  return a.frame == b.frame && a.frame_offset == b.frame_offset && a.frame_size == b.frame_size;
}

// Gives pieces in windows: what one call holds does not grow with the rows.
class Pieces {
 public:
  explicit Pieces(std::span<const Row> rows) : rows_(rows.data()), count_(rows.size()) {}

  // Sorted; empty at the end.
  std::vector<Piece> next() {
    std::vector<Piece> out;
    for (; row_ < count_ && out.size() < pieces_max; ++row_, extent_ = 0, at_ = 0) {
      const auto& extents = rows_[row_].extents;
      for (; extent_ < extents.size() && out.size() < pieces_max; ++extent_) {
        const auto& extent = extents[extent_];
        if (!extent.hole && extent.length > 0) out.push_back({&extent, at_, row_});
        at_ += extent.length;
      }
      if (extent_ < extents.size()) break;
    }
    std::sort(out.begin(), out.end(), in_pack_order);
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
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (left_[row] == 0) LB_TRY(sink_.done(row));
    }
    Pieces pieces(rows);
    for (;;) {
      pieces_ = pieces.next();
      if (pieces_.empty()) return {};
      reads_ = reads_of(pieces_);
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
    FrameScratch frame;
  };

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
    auto pack = LB_TRY(snapshot_.pack_of(*pieces_[read.first].extent));
    if (scratch.sealed.size() < read.size) scratch.sealed.resize(read.size);
    auto bytes = MutableBytes(scratch.sealed).first(read.size);
    auto got = snapshot_.frames().read(pack, read.offset, bytes);
    for (auto first = read.first; first < read.last;) {
      auto last = first + 1;
      while (last < read.last && same_frame(*pieces_[first].extent, *pieces_[last].extent)) ++last;
      const auto& extent = *pieces_[first].extent;
      auto sealed = bytes.subspan(extent.frame_offset - read.offset, extent.frame_size);
      LB_TRY(give_frame(pack, got, sealed, first, last, scratch.frame));
      first = last;
    }
    return {};
  }

  // Pieces [first, last) lie in one frame. `got`: whether `sealed` could be read.
  Status give_frame(const std::string& pack, const Status& got, MutableBytes sealed,
                    std::size_t first, std::size_t last, FrameScratch& scratch) {
    const auto& extent = *pieces_[first].extent;
    auto frame = got.ok() ? snapshot_.frames().open(pack, extent.frame, sealed, scratch)
                          : Result<ByteView>(got.error());
    Buffer healed;
    if (!frame.ok()) {
      auto copied = snapshot_.frames().from_copies(pack, extent, frame.error());
      healed = LB_TRY(std::move(copied).context(what(first)));
      frame = ByteView(healed);
    }
    scratch.extents.clear();
    for (auto i = first; i < last; ++i) scratch.extents.push_back(pieces_[i].extent);
    auto bad = snapshot_.frames().check(pack, *frame, scratch);
    if (bad) return std::move(bad->error).context(what(first + bad->extent));
    for (auto i = first; i < last; ++i) {
      const auto& piece = pieces_[i];
      auto bytes = frame->subspan(piece.extent->offset, piece.extent->length);
      LB_TRY(sink_.data(piece.row, piece.row_offset, bytes));
      if (left_[piece.row].fetch_sub(1) == 1) LB_TRY(sink_.done(piece.row));
    }
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
  std::vector<std::atomic<std::uint64_t>> left_;  // pieces a row still waits for
  std::atomic<std::size_t> next_{0};
};

}  // namespace

Status StoredSnapshot::fetch(std::span<const Row> rows, FetchSink& sink, unsigned workers,
                             std::stop_token stop) {
  return Fetch(*this, rows, sink).run(rows, workers, stop);
}

}  // namespace lb::repo
