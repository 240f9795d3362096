#include "recovery/mount/table_view.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::mount {

TableView::TableView(repo::SnapshotReader& snapshot, BlockCache& cache, std::uint64_t id)
    : snapshot_(snapshot), cache_(cache), id_(id), outline_(snapshot.outline()) {
  first_numbers_.push_back(0);
  for (const auto& block : outline_) first_numbers_.push_back(first_numbers_.back() + block.rows);
}

Result<SharedRows> TableView::block(std::size_t number) {
  auto rows = LB_TRY(cache_.get(id_, number, [&] { return snapshot_.block_rows(number); }));
  if (rows->size() == outline_[number].rows) return rows;
  return Error(ErrorKind::corrupt, cat("block ", number, " of the table has ", rows->size(),
                                       " rows where ", outline_[number].rows, " belong"));
}

Result<NumberedRow> TableView::row(std::uint64_t number) {
  if (number >= rows()) return Error(ErrorKind::invalid, cat("the table has no row ", number));
  auto after = std::upper_bound(first_numbers_.begin(), first_numbers_.end(), number);
  auto at = static_cast<std::size_t>(after - first_numbers_.begin()) - 1;
  auto rows = LB_TRY(block(at));
  return NumberedRow(number, rows, number - first_numbers_[at]);
}

Result<std::optional<NumberedRow>> TableView::at_or_after(const std::string& key) {
  auto after = std::upper_bound(
      outline_.begin(), outline_.end(), key,
      [](const std::string& k, const repo::TableBlock& each) { return k < each.first_key; });
  // In the last block that begins at or before the key, or, behind all its
  // rows, in the next one.
  auto at = static_cast<std::size_t>(after - outline_.begin());
  if (at > 0) {
    --at;
    auto rows = LB_TRY(block(at));
    auto found =
        std::lower_bound(rows->begin(), rows->end(), key,
                         [](const repo::Row& row, const std::string& k) { return row.key < k; });
    if (found != rows->end()) {
      auto index = static_cast<std::size_t>(found - rows->begin());
      return std::optional(NumberedRow(first_numbers_[at] + index, rows, index));
    }
    ++at;
  }
  if (first_numbers_[at] >= rows()) return std::optional<NumberedRow>();
  auto next = LB_TRY(row(first_numbers_[at]));
  return std::optional(std::move(next));
}

Result<std::optional<NumberedRow>> TableView::find(const std::string& key) {
  auto found = LB_TRY(at_or_after(key));
  if (found && (*found)->key != key) found.reset();
  return found;
}

}  // namespace lb::mount
