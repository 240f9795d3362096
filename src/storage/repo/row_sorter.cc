#include "storage/repo/row_sorter.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"

namespace lb::repo {

namespace {

// Rows of one run, one piece in memory at a time.
class RunReader {
 public:
  using Load = std::function<Result<Buffer>(const RowSorter::Piece&)>;
  RunReader(const std::vector<RowSorter::Piece>& pieces, const Load& load)
      : pieces_(pieces), load_(load) {}

  // False at the end.
  Result<bool> next(DraftRow& out) {
    while (at_ == piece_.size()) {
      if (index_ == pieces_.size()) return false;
      piece_ = LB_TRY(load_(pieces_[index_]));
      ++index_;
      at_ = 0;
    }
    ByteReader in(ByteView(piece_).subspan(at_));
    out = LB_TRY(decode_draft(in));
    at_ = piece_.size() - in.left();
    return true;
  }

 private:
  const std::vector<RowSorter::Piece>& pieces_;
  const Load& load_;
  Buffer piece_;
  std::size_t index_ = 0, at_ = 0;
};

}  // namespace

Status RowSorter::add(DraftRow row) {
  Buffer encoded;
  encode_draft(row, encoded);
  {
    std::lock_guard lock(mutex_);
    rows_.add(encoded);
    if (rows_.bytes() < bytes_max_ / 2) return {};
  }
  // One half is stored while the other fills; whoever fills it meanwhile waits here.
  std::lock_guard turn(spill_mutex_);
  RowHeap full;
  {
    std::lock_guard lock(mutex_);
    if (rows_.bytes() < bytes_max_ / 2) return {};
    full = std::exchange(rows_, {});
  }
  return spill(std::move(full));
}

Status RowSorter::spill(RowHeap rows) {
  rows.sort();
  Run run;
  Buffer piece;
  auto flush = [&]() -> Status {
    if (piece.empty()) return {};
    run.pieces.push_back(LB_TRY(spill_.store(piece)));
    piece.clear();
    return {};
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto encoded = rows.row(i);
    // A piece is one chunk, so that it can be read alone; a longer row stays in memory instead.
    if (piece.size() + encoded.size() > chunk_bytes_max) LB_TRY(flush());
    if (encoded.size() > chunk_bytes_max) {
      std::lock_guard lock(mutex_);
      rows_.add(encoded);
      continue;
    }
    piece.insert(piece.end(), encoded.begin(), encoded.end());
  }
  LB_TRY(flush());
  std::lock_guard lock(mutex_);
  runs_.push_back(std::move(run));
  return {};
}

Status RowSorter::drain(const std::function<Status(DraftRow)>& each) {
  rows_.sort();
  if (!runs_.empty()) LB_TRY(spill_.settle());
  std::vector<RunReader> readers;
  for (const auto& run : runs_) readers.emplace_back(run.pieces, spill_.load);
  using Head = std::pair<DraftRow, std::size_t>;
  auto later = [](const Head& a, const Head& b) { return a.first.key > b.first.key; };
  std::vector<Head> heads;  // a heap: the smallest key first
  auto push = [&](DraftRow row, std::size_t source) {
    heads.emplace_back(std::move(row), source);
    std::push_heap(heads.begin(), heads.end(), later);
  };
  std::size_t next_row = 0;
  auto refill = [&](std::size_t source) -> Status {
    DraftRow row;
    if (source < readers.size()) {
      if (LB_TRY(readers[source].next(row))) push(std::move(row), source);
      return {};
    }
    if (next_row == rows_.size()) return {};
    ByteReader in(rows_.row(next_row++));
    row = LB_TRY(decode_draft(in));
    push(std::move(row), source);
    return {};
  };
  for (std::size_t source = 0; source <= readers.size(); ++source) LB_TRY(refill(source));
  std::optional<std::string> last;
  while (!heads.empty()) {
    std::pop_heap(heads.begin(), heads.end(), later);
    auto head = std::move(heads.back());
    heads.pop_back();
    if (last && *last == head.first.key) {
      return Error(ErrorKind::invalid,
                   cat("two rows for '", printable(head.first.key), "' in one snapshot"));
    }
    last = head.first.key;
    LB_TRY(each(std::move(head.first)));
    LB_TRY(refill(head.second));
  }
  return {};
}

}  // namespace lb::repo
