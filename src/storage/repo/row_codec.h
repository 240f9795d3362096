// Encodings of rows: drafts (chunks named by id alone, while a session runs) and table blocks (with
// the place of every chunk). docs/format.md, "Tables". Pure; decoders are bounds-checked.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "storage/repo/types.h"

namespace lb::repo {

// Content named by chunk id, before its place is known.
struct DraftExtent {
  std::uint64_t length = 0;
  bool hole = false;
  ChunkId id{};
};
struct DraftRow {
  std::string key;
  Buffer attributes;
  std::uint64_t size = 0;
  std::vector<DraftExtent> extents;
};
void encode_draft(const DraftRow& row, Buffer& out);
Result<DraftRow> decode_draft(ByteReader& in);

void encode_extents(const std::vector<Extent>& extents, Buffer& out);
Result<std::vector<Extent>> decode_extents(ByteReader& in);

// Rows of one block, in order; keys share prefixes with the row before.
class BlockWriter {
 public:
  void add(const Row& row);
  // True when a border belongs after the row just added: decided by its key, so that unchanged
  // stretches of a table give the same blocks in every snapshot.
  bool border() const;
  bool empty() const { return rows_ == 0; }
  std::uint64_t rows() const { return rows_; }
  const std::string& first_key() const { return first_key_; }
  Buffer take();

 private:
  Buffer bytes_;
  std::string first_key_, last_key_;
  std::uint64_t rows_ = 0;
  std::size_t last_row_bytes_ = 0;
};
Result<std::vector<Row>> decode_block(ByteView bytes);

// The upper level: where each block begins and lies.
struct BlockRef {
  std::string first_key;
  std::uint64_t rows = 0, bytes = 0;
  std::vector<Extent> extents;
};
Buffer encode_upper(const std::vector<BlockRef>& blocks);
Result<std::vector<BlockRef>> decode_upper(ByteView bytes);

}  // namespace lb::repo
