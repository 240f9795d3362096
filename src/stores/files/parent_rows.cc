#include "stores/files/parent_rows.h"

namespace lb::files {

ParentRows::ParentRows(repo::SnapshotReader* parent) {
  if (parent == nullptr) return;
  auto cursor = parent->rows();
  if (!cursor.ok()) {
    trouble_ = std::move(cursor).take_error();
    return;
  }
  cursor_ = std::move(cursor).take();
  advance();
}

void ParentRows::advance() {
  auto row = cursor_->next();
  if (row.ok()) {
    row_ = std::move(row).take();
    return;
  }
  trouble_ = std::move(row).take_error();
  row_.reset();
}

const repo::Row* ParentRows::seek(const std::string& key) {
  attributes_.reset();
  while (row_ && row_->key < key) advance();
  return row_ && row_->key == key ? &*row_ : nullptr;
}

const Attributes* ParentRows::attributes() {
  if (!row_) return nullptr;
  auto decoded = decode_attributes(row_->attributes);
  if (!decoded.ok()) return nullptr;
  attributes_ = std::move(decoded).take();
  return &*attributes_;
}

}  // namespace lb::files
