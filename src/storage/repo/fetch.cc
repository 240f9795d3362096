// StoredSnapshot::fetch: content of many rows in pack order. Pieces that lie close together in a
// pack are read with one request; each frame is opened once, each chunk checked once, and given to
// every row that has it.
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

struct Piece {
  std::uint32_t pack = 0, frame = 0;
  std::uint64_t frame_offset = 0;
  std::uint32_t frame_size = 0;
  std::size_t row = 0;
  std::uint64_t row_offset = 0;
  const Extent* extent = nullptr;
};

struct Read {
  std::size_t first = 0, last = 0;  // pieces [first, last)
  std::uint64_t offset = 0, size = 0;
};

std::vector<Piece> pieces_of(std::span<const Row> rows) {
  std::vector<Piece> out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::uint64_t at = 0;
    for (const auto& extent : rows[r].extents) {
      if (!extent.hole && extent.length > 0) {
        out.push_back(
            {extent.pack, extent.frame, extent.frame_offset, extent.frame_size, r, at, &extent});
      }
      at += extent.length;
    }
  }
  std::sort(out.begin(), out.end(), [](const Piece& a, const Piece& b) {
    return std::tie(a.pack, a.frame_offset, a.extent->offset) <
           std::tie(b.pack, b.frame_offset, b.extent->offset);
  });
  return out;
}

std::vector<Read> reads_of(const std::vector<Piece>& pieces) {
  std::vector<Read> out;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto& piece = pieces[i];
    auto end = piece.frame_offset + piece.frame_size;
    if (!out.empty()) {
      auto& last = out.back();
      bool joins = pieces[last.first].pack == piece.pack &&
                   piece.frame_offset <= last.offset + last.size + gap_bytes_max &&
                   end - last.offset <= read_bytes_max;
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

class Fetch {
 public:
  Fetch(StoredSnapshot& snapshot, std::span<const Row> rows, FetchSink& sink)
      : snapshot_(snapshot),
        rows_(rows.data()),
        sink_(sink),
        pieces_(pieces_of(rows)),
        reads_(reads_of(pieces_)),
        left_(rows.size()) {
    for (const auto& piece : pieces_) ++left_[piece.row];
  }

  Status run(unsigned workers, std::stop_token stop) {
    for (std::size_t row = 0; row < left_.size(); ++row) {
      if (left_[row] == 0) LB_TRY(sink_.done(row));
    }
    TaskGroup group(stop);
    auto count = std::min<std::size_t>(std::max(1u, workers), reads_.size());
    for (std::size_t i = 0; i < count; ++i) {
      group.run([this](std::stop_token token) { return work(token); });
    }
    return group.wait();
  }

 private:
  Status work(std::stop_token stop) {
    for (;;) {
      auto next = next_.fetch_add(1);
      if (next >= reads_.size()) return {};
      if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      LB_TRY(give(reads_[next]));
    }
  }

  Status give(const Read& read) {
    auto pack = LB_TRY(snapshot_.pack_of(*pieces_[read.first].extent));
    auto bytes = snapshot_.core().blobs.get_range(pack, read.offset, read.size);
    if (!bytes.ok())
      return as_damage(std::move(bytes).take_error(), pack).context(what(read.first));
    Buffer frame;
    const Piece* opened = nullptr;
    ByteView checked;
    for (auto i = read.first; i < read.last; ++i) {
      const auto& piece = pieces_[i];
      bool same_frame = opened != nullptr && opened->frame == piece.frame;
      if (!same_frame) {
        auto sealed = ByteView(*bytes).subspan(piece.frame_offset - read.offset, piece.frame_size);
        frame = LB_TRY(snapshot_.frames().open(pack, piece.frame, sealed).context(what(i)));
      }
      bool same_chunk = same_frame && opened->extent->offset == piece.extent->offset &&
                        opened->extent->id == piece.extent->id;
      if (!same_chunk) {
        checked = LB_TRY(snapshot_.frames().chunk(pack, *piece.extent, frame).context(what(i)));
      }
      opened = &piece;
      LB_TRY(sink_.data(piece.row, piece.row_offset, checked));
      if (left_[piece.row].fetch_sub(1) == 1) LB_TRY(sink_.done(piece.row));
    }
    return {};
  }

  std::string what(std::size_t piece) const {
    return cat("read '", printable_key(rows_[pieces_[piece].row].key), "'");
  }

  StoredSnapshot& snapshot_;
  const Row* const rows_;  // the caller's, for the time of the call
  FetchSink& sink_;
  const std::vector<Piece> pieces_;
  const std::vector<Read> reads_;
  std::vector<std::atomic<std::uint64_t>> left_;  // pieces a row still waits for
  std::atomic<std::size_t> next_{0};
};

}  // namespace

Status StoredSnapshot::fetch(std::span<const Row> rows, FetchSink& sink, unsigned workers,
                             std::stop_token stop) {
  return Fetch(*this, rows, sink).run(workers, stop);
}

}  // namespace lb::repo
