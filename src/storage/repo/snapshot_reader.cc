#include "storage/repo/snapshot_reader.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/attachment_stream.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

// For all of it at once: growing it would hold it twice, and keep room for as much again. No more
// than so many chunks can have, whatever the verdict says.
std::size_t room_for(const std::vector<Extent>& extents, std::uint64_t bytes) {
  return std::min<std::uint64_t>(bytes, extents.size() * chunk_bytes_max);
}

class Cursor final : public RowCursor {
 public:
  Cursor(StoredSnapshot& snapshot, std::string prefix, std::size_t block)
      : snapshot_(snapshot), prefix_(std::move(prefix)), block_(block) {}

  Result<std::optional<Row>> next() override {
    for (;;) {
      while (at_ < rows_.size()) {
        auto row = std::move(rows_[at_++]);
        if (row.key.starts_with(prefix_)) return std::optional<Row>(std::move(row));
        if (row.key > prefix_) return std::optional<Row>();
      }
      if (block_ >= snapshot_.blocks().size()) return std::optional<Row>();
      rows_ = LB_TRY(snapshot_.block(block_++));
      at_ = 0;
    }
  }

 private:
  StoredSnapshot& snapshot_;
  const std::string prefix_;
  std::size_t block_, at_ = 0;
  std::vector<Row> rows_;
};

}  // namespace

std::string printable_key(const std::string& key) {
  auto shown = key;
  std::replace(shown.begin(), shown.end(), '\0', '/');
  return shown.empty() ? "." : printable(shown);
}

Result<std::unique_ptr<StoredSnapshot>> StoredSnapshot::open(const Core& core,
                                                             const std::string& id) {
  auto frames = LB_TRY(read_object(core.keys, verdict_key(id), core.blobs));
  return of(core, id, frames);
}

Result<std::unique_ptr<StoredSnapshot>> StoredSnapshot::of(const Core& core, const std::string& id,
                                                           const std::vector<Buffer>& frames) {
  auto name = verdict_key(id);
  auto bad = [&](const Error& why) {
    return Error(why.kind(), cat("object ", name, ": ", why.message()))
        .with_exit(ExitCode::damaged);
  };
  auto verdict = decode_verdict(core.keys, id, frames);
  if (!verdict.ok()) return bad(verdict.error());
  if (!verdict->is_snapshot()) return Error(ErrorKind::not_found, "the session made no snapshot");
  auto upper = decode_upper(frames[2]);
  if (!upper.ok()) return bad(upper.error());
  std::unique_ptr<StoredSnapshot> out(new StoredSnapshot(core, std::move(verdict).take()));
  LB_TRY(out->descend(std::move(upper).take()));
  return out;
}

// Reads the blocks of refs, down to the refs of blocks of rows.
Status StoredSnapshot::descend(Upper upper) {
  for (; upper.levels > 1; --upper.levels) {
    std::vector<BlockRef> lower;
    for (const auto& ref : upper.refs) {
      upper_extents_.insert(upper_extents_.end(), ref.extents.begin(), ref.extents.end());
      auto bytes = LB_TRY(content(ref.extents, ref.bytes).context("read the table"));
      auto refs = decode_refs(bytes);
      if (!refs.ok())
        return std::move(refs).take_error().context("read the table").with_exit(ExitCode::damaged);
      std::move(refs->begin(), refs->end(), std::back_inserter(lower));
    }
    upper.refs = std::move(lower);
  }
  blocks_ = std::move(upper.refs);
  return {};
}

Result<std::string> StoredSnapshot::pack_of(const Extent& extent) const {
  if (extent.pack < verdict_.packs.size()) return verdict_.packs[extent.pack].name;
  return Error(ErrorKind::corrupt,
               cat("snapshot ", verdict_.info.id, " names a pack it does not list"))
      .with_exit(ExitCode::damaged);
}

Result<Buffer> StoredSnapshot::content(const std::vector<Extent>& extents, std::uint64_t bytes) {
  Buffer out;
  out.reserve(room_for(extents, bytes));
  for (const auto& extent : extents) {
    auto pack = LB_TRY(pack_of(extent));
    auto chunk = LB_TRY(frames_.chunk(pack, extent));
    auto piece = chunk.bytes();
    out.insert(out.end(), piece.begin(), piece.end());
  }
  LB_TRY(check_bytes(out.size(), bytes));
  return out;
}

Status StoredSnapshot::check_bytes(std::uint64_t got, std::uint64_t wanted) const {
  if (got == wanted) return {};
  return Error(ErrorKind::corrupt,
               cat("snapshot ", verdict_.info.id, ": ", got, " bytes where ", wanted, " belong"))
      .with_exit(ExitCode::damaged);
}

Result<std::vector<Row>> StoredSnapshot::block(std::size_t number) {
  const auto& ref = blocks_[number];
  auto bytes = LB_TRY(content(ref.extents, ref.bytes).context("read the table"));
  auto rows = decode_block(bytes);
  if (!rows.ok())
    return std::move(rows).take_error().context("read the table").with_exit(ExitCode::damaged);
  return rows;
}

