// Encodings of rows: drafts (chunks named by id alone, while a session runs) and table blocks (with
// the place of every chunk). docs/format.md, "Tables". Pure; decoders are bounds-checked.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/repo/types.h"

namespace lb::repo {

// Content named by chunk id. Its place is looked up when the session ends, but for content of the
// parent, which lies where the parent says.
struct DraftExtent {
  std::uint64_t length = 0;
  bool hole = false;
  ChunkId id{};
  std::optional<ChunkPlace> place = {};      // pack: the number in the session's ChunkMap
  std::uint32_t skip = 0, chunk_length = 0;  // as in Extent
  bool is_part() const { return chunk_length != 0; }
  std::uint64_t chunk_bytes() const { return is_part() ? chunk_length : length; }
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

// Rows of one block, in order. What is alike lies together, which compresses better: first all
// keys, then all attributes, lengths, places, ids.
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
  std::size_t bytes() const;

  Buffer keys_, attributes_, lengths_, places_, ids_;
  Extent before_;              // the chunk added last
  std::vector<Extent> parts_;  // added so far
  bool any_chunk_ = false;
  std::string first_key_, last_key_;
  std::uint64_t rows_ = 0;
  std::size_t last_row_bytes_ = 0;
};
Result<std::vector<Row>> decode_block(ByteView bytes);

// What stands above the blocks of rows: where each begins and lies. A list that is long is cut into
// blocks itself, and so on; the top is part of the verdict.
struct BlockRef {
  std::string first_key;
  std::uint64_t rows = 0, bytes = 0;
  std::vector<Extent> extents;
};
struct Upper {
  unsigned levels = 1;  // 1: the refs are of blocks of rows; else of blocks of refs a level lower
  std::vector<BlockRef> refs;
};
Row row_of(BlockRef ref);  // as which a ref lies in a block
Buffer encode_upper(const Upper& upper);
Result<Upper> decode_upper(ByteView bytes);
Result<std::vector<BlockRef>> decode_refs(ByteView block);

}  // namespace lb::repo
