#include "storage/repo/row_sorter.h"

#include <algorithm>
#include <queue>

#include "foundation/base/text.h"
#include "storage/repo/format.h"

namespace lb::repo {

namespace {

constexpr std::size_t entry_overhead_bytes = 96;

template <typename Entry>
void sort_by_key(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.key < b.key; });
}

// Rows of one run, one piece in memory at a time.
class RunReader {
 public:
  using Load = std::function<Result<Buffer>(const DraftExtent&)>;
  RunReader(const std::vector<DraftExtent>& pieces, const Load& load)
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
  const std::vector<DraftExtent>& pieces_;
  const Load& load_;
  Buffer piece_;
  std::size_t index_ = 0, at_ = 0;
};

}  // namespace

Status RowSorter::add(DraftRow row) {
  Entry entry;
  encode_draft(row, entry.encoded);
  entry.key = std::move(row.key);
  std::vector<Entry> full;
  {
    std::lock_guard lock(mutex_);
    bytes_ += entry.key.size() + entry.encoded.size() + entry_overhead_bytes;
    entries_.push_back(std::move(entry));
    if (bytes_ < bytes_max_) return {};
    full.swap(entries_);
    bytes_ = 0;
  }
  return spill(std::move(full));
}

Status RowSorter::spill(std::vector<Entry> entries) {
  sort_by_key(entries);
  Run run;
  Buffer piece;
  auto flush = [&]() -> Status {
    if (piece.empty()) return {};
    auto stored = LB_TRY(spill_.store(piece));
    run.pieces.insert(run.pieces.end(), stored.begin(), stored.end());
    piece.clear();
    return {};
  };
  for (const auto& entry : entries) {
    // A piece is one chunk, so that it can be read alone; a longer row stays in memory instead.
    if (piece.size() + entry.encoded.size() > chunk_bytes_max) LB_TRY(flush());
    if (entry.encoded.size() > chunk_bytes_max) {
      std::lock_guard lock(mutex_);
      entries_.push_back(entry);
      continue;
    }
    piece.insert(piece.end(), entry.encoded.begin(), entry.encoded.end());
  }
  LB_TRY(flush());
  std::lock_guard lock(mutex_);
  runs_.push_back(std::move(run));
  return {};
}

Status RowSorter::drain(const std::function<Status(DraftRow)>& each) {
  sort_by_key(entries_);
  if (!runs_.empty()) LB_TRY(spill_.settle());
  std::vector<RunReader> readers;
  for (const auto& run : runs_) readers.emplace_back(run.pieces, spill_.load);
  using Head = std::pair<DraftRow, std::size_t>;
  auto later = [](const Head& a, const Head& b) { return a.first.key > b.first.key; };
  std::priority_queue<Head, std::vector<Head>, decltype(later)> heads(later);
  std::size_t next_entry = 0;
  auto refill = [&](std::size_t source) -> Status {
    DraftRow row;
    if (source < readers.size()) {
      if (LB_TRY(readers[source].next(row))) heads.emplace(std::move(row), source);
      return {};
    }
    if (next_entry == entries_.size()) return {};
    auto encoded = std::move(entries_[next_entry++].encoded);
    ByteReader in(encoded);
    heads.emplace(LB_TRY(decode_draft(in)), source);
    return {};
  };
  for (std::size_t source = 0; source <= readers.size(); ++source) LB_TRY(refill(source));
  std::optional<std::string> last;
  while (!heads.empty()) {
    auto head = heads.top();
    heads.pop();
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