std::size_t StoredSnapshot::block_for(const std::string& key) const {
  auto after = std::upper_bound(
      blocks_.begin(), blocks_.end(), key,
      [](const std::string& k, const BlockRef& block) { return k < block.first_key; });
  return after == blocks_.begin() ? 0 : static_cast<std::size_t>(after - blocks_.begin()) - 1;
}

Result<std::unique_ptr<RowCursor>> StoredSnapshot::rows(const std::string& key_prefix) {
  return std::unique_ptr<RowCursor>(
      std::make_unique<Cursor>(*this, key_prefix, block_for(key_prefix)));
}

Result<std::optional<Row>> StoredSnapshot::find(const std::string& key) {
  if (blocks_.empty()) return std::optional<Row>();
  auto rows = LB_TRY(block(block_for(key)));
  auto found = std::lower_bound(rows.begin(), rows.end(), key,
                                [](const Row& row, const std::string& k) { return row.key < k; });
  if (found == rows.end() || found->key != key) return std::optional<Row>();
  return std::optional<Row>(std::move(*found));
}

std::vector<TableBlock> StoredSnapshot::outline() const {
  std::vector<TableBlock> out;
  out.reserve(blocks_.size());
  for (const auto& block : blocks_) out.push_back({block.first_key, block.rows});
  return out;
}

Result<std::vector<Row>> StoredSnapshot::block_rows(std::size_t number) {
  if (number >= blocks_.size()) return Error(ErrorKind::invalid, "the table has no such block");
  auto rows = LB_TRY(block(number));
  const auto& ref = blocks_[number];
  if (rows.size() == ref.rows && !rows.empty() && rows.front().key == ref.first_key) return rows;
  return Error(ErrorKind::corrupt, cat("snapshot ", verdict_.info.id, ": block ", number,
                                       " of the table is not the one its outline names"))
      .with_exit(ExitCode::damaged);
}

Result<std::optional<Buffer>> StoredSnapshot::attachment(const std::string& name) {
  for (const auto& attachment : verdict_.attachments) {
    if (attachment.name != name) continue;
    StoredAttachment pieces(*this, attachment);
    Buffer out;
    out.reserve(room_for(attachment.extents, attachment.bytes));
    for (;;) {
      auto piece = LB_TRY(pieces.next());
      if (piece.empty()) return std::optional<Buffer>(std::move(out));
      out.insert(out.end(), piece.begin(), piece.end());
    }
  }
  return std::optional<Buffer>();
}

Result<std::unique_ptr<AttachmentCursor>> StoredSnapshot::open_attachment(const std::string& name) {
  for (const auto& attachment : verdict_.attachments) {
    if (attachment.name == name)
      return std::unique_ptr<AttachmentCursor>(
          std::make_unique<StoredAttachment>(*this, attachment));
  }
  return std::unique_ptr<AttachmentCursor>();
}

Result<Buffer> StoredSnapshot::read(const Row& row, std::uint64_t offset, std::uint64_t size) {
  if (offset > row.size || size > row.size - offset) {
    return Error(ErrorKind::invalid,
                 cat("'", printable_key(row.key), "' has ", row.size, " bytes"));
  }
  Buffer out(size);
  std::uint64_t at = 0;
  for (const auto& extent : row.extents) {
    auto from = std::max(at, offset);
    auto to = std::min(at + extent.length, offset + size);
    if (from < to && !extent.hole) {
      auto pack = LB_TRY(pack_of(extent));
      auto chunk =
          LB_TRY(frames_.chunk(pack, extent).context(cat("read '", printable_key(row.key), "'")));
      auto skip = extent.skip + (from - at);
      std::copy_n(chunk.bytes().begin() + static_cast<std::ptrdiff_t>(skip), to - from,
                  out.begin() + static_cast<std::ptrdiff_t>(from - offset));
    }
    at += extent.length;
  }
  return out;
}

// A part cannot be told by its hash: its chunk is read.
Result<bool> StoredSnapshot::is_content(const Extent& extent, ByteView piece) {
  if (extent.hole)
    return std::all_of(piece.begin(), piece.end(), [](auto byte) { return byte == 0; });
  if (!extent.is_part()) return chunk_id(core_, piece) == extent.id;
  auto pack = LB_TRY(pack_of(extent));
  auto chunk = LB_TRY(frames_.chunk(pack, extent));
  auto stored = chunk.bytes().subspan(extent.skip, extent.length);
  return std::equal(piece.begin(), piece.end(), stored.begin(), stored.end());
}

Result<bool> StoredSnapshot::same_content(
    const Row& row,
    const std::function<Result<std::size_t>(MutableBytes, std::uint64_t)>& read_at) {
  std::uint64_t at = 0;
  Buffer bytes(chunk_bytes_max);
  for (const auto& extent : row.extents) {
    for (std::uint64_t done = 0; done < extent.length;) {
      auto length = std::min<std::uint64_t>(extent.length - done, chunk_bytes_max);
      auto piece = MutableBytes(bytes).first(length);
      auto got = LB_TRY(read_at(piece, at + done));
      if (got != length) return false;
      auto same = LB_TRY(is_content(extent, piece));
      if (!same) return false;
      done += length;
    }
    at += extent.length;
  }
  std::uint8_t beyond = 0;
  auto more = LB_TRY(read_at(MutableBytes(&beyond, 1), at));
  return more == 0;
}

}  // namespace lb::repo
