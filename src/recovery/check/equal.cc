// equal: two queries give the same rows. All columns but the last are the key; a single column is a
// key by itself. Both sides are read sorted and in step, so memory does not grow with the answers.
#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/check/comparison.h"
#include "recovery/check/session.h"

namespace lb::check {

namespace {

using Cell = std::optional<std::string>;
using Cells = std::vector<Cell>;

constexpr std::size_t batch_rows = 2000;
constexpr std::size_t same_key_rows_max = 100'000;

std::string column(std::size_t index) { return cat("c", index + 1); }

Result<std::size_t> column_count(pg::Connection& connection, const std::string& sql) {
  auto reader = LB_TRY(RowReader::open(connection, "lifeboat_columns",
                                       cat("SELECT * FROM (", sql, "\n) AS q LIMIT 0"), 1));
  auto rows = LB_TRY(reader.next());
  LB_TRY(connection.query("CLOSE lifeboat_columns"));
  return reader.columns().size();
}

// Keys as text in byte order; the value as JSON, which tells the text "7" from the number 7.
std::string sorted_query(const std::string& sql, std::size_t columns) {
  std::size_t keys = columns == 1 ? 1 : columns - 1;
  std::vector<std::string> names, chosen, order;
  for (std::size_t i = 0; i < columns; ++i) names.push_back(column(i));
  for (std::size_t i = 0; i < keys; ++i) {
    chosen.push_back(cat(column(i), "::text"));
    order.push_back(cat(column(i), "::text COLLATE \"C\" NULLS FIRST"));
  }
  if (keys < columns) chosen.push_back(cat("to_jsonb(", column(keys), ")::text"));
  return cat("SELECT ", join(chosen, ", "), " FROM (", sql, "\n) AS q(", join(names, ", "),
             ") ORDER BY ", join(order, ", "));
}

// All values of one key.
struct KeyGroup {
  Cells key;
  std::vector<Cell> values;
};

// One side, read key by key.
class Side {
 public:
  Side(RowReader reader, std::size_t columns)
      : reader_(std::move(reader)), keys_(columns == 1 ? 1 : columns - 1) {}

  Result<std::optional<KeyGroup>> next() {
    LB_TRY(fill());
    if (at_ == batch_.size()) return std::optional<KeyGroup>();
    KeyGroup group;
    group.key = key_at();
    while (at_ < batch_.size() && key_at() == group.key) {
      group.values.push_back(value_at());
      if (group.values.size() > same_key_rows_max) {
        return Error(ErrorKind::invalid, cat("more than ", same_key_rows_max, " rows of one key"))
            .with_hint("let the first columns of both queries tell the rows apart");
      }
      ++at_;
      ++rows_;
      LB_TRY(fill());
    }
    return std::optional(std::move(group));
  }
  std::uint64_t rows() const { return rows_; }

 private:
  Cells key_at() const {
    const auto& row = batch_[at_];
    return Cells(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(keys_));
  }
  // 12.50 and 12.5 are one number.
  Cell value_at() const {
    const auto& row = batch_[at_];
    if (keys_ == row.size()) return "row";
    const auto& value = row.back();
    auto decimal = value ? canonical_decimal(*value) : std::nullopt;
    return decimal ? decimal : value;
  }
  Status fill() {
    if (at_ < batch_.size() || ended_) return {};
    batch_ = LB_TRY(reader_.next());
    at_ = 0;
    ended_ = batch_.empty();
    return {};
  }

  RowReader reader_;
  std::size_t keys_;
  std::vector<Cells> batch_;
  std::size_t at_ = 0;
  std::uint64_t rows_ = 0;
  bool ended_ = false;
};

// Values of one key, in any order, each as often on both sides.
bool same_values(std::vector<Cell> left, std::vector<Cell> right) {
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  return left == right;
}

std::string shown_values(const std::vector<Cell>& values) {
  std::vector<std::string> out;
  for (const auto& value : values) {
    if (out.size() == 5) {
      out.push_back(cat("and ", values.size() - 5, " more"));
      break;
    }
    out.push_back(shown(value));
  }
  return join(out, ", ");
}

std::string shown_key(const Cells& key) {
  std::vector<std::string> out;
  for (const auto& cell : key) out.push_back(shown(cell));
  return join(out, ", ");
}

class Comparer {
 public:
  Comparer(Side left, Side right, const CheckContext& context)
      : left_(std::move(left)), right_(std::move(right)), context_(context) {}

  Result<Finding> run() {
    auto left = LB_TRY(left_.next());
    auto right = LB_TRY(right_.next());
    while (left || right) {
      LB_TRY(not_stopped(context_));
      ++keys_;
      bool has_left = left && (!right || left->key <= right->key);
      bool has_right = right && (!left || right->key <= left->key);
      compare(has_left ? &*left : nullptr, has_right ? &*right : nullptr);
      if (has_left) left = LB_TRY(left_.next());
      if (has_right) right = LB_TRY(right_.next());
    }
    return finish();
  }

 private:
  void compare(const KeyGroup* left, const KeyGroup* right) {
    if (left && right && same_values(left->values, right->values)) return;
    ++differing_;
    const auto& key = left ? left->key : right->key;
    if (first_.empty()) first_ = shown_key(key);
    out_.evidence.problem(cat("key ", shown_key(key), ": left ",
                              left ? shown_values(left->values) : "no row", ", right ",
                              right ? shown_values(right->values) : "no row"));
  }

  Finding finish() {
    out_.examined = left_.rows() + right_.rows();
    out_.expected = "the same rows";
    out_.got = cat(left_.rows(), " rows left, ", right_.rows(), " right, ", differing_, " of ",
                   keys_, " keys differ");
    if (differing_ > 0) {
      out_.fail(cat(differing_, " of ", keys_, " keys differ, the first is ", first_));
    }
    return std::move(out_);
  }

  Side left_, right_;
  const CheckContext& context_;
  Finding out_;
  std::string first_;
  std::uint64_t keys_ = 0, differing_ = 0;
};

}  // namespace

Result<Finding> check_equal(const plan::CheckEqual& what, const Scope& scope) {
  auto connection = LB_TRY(connect(scope));
  LB_TRY(begin_snapshot(*connection));
  auto left_sql = bare_statement(what.left), right_sql = bare_statement(what.right);
  auto columns = LB_TRY(column_count(*connection, left_sql).context("left query"));
  auto right_columns = LB_TRY(column_count(*connection, right_sql).context("right query"));
  if (columns != right_columns || columns == 0) {
    return Error(ErrorKind::invalid, cat("the left query gives ", columns, " columns, the right ",
                                         right_columns, "; they must give the same number"));
  }
  auto left = LB_TRY(
      RowReader::open(*connection, "lifeboat_left", sorted_query(left_sql, columns), batch_rows)
          .context("left query"));
  auto right = LB_TRY(
      RowReader::open(*connection, "lifeboat_right", sorted_query(right_sql, columns), batch_rows)
          .context("right query"));
  Comparer comparer(Side(std::move(left), columns), Side(std::move(right), columns), scope.context);
  return comparer.run();
}

}  // namespace lb::check
