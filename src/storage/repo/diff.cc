#include "storage/repo/diff.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {

namespace {

bool same_extents(const std::vector<Extent>& a, const std::vector<Extent>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Extent& x, const Extent& y) {
    return x.length == y.length && x.hole == y.hole &&
           (x.hole || (x.id == y.id && x.skip == y.skip));
  });
}

// A place in a snapshot's table: at the border of a block, which is not read until a row of it is
// asked for, or inside one.
class Side {
 public:
  explicit Side(StoredSnapshot& snapshot) : snapshot_(snapshot) {}

  bool at_border() const { return at_ == rows_.size(); }
  bool done() const { return at_border() && next_ == snapshot_.blocks().size(); }
  const BlockRef& block() const { return snapshot_.blocks()[next_]; }
  const std::string& key() const { return at_border() ? block().first_key : rows_[at_].key; }
  void skip_block() { ++next_; }

  Result<Row> take() {
    if (at_border()) {
      LB_ASSERT(!done());
      const auto& first_key = block().first_key;
      rows_ = LB_TRY(snapshot_.block(next_++));
      at_ = 0;
      if (rows_.empty() || rows_[0].key != first_key) {
        return Error(ErrorKind::corrupt, cat("snapshot ", snapshot_.info().id,
                                             ": a block of the table is not what it is said to be"))
            .with_exit(ExitCode::damaged);
      }
    }
    return std::move(rows_[at_++]);
  }

 private:
  StoredSnapshot& snapshot_;
  std::size_t next_ = 0;  // the block after the one whose rows are held
  std::vector<Row> rows_;
  std::size_t at_ = 0;
};

// Blocks of equal bytes hold equal rows, whatever the numbers of the packs in them stand for: the
// chunks they name are the same.
bool skip_shared(Side& before, Side& after) {
  if (!before.at_border() || !after.at_border()) return false;
  const auto& a = before.block();
  const auto& b = after.block();
  if (a.first_key != b.first_key || a.bytes != b.bytes || !same_extents(a.extents, b.extents)) {
    return false;
  }
  before.skip_block();
  after.skip_block();
  return true;
}

Status join_once(Side& before, Side& after, const DiffSink& sink) {
  if (after.done() || (!before.done() && before.key() < after.key())) {
    auto row = LB_TRY(before.take());
    return sink(&row, nullptr);
  }
  if (before.done() || after.key() < before.key()) {
    auto row = LB_TRY(after.take());
    return sink(nullptr, &row);
  }
  auto old_row = LB_TRY(before.take());
  auto new_row = LB_TRY(after.take());
  if (old_row.attributes == new_row.attributes && equal_content(old_row, new_row)) return {};
  return sink(&old_row, &new_row);
}

}  // namespace

bool equal_content(const Row& a, const Row& b) {
  return a.size == b.size && same_extents(a.extents, b.extents);
}

Status diff_snapshots(SnapshotReader& before, SnapshotReader& after, const DiffSink& sink,
                      const std::stop_token& stop) {
  auto* a = dynamic_cast<StoredSnapshot*>(&before);
  auto* b = dynamic_cast<StoredSnapshot*>(&after);
  if (a == nullptr || b == nullptr || &a->core() != &b->core()) {
    return Error(ErrorKind::invalid, "the snapshots are not of one opened repository");
  }
  Side left(*a), right(*b);
  while (!left.done() || !right.done()) {
    if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    if (!left.done() && !right.done() && skip_shared(left, right)) continue;
    LB_TRY(join_once(left, right, sink));
  }
  return {};
}

}  // namespace lb::repo
