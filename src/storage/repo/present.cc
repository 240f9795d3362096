// StoredSnapshot::leave_out_present: hashes what lies in a place as the chunks of rows are cut,
// those of some megabytes side by side, and makes holes of chunks that are there already. Memory: a
// window of chunks, and for each worker what it reads at once.
#include <algorithm>
#include <atomic>

#include "foundation/flow/task_group.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {

namespace {

constexpr std::uint64_t run_bytes_max = 2 << 20;  // enough chunks to fill the lanes of the hash
constexpr std::size_t window_chunks_max = 64 << 10;

struct Chunk {
  Extent* extent = nullptr;
  std::size_t row = 0;
  std::uint64_t offset = 0;  // in the row
};

// Chunks [first, last) of the window.
struct Run {
  std::size_t first = 0, last = 0;
};

class Comparison {
 public:
  Comparison(const Core& core, std::span<Row> rows, PresentContent& present)
      : core_(core), present_(present) {
    for (auto& row : rows) rows_.push_back(&row);
  }

  Status run(unsigned workers, std::stop_token stop) {
    for (;;) {
      fill_window();
      if (chunks_.empty()) return {};
      cut_runs();
      next_ = 0;
      TaskGroup group(stop);
      auto count = std::min<std::size_t>(std::max(1u, workers), runs_.size());
      for (std::size_t i = 0; i < count; ++i) {
        group.run([this](std::stop_token token) { return work(token); });
      }
      LB_TRY(group.wait());
    }
  }

 private:
  // What a worker keeps from one run to the next.
  struct Scratch {
    Buffer bytes;
    std::vector<ByteView> read;
    std::vector<Extent*> extents;  // of what was read
    std::vector<Digest> digests;
  };

  void fill_window() {
    chunks_.clear();
    for (; row_ < rows_.size() && chunks_.size() < window_chunks_max;
         ++row_, extent_ = 0, at_ = 0) {
      auto& extents = rows_[row_]->extents;
      for (; extent_ < extents.size() && chunks_.size() < window_chunks_max; ++extent_) {
        auto& extent = extents[extent_];
        bool whole = !extent.hole && !extent.is_part() && extent.length > 0;
        if (whole) chunks_.push_back({&extent, row_, at_});
        at_ += extent.length;
      }
      if (extent_ < extents.size()) return;
    }
  }

  void cut_runs() {
    runs_.clear();
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      auto length = chunks_[i].extent->length;
      if (runs_.empty() || bytes + length > run_bytes_max) {
        runs_.push_back({i, i});
        bytes = 0;
      }
      runs_.back().last = i + 1;
      bytes += length;
    }
  }

  Status work(std::stop_token stop) {
    Scratch scratch;
    for (;;) {
      auto next = next_.fetch_add(1);
      if (next >= runs_.size()) return {};
      if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      LB_TRY(read(runs_[next], scratch));
      scratch.digests.resize(scratch.read.size());
      core_.id_mac.of_many(scratch.read, scratch.digests);
      for (std::size_t i = 0; i < scratch.read.size(); ++i) {
        auto& extent = *scratch.extents[i];
        if (short_id(scratch.digests[i]) == extent.id) extent.hole = true;
      }
    }
  }

  // What of the run's chunks lies there in full length.
  Status read(const Run& run, Scratch& scratch) {
    scratch.read.clear();
    scratch.extents.clear();
    std::uint64_t total = 0;
    for (auto i = run.first; i < run.last; ++i) total += chunks_[i].extent->length;
    if (scratch.bytes.size() < total) scratch.bytes.resize(total);
    auto room = MutableBytes(scratch.bytes);
    for (auto first = run.first; first < run.last;) {
      auto last = first;
      std::uint64_t bytes = 0;
      do bytes += chunks_[last++].extent->length;
      while (last < run.last && follows(chunks_[last - 1], chunks_[last]));
      LB_TRY(read_adjacent({first, last}, room.first(bytes), scratch));
      room = room.subspan(bytes);
      first = last;
    }
    return {};
  }

  static bool follows(const Chunk& before, const Chunk& next) {
    return before.row == next.row && before.offset + before.extent->length == next.offset;
  }

  // In one call: pages that hold the end of one chunk and the beginning of the next are read once.
  Status read_adjacent(const Run& run, MutableBytes room, Scratch& scratch) {
    const auto& first = chunks_[run.first];
    auto got = LB_TRY(present_.read_at(first.row, first.offset, room));
    std::size_t at = 0;
    for (auto i = run.first; i < run.last; ++i) {
      auto piece = room.subspan(at, chunks_[i].extent->length);
      at += piece.size();
      if (at > got) return {};
      scratch.read.push_back(piece);
      scratch.extents.push_back(chunks_[i].extent);
    }
    return {};
  }

  const Core& core_;
  PresentContent& present_;
  std::vector<Row*> rows_;
  std::vector<Chunk> chunks_;  // of the present window
  std::vector<Run> runs_;
  std::size_t row_ = 0, extent_ = 0;
  std::uint64_t at_ = 0;
  std::atomic<std::size_t> next_{0};
};

}  // namespace

Status StoredSnapshot::leave_out_present(std::span<Row> rows, PresentContent& present,
                                         unsigned workers, std::stop_token stop) {
  return Comparison(core_, rows, present).run(workers, stop);
}

}  // namespace lb::repo
