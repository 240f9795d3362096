#include "storage/repo/row_codec.h"

#include <algorithm>

#include "storage/repo/format.h"

namespace lb::repo {

namespace {

constexpr std::uint64_t key_bytes_max = 1 << 20;
constexpr std::uint64_t attribute_bytes_max = 64 << 20;  // xattrs may be large
constexpr std::size_t border_bytes_min = block_bytes / 4;
constexpr std::size_t border_bytes_max = block_bytes * 4;

Result<Buffer> read_bytes(ByteReader& in) {
  auto size = LB_TRY(in.varint());
  if (size > attribute_bytes_max) return Error(ErrorKind::corrupt, "attributes too long");
  auto bytes = LB_TRY(in.raw(size));
  return Buffer(bytes.begin(), bytes.end());
}

Result<ChunkId> read_id(ByteReader& in) {
  ChunkId id;
  auto bytes = LB_TRY(in.raw(id.size()));
  std::copy(bytes.begin(), bytes.end(), id.begin());
  return id;
}

Result<std::uint32_t> read_small(ByteReader& in) {
  auto value = LB_TRY(in.varint());
  if (value > 0xFFFFFFFFu) return Error(ErrorKind::corrupt, "number too large");
  return static_cast<std::uint32_t>(value);
}

// Only decides where blocks end. FNV-1a alone moves the upper bits too little for short, alike
// keys; the last steps spread them.
std::uint32_t hash_of(std::string_view key) {
  std::uint32_t hash = 2166136261u;
  for (char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
  return hash ^ (hash >> 16);
}

}  // namespace

void encode_draft(const DraftRow& row, Buffer& out) {
  ByteWriter writer(out);
  writer.text(row.key);
  writer.text(text_of(row.attributes));
  writer.varint(row.size);
  writer.varint(row.extents.size());
  for (const auto& extent : row.extents) {
    writer.varint(extent.length << 1 | (extent.hole ? 1 : 0));
    if (!extent.hole) writer.raw(extent.id);
  }
}

Result<DraftRow> decode_draft(ByteReader& in) {
  DraftRow row;
  row.key = LB_TRY(in.text(key_bytes_max));
  row.attributes = LB_TRY(read_bytes(in));
  row.size = LB_TRY(in.varint());
  auto count = LB_TRY(in.varint());
  if (count > in.left()) return Error(ErrorKind::corrupt, "more extents than bytes");
  row.extents.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    DraftExtent extent;
    auto length = LB_TRY(in.varint());
    extent.length = length >> 1;
    extent.hole = (length & 1) != 0;
    if (!extent.hole) extent.id = LB_TRY(read_id(in));
    row.extents.push_back(extent);
  }
  return row;
}

void encode_extents(const std::vector<Extent>& extents, Buffer& out) {
  ByteWriter writer(out);
  writer.varint(extents.size());
  for (const auto& extent : extents) {
    writer.varint(extent.length << 1 | (extent.hole ? 1 : 0));
    if (extent.hole) continue;
    writer.raw(extent.id);
    writer.varint(extent.pack);
    writer.varint(extent.frame);
    writer.varint(extent.frame_offset);
    writer.varint(extent.frame_size);
    writer.varint(extent.offset);
  }
}

Result<std::vector<Extent>> decode_extents(ByteReader& in) {
  std::vector<Extent> out;
  auto count = LB_TRY(in.varint());
  if (count > in.left()) return Error(ErrorKind::corrupt, "more extents than bytes");
  out.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    Extent extent;
    auto length = LB_TRY(in.varint());
    extent.length = length >> 1;
    extent.hole = (length & 1) != 0;
    if (!extent.hole) {
      if (extent.length > chunk_bytes_max) return Error(ErrorKind::corrupt, "chunk too long");
      extent.id = LB_TRY(read_id(in));
      extent.pack = LB_TRY(read_small(in));
      extent.frame = LB_TRY(read_small(in));
      extent.frame_offset = LB_TRY(in.varint());
      extent.frame_size = LB_TRY(read_small(in));
      extent.offset = LB_TRY(read_small(in));
      if (extent.frame_size > 2 * frame_bytes_max)
        return Error(ErrorKind::corrupt, "frame too long");
    }
    out.push_back(extent);
  }
  return out;
}

void BlockWriter::add(const Row& row) {
  std::size_t shared = 0;
  if (rows_ == 0) {
    first_key_ = row.key;
  } else {
    auto limit = std::min(last_key_.size(), row.key.size());
    while (shared < limit && last_key_[shared] == row.key[shared]) ++shared;
  }
  auto before = bytes_.size();
  ByteWriter writer(bytes_);
  writer.varint(shared);
  writer.text(std::string_view(row.key).substr(shared));
  writer.text(text_of(row.attributes));
  writer.varint(row.size);
  encode_extents(row.extents, bytes_);
  last_row_bytes_ = bytes_.size() - before;
  last_key_ = row.key;
  ++rows_;
}

bool BlockWriter::border() const {
  if (bytes_.size() < border_bytes_min) return false;
  if (bytes_.size() >= border_bytes_max) return true;
  // Likelier after long rows, so that blocks have the same mean size whatever the rows.
  auto chance =
      std::min<std::uint64_t>(last_row_bytes_ * 65536 / (block_bytes - border_bytes_min), 65536);
  return (hash_of(last_key_) >> 16) < chance;
}

Buffer BlockWriter::take() {
  rows_ = 0;
  return std::exchange(bytes_, {});
}

Result<std::vector<Row>> decode_block(ByteView bytes) {
  ByteReader in(bytes);
  std::vector<Row> rows;
  std::string last;
  while (!in.done()) {
    Row row;
    auto shared = LB_TRY(in.varint());
    if (shared > last.size()) return Error(ErrorKind::corrupt, "row shares more than there is");
    auto rest = LB_TRY(in.text(key_bytes_max));
    row.key = last.substr(0, shared) + rest;
    if (!rows.empty() && row.key <= last) return Error(ErrorKind::corrupt, "rows are not in order");
    row.attributes = LB_TRY(read_bytes(in));
    row.size = LB_TRY(in.varint());
    row.extents = LB_TRY(decode_extents(in));
    last = row.key;
    rows.push_back(std::move(row));
  }
  return rows;
}

Buffer encode_upper(const std::vector<BlockRef>& blocks) {
  Buffer out;
  ByteWriter writer(out);
  writer.varint(blocks.size());
  for (const auto& block : blocks) {
    writer.text(block.first_key);
    writer.varint(block.rows);
    writer.varint(block.bytes);
    encode_extents(block.extents, out);
  }
  return out;
}

Result<std::vector<BlockRef>> decode_upper(ByteView bytes) {
  ByteReader in(bytes);
  std::vector<BlockRef> out;
  auto count = LB_TRY(in.varint());
  if (count > in.left()) return Error(ErrorKind::corrupt, "more blocks than bytes");
  for (std::uint64_t i = 0; i < count; ++i) {
    BlockRef block;
    block.first_key = LB_TRY(in.text(key_bytes_max));
    if (!out.empty() && block.first_key <= out.back().first_key) {
      return Error(ErrorKind::corrupt, "blocks are not in order");
    }
    block.rows = LB_TRY(in.varint());
    block.bytes = LB_TRY(in.varint());
    block.extents = LB_TRY(decode_extents(in));
    out.push_back(std::move(block));
  }
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  return out;
}

}  // namespace lb::repo
