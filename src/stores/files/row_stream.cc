#include "stores/files/row_stream.h"

#include "foundation/base/text.h"

namespace lb::files {

namespace {

Error damaged(const std::string& key, std::string_view why) {
  return Error(ErrorKind::corrupt, cat("snapshot row '", printable(path_of(key)), "': ", why));
}

// "", "a", "a/b" of "a/b/c".
std::vector<std::string> folders_above(const std::string& path) {
  std::vector<std::string> out = {""};
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    out.push_back(path.substr(0, slash));
  }
  return out;
}

}  // namespace

Result<Selection> recorded_selection(repo::SnapshotReader& snapshot) {
  auto bytes = LB_TRY(snapshot.attachment(selection_attachment));
  if (!bytes) return Selection();
  return Selection::decode(*bytes);
}

Status check_key(const std::string& key) {
  if (key.empty()) return {};
  for (const auto& name : split(key, '\0')) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
      return damaged(key, "not a path below the root");
    }
  }
  return {};
}

RowStream::RowStream(repo::SnapshotReader& snapshot, PathFilter filter)
    : snapshot_(snapshot), filter_(std::move(filter)) {}

Result<std::unique_ptr<RowStream>> RowStream::open(repo::SnapshotReader& snapshot,
                                                   PathFilter filter) {
  for (const auto& path : filter.paths()) {
    auto row = LB_TRY(snapshot.find(key_of(path)));
    if (row) continue;
    return Error(ErrorKind::not_found,
                 cat("'", printable(path), "' is not in snapshot ", snapshot.info().id))
        .with_hint("paths are relative to the root of the store; `lifeboat ls` shows them");
  }
  std::unique_ptr<RowStream> out(new RowStream(snapshot, std::move(filter)));
  if (out->filter_.all()) out->cursor_ = LB_TRY(snapshot.rows());
  return out;
}

Result<StreamedRow> RowStream::judged(repo::Row row, bool ancestor) {
  LB_TRY(check_key(row.key));
  if (last_key_ && row.key <= *last_key_) return damaged(row.key, "out of order");
  last_key_ = row.key;
  StreamedRow out;
  out.path = path_of(row.key);
  auto attributes = decode_attributes(row.attributes);
  if (!attributes.ok()) return std::move(attributes).take_error().context(printable(out.path));
  out.attributes = std::move(attributes).take();
  out.row = std::move(row);
  out.ancestor = ancestor;
  return out;
}

Status RowStream::start_path(const std::string& path) {
  for (const auto& folder : folders_above(path)) {
    auto key = key_of(folder);
    // Given already, on the way to an earlier path.
    if (last_key_ && key <= *last_key_) continue;
    auto row = LB_TRY(snapshot_.find(key));
    if (!row) return damaged(key, "a folder is missing");
    waiting_.push_back(LB_TRY(judged(std::move(*row), true)));
  }
  auto row = LB_TRY(snapshot_.find(key_of(path)));
  if (!row) return damaged(key_of(path), "it is gone");
  waiting_.push_back(LB_TRY(judged(std::move(*row), false)));
  cursor_ = LB_TRY(snapshot_.rows(key_of(path) + '\0'));
  return {};
}

Result<std::optional<StreamedRow>> RowStream::next() {
  for (;;) {
    if (!waiting_.empty()) {
      auto row = std::move(waiting_.front());
      waiting_.pop_front();
      return std::optional<StreamedRow>(std::move(row));
    }
    if (cursor_) {
      auto row = LB_TRY(cursor_->next());
      if (row) {
        auto out = LB_TRY(judged(std::move(*row), false));
        return std::optional<StreamedRow>(std::move(out));
      }
      cursor_.reset();
    }
    if (next_path_ == filter_.paths().size()) return std::optional<StreamedRow>();
    LB_TRY(start_path(filter_.paths()[next_path_++]));
  }
}

}  // namespace lb::files
