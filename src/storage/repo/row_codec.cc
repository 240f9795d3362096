#include "storage/repo/row_codec.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"

namespace lb::repo {

namespace {

constexpr std::uint64_t key_bytes_max = 1 << 20;
constexpr std::uint64_t attribute_bytes_max = 64 << 20;  // xattrs may be large
constexpr std::size_t row_bytes_min = 5;  // in a block: no key, no attributes, no content
constexpr unsigned levels_max = 8;
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

// Of an Extent or a DraftExtent.
template <typename AnyExtent>
Status check_part(const AnyExtent& extent) {
  bool fits = extent.chunk_length <= chunk_bytes_max && extent.skip <= extent.chunk_length &&
              extent.length <= extent.chunk_length - extent.skip;
  if (!extent.is_part() || fits) return {};
  return Error(ErrorKind::corrupt, "a part that is not inside its chunk");
}

}  // namespace

void encode_draft(const DraftRow& row, Buffer& out) {
  ByteWriter writer(out);
  writer.text(row.key);
  writer.text(text_of(row.attributes));
  writer.varint(row.size);
  writer.varint(row.extents.size());
  for (const auto& extent : row.extents) {
    writer.varint(extent.length << 3 | (extent.is_part() ? 4u : 0u) | (extent.place ? 2u : 0u) |
                  (extent.hole ? 1u : 0u));
    if (extent.hole) continue;
    writer.raw(extent.id);
    if (extent.is_part()) {
      writer.varint(extent.skip);
      writer.varint(extent.chunk_length);
    }
    if (!extent.place) continue;
    const auto& frame = extent.place->frame;
    for (auto number : {frame.pack, frame.number, frame.offset, frame.size, extent.place->offset}) {
      writer.varint(number);
    }
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
    extent.length = length >> 3;
    extent.hole = (length & 1) != 0;
    if (!extent.hole) extent.id = LB_TRY(read_id(in));
    if (!extent.hole && (length & 4) != 0) {
      extent.skip = LB_TRY(read_small(in));
      extent.chunk_length = LB_TRY(read_small(in));
      LB_TRY(check_part(extent));
    }
    if (!extent.hole && (length & 2) != 0) {
      ChunkPlace place;
      auto& frame = place.frame;
      for (auto* number : {&frame.pack, &frame.number, &frame.offset, &frame.size, &place.offset}) {
        *number = LB_TRY(read_small(in));
      }
      if (extent.chunk_bytes() > chunk_bytes_max)
        return Error(ErrorKind::corrupt, "chunk too long");
      place.length = static_cast<std::uint32_t>(extent.chunk_bytes());
      extent.place = place;
    }
    row.extents.push_back(extent);
  }
  return row;
}

void encode_extents(const std::vector<Extent>& extents, Buffer& out) {
  ByteWriter writer(out);
  writer.varint(extents.size());
  for (const auto& extent : extents) {
    LB_ASSERT(!extent.is_part());
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

namespace {

// How the place of a chunk is written: most lie right behind the one before. `again` is for parts
// of a chunk of which another part was named shortly before.
enum class PlaceForm : std::uint8_t {
  behind = 0,
  same_frame = 1,
  next_frame = 2,
  anywhere = 3,
  again = 4,
};
constexpr std::size_t parts_back_max = 64;

// How many parts back one of the same chunk was named; 0: not among the last.
std::size_t parts_back(const std::vector<Extent>& parts, const Extent& part) {
  auto count = std::min(parts.size(), parts_back_max);
  for (std::size_t back = 1; back <= count; ++back) {
    const auto& other = parts[parts.size() - back];
    if (other.id == part.id && other.pack == part.pack && other.frame == part.frame &&
        other.offset == part.offset && other.chunk_length == part.chunk_length) {
      return back;
    }
  }
  return 0;
}

// Takes from another part all that tells their chunk.
void set_chunk(Extent& part, const Extent& other) {
  part.id = other.id;
  part.pack = other.pack;
  part.frame = other.frame;
  part.frame_offset = other.frame_offset;
  part.frame_size = other.frame_size;
  part.offset = other.offset;
  part.chunk_length = other.chunk_length;
}

void encode_place(const Extent& extent, const Extent* before, Buffer& out) {
  ByteWriter writer(out);
  auto form = [&](PlaceForm which) { writer.u8(static_cast<std::uint8_t>(which)); };
  bool same_pack = before != nullptr && extent.pack == before->pack;
  bool same_frame = same_pack && extent.frame == before->frame &&
                    extent.frame_offset == before->frame_offset &&
                    extent.frame_size == before->frame_size;
  if (same_frame && extent.offset == before->offset + before->chunk_bytes()) {
    form(PlaceForm::behind);
  } else if (same_frame) {
    form(PlaceForm::same_frame);
    writer.varint(extent.offset);
  } else if (same_pack && extent.frame == before->frame + 1 &&
             extent.frame_offset == before->frame_offset + before->frame_size) {
    form(PlaceForm::next_frame);
    writer.varint(extent.frame_size);
    writer.varint(extent.offset);
  } else {
    form(PlaceForm::anywhere);
    writer.varint(extent.pack);
    writer.varint(extent.frame);
    writer.varint(extent.frame_offset);
    writer.varint(extent.frame_size);
    writer.varint(extent.offset);
  }
}

Status decode_place(ByteReader& in, std::uint8_t number, const Extent* before, Extent& out) {
  if (number > static_cast<std::uint8_t>(PlaceForm::anywhere))
    return Error(ErrorKind::corrupt, "unknown form of a place");
  auto form = static_cast<PlaceForm>(number);
  if (form == PlaceForm::anywhere) {
    out.pack = LB_TRY(read_small(in));
    out.frame = LB_TRY(read_small(in));
    out.frame_offset = LB_TRY(in.varint());
    out.frame_size = LB_TRY(read_small(in));
    out.offset = LB_TRY(read_small(in));
  } else {
    if (before == nullptr) return Error(ErrorKind::corrupt, "a place before the first");
    out.pack = before->pack;
    out.frame = before->frame;
    out.frame_offset = before->frame_offset;
    out.frame_size = before->frame_size;
    out.offset = before->offset + static_cast<std::uint32_t>(before->chunk_bytes());
    if (form == PlaceForm::next_frame) {
      ++out.frame;
      out.frame_offset += before->frame_size;
      out.frame_size = LB_TRY(read_small(in));
    }
    if (form != PlaceForm::behind) out.offset = LB_TRY(read_small(in));
  }
  if (out.frame_size > 2 * frame_bytes_max) return Error(ErrorKind::corrupt, "frame too long");
  return {};
}

// Before the length of an extent that is a part of a chunk: no hole is empty.
constexpr std::uint64_t part_mark = 1;

// One chunk of the row's own size needs no words.
bool is_plain(const Row& row) {
  return row.extents.size() == 1 && !row.extents[0].hole && !row.extents[0].is_part() &&
         row.extents[0].length == row.size;
}

void encode_lengths(const Row& row, Buffer& out) {
  ByteWriter writer(out);
  writer.varint(row.size);
  writer.varint(is_plain(row) ? 0 : 1 + row.extents.size());
  if (is_plain(row)) return;
  for (const auto& extent : row.extents) {
    if (extent.is_part()) {
      writer.varint(part_mark);
      writer.varint(extent.skip);
    }
    writer.varint(extent.length << 1 | (extent.hole ? 1u : 0u));
  }
}

// The length of one extent. A part has its chunk's length with its place; until that is read it is
// the largest there can be.
Status decode_length(ByteReader& in, Extent& out) {
  auto length = LB_TRY(in.varint());
  if (length == part_mark) {
    out.skip = LB_TRY(read_small(in));
    out.chunk_length = chunk_bytes_max;
    length = LB_TRY(in.varint());
  }
  out.length = length >> 1;
  out.hole = (length & 1) != 0;
  if (out.hole && out.is_part()) return Error(ErrorKind::corrupt, "a hole cannot be a part");
  if (!out.hole && out.length > chunk_bytes_max) return Error(ErrorKind::corrupt, "chunk too long");
  return check_part(out);
}

Status decode_lengths(ByteReader& in, Row& row) {
  row.size = LB_TRY(in.varint());
  auto count = LB_TRY(in.varint());
  if (count > in.left() + 1) return Error(ErrorKind::corrupt, "more extents than bytes");
  row.extents.resize(count == 0 ? 1 : count - 1);
  if (count == 0) {
    row.extents[0].length = row.size;
    if (row.size > chunk_bytes_max) return Error(ErrorKind::corrupt, "chunk too long");
    return {};
  }
  for (auto& extent : row.extents) LB_TRY(decode_length(in, extent));
  return {};
}

// Places of the chunks of a block, one after another.
class PlaceReader {
 public:
  explicit PlaceReader(ByteReader& in) : in_(in) {}

  Status read(Extent& extent) {
    auto form = LB_TRY(in_.u8());
    if (form == static_cast<std::uint8_t>(PlaceForm::again)) return read_again(extent);
    LB_TRY(decode_place(in_, form, before_, extent));
    before_ = &extent;
    if (!extent.is_part()) return {};
    extent.chunk_length = LB_TRY(read_small(in_));
    if (!extent.is_part()) return Error(ErrorKind::corrupt, "a part of a chunk without bytes");
    parts_.push_back(&extent);
    return check_part(extent);
  }
  // Whose ids are those of others.
  const std::vector<std::pair<Extent*, const Extent*>>& again() const { return again_; }

 private:
  Status read_again(Extent& extent) {
    auto back = LB_TRY(in_.varint());
    if (!extent.is_part() || back == 0 || back > parts_.size())
      return Error(ErrorKind::corrupt, "a part of a chunk that was not named");
    const auto* other = parts_[parts_.size() - back];
    set_chunk(extent, *other);
    before_ = &extent;
    parts_.push_back(&extent);
    again_.emplace_back(&extent, other);
    return check_part(extent);
  }

  ByteReader& in_;
  const Extent* before_ = nullptr;
  std::vector<const Extent*> parts_;
  std::vector<std::pair<Extent*, const Extent*>> again_;
};

}  // namespace

void BlockWriter::add(const Row& row) {
  std::size_t shared = 0;
  if (rows_ == 0) {
    first_key_ = row.key;
  } else {
    auto limit = std::min(last_key_.size(), row.key.size());
    while (shared < limit && last_key_[shared] == row.key[shared]) ++shared;
  }
  auto before = bytes();
  ByteWriter keys(keys_);
  keys.varint(shared);
  keys.text(std::string_view(row.key).substr(shared));
  ByteWriter(attributes_).text(text_of(row.attributes));
  encode_lengths(row, lengths_);
  ByteWriter ids(ids_);
  for (const auto& extent : row.extents) {
    if (extent.hole) continue;
    auto back = extent.is_part() ? parts_back(parts_, extent) : 0;
    if (back > 0) {
      ByteWriter places(places_);
      places.u8(static_cast<std::uint8_t>(PlaceForm::again));
      places.varint(back);
    } else {
      encode_place(extent, any_chunk_ ? &before_ : nullptr, places_);
      if (extent.is_part()) ByteWriter(places_).varint(extent.chunk_length);
      ids.raw(extent.id);
    }
    if (extent.is_part()) parts_.push_back(extent);
    before_ = extent;
    any_chunk_ = true;
  }
  last_row_bytes_ = bytes() - before;
  last_key_ = row.key;
  ++rows_;
}

std::size_t BlockWriter::bytes() const {
  return keys_.size() + attributes_.size() + lengths_.size() + places_.size() + ids_.size();
}

bool BlockWriter::border() const {
  if (bytes() < border_bytes_min) return false;
  if (bytes() >= border_bytes_max) return true;
  // Likelier after long rows, so that blocks have the same mean size whatever the rows.
  auto chance =
      std::min<std::uint64_t>(last_row_bytes_ * 65536 / (block_bytes - border_bytes_min), 65536);
  return (hash_of(last_key_) >> 16) < chance;
}

Buffer BlockWriter::take() {
  Buffer out;
  ByteWriter writer(out);
  writer.varint(std::exchange(rows_, 0));
  for (auto* column : {&keys_, &attributes_, &lengths_, &places_, &ids_}) {
    writer.raw(*column);
    column->clear();
  }
  any_chunk_ = false;
  parts_.clear();
  return out;
}

Result<std::vector<Row>> decode_block(ByteView bytes) {
  ByteReader in(bytes);
  auto count = LB_TRY(in.varint());
  if (count > in.left() / row_bytes_min) return Error(ErrorKind::corrupt, "more rows than bytes");
  std::vector<Row> rows(count);
  std::string_view last;
  for (auto& row : rows) {
    auto shared = LB_TRY(in.varint());
    if (shared > last.size()) return Error(ErrorKind::corrupt, "row shares more than there is");
    auto rest = LB_TRY(in.text(key_bytes_max));
    row.key = cat(last.substr(0, shared), rest);
    if (&row != rows.data() && row.key <= last)
      return Error(ErrorKind::corrupt, "rows are not in order");
    last = row.key;
  }
  for (auto& row : rows) row.attributes = LB_TRY(read_bytes(in));
  for (auto& row : rows) LB_TRY(decode_lengths(in, row));
  auto each_chunk = [&](const auto& take) -> Status {
    for (auto& row : rows) {
      for (auto& extent : row.extents) {
        if (!extent.hole) LB_TRY(take(extent));
      }
    }
    return {};
  };
  PlaceReader places(in);
  auto placed = each_chunk([&](Extent& extent) { return places.read(extent); });
  LB_TRY(std::move(placed));
  auto again = places.again().begin();
  auto ids = each_chunk([&](Extent& extent) -> Status {
    if (again != places.again().end() && again->first == &extent) {
      extent.id = (again++)->second->id;
      return {};
    }
    extent.id = LB_TRY(read_id(in));
    return {};
  });
  LB_TRY(std::move(ids));
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  return rows;
}

Row row_of(BlockRef ref) {
  Row row{std::move(ref.first_key), {}, ref.bytes, std::move(ref.extents)};
  ByteWriter(row.attributes).varint(ref.rows);
  return row;
}

Buffer encode_upper(const Upper& upper) {
  Buffer out;
  ByteWriter(out).u8(static_cast<std::uint8_t>(upper.levels));
  BlockWriter block;
  for (const auto& ref : upper.refs) block.add(row_of(ref));
  auto rows = block.take();
  out.insert(out.end(), rows.begin(), rows.end());
  return out;
}

Result<std::vector<BlockRef>> decode_refs(ByteView block) {
  std::vector<BlockRef> out;
  auto rows = LB_TRY(decode_block(block));
  out.reserve(rows.size());
  for (auto& row : rows) {
    ByteReader in(row.attributes);
    auto count = LB_TRY(in.varint());
    BlockRef ref{std::move(row.key), count, row.size, std::move(row.extents)};
    if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
    out.push_back(std::move(ref));
  }
  return out;
}

Result<Upper> decode_upper(ByteView bytes) {
  ByteReader in(bytes);
  Upper out;
  out.levels = LB_TRY(in.u8());
  if (out.levels == 0 || out.levels > levels_max)
    return Error(ErrorKind::corrupt, "an impossible number of levels");
  out.refs = LB_TRY(decode_refs(bytes.subspan(1)));
  return out;
}

}  // namespace lb::repo
