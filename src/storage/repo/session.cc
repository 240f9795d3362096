#include "storage/repo/session.h"

#include "foundation/base/text.h"
#include "storage/repo/attachment_stream.h"
#include "storage/repo/condemned.h"
#include "storage/repo/content_stream.h"
#include "storage/repo/format.h"
#include "storage/repo/ledger.h"
#include "storage/repo/put_once.h"
#include "storage/repo/quarantine.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::size_t warnings_max = 1000;
// What a reader refuses must not be written.
constexpr std::size_t key_bytes_max = 64 << 10;
constexpr std::size_t attribute_bytes_max = 16 << 20;
constexpr std::size_t text_bytes_max = 64 << 10;

// Five eighths of the budget hold packs, a twentieth rows, a sixteenth frames on their way; the
// rest is what the threads work with. The chunk map has its own share (known_chunks.cc).
std::size_t row_memory(const OpenOptions& options) {
  return std::clamp<std::size_t>(options.memory_bytes / 20, 64 << 10, 64 << 20);
}

// A store that is far away takes several packs at once while the next one is filled: smaller ones,
// as they share the memory.
PackerLimits packer_limits(const OpenOptions& options, unsigned requests_at_once) {
  PackerLimits out;
  out.workers = std::max(1u, options.workers);
  out.queue_bytes =
      std::clamp<std::size_t>(options.memory_bytes / 16, 4 * frame_bytes_max, 32 << 20);
  bool far = requests_at_once > 1;
  out.puts = std::max(out.workers, requests_at_once);
  out.packs = far ? out.puts + 1 : std::max(2u, out.workers);
  out.pack_bytes =
      std::clamp<std::size_t>(options.memory_bytes * 5 / 8 / out.packs, 1 << 20, pack_bytes);
  return out;
}

}  // namespace

Session::Session(const Core& core, std::string id, StoredSnapshot* parent, const Digest& previous,
                 std::stop_token stop)
    : core_(core),
      id_(std::move(id)),
      parent_(parent),
      previous_(previous),
      stop_(stop),
      packer_(core, chunks_, id_, packer_limits(core.options, core.blobs.requests_at_once()), stop),
      rows_(row_memory(core.options),
            {[this](ByteView bytes) { return set_aside(bytes); },
             [this] { return has_no_shelf_ ? packer_.drain() : Status(); },
             [this](const RowSorter::Piece& piece) { return load_piece(piece); }}),
      frames_(core) {}

Result<std::unique_ptr<SnapshotWriter>> Session::begin(const Core& core, const std::string& store,
                                                       StoredSnapshot* parent,
                                                       const Digest& previous,
                                                       std::stop_token stop) {
  std::unique_ptr<Session> session(
      new Session(core, fresh_session_id(core), parent, previous, stop));
  Buffer intent;
  ByteWriter writer(intent);
  writer.u8(1);
  writer.text(store);
  writer.signed_varint(to_micros(core.clock.now()));
  auto name = intent_key(session->id_);
  auto sealed = seal_object(core.keys, core.random, SealFor::writers, name, {intent});
  LB_TRY(put_once(core.blobs, name, sealed).context("announce the session"));
  LB_TRY(core.blobs.flush());
  // After the intent: a collector that did not see it cannot have condemned what is listed now.
  auto condemned = LB_TRY(condemned_packs(core).context("read what is condemned"));
  auto quarantine = LB_TRY(read_quarantine(core).context("read what is out of use"));
  condemned.packs.merge(quarantine.keys);
  condemned.warnings.insert(condemned.warnings.end(), quarantine.warnings.begin(),
                            quarantine.warnings.end());
  auto known = load_known(core, parent != nullptr ? &parent->verdict() : nullptr, condemned.packs,
                          stop, session->chunks_);
  session->known_ = LB_TRY(std::move(known).context("read the indexes"));
  auto& warnings = session->known_.warnings;
  warnings.insert(warnings.end(), condemned.warnings.begin(), condemned.warnings.end());
  return std::unique_ptr<SnapshotWriter>(std::move(session));
}

Status Session::store_chunks(std::span<const ByteView> chunks, std::span<ChunkId> ids, Kind kind) {
  const auto full = kind == Kind::cut ? long_frame_bytes : frame_bytes;
  std::vector<Digest> digests(chunks.size());
  core_.id_mac.of_many(chunks, digests);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    ids[i] = short_id(digests[i]);
    if (!chunks_.claim(ids[i], static_cast<std::uint32_t>(chunks[i].size()))) continue;
    if (kind != Kind::own) new_bytes_ += chunks[i].size();
    LB_TRY(packer_.add(digests[i], chunks[i], full));
  }
  return {};
}

Status Session::add_row(DraftRow row, std::uint64_t logical_bytes) {
  if (ended_) return Error(ErrorKind::invalid, "the session has ended");
  if (row.key.size() > key_bytes_max || row.attributes.size() > attribute_bytes_max) {
    return Error(ErrorKind::invalid, cat("the name or the attributes of '",
                                         printable_key(row.key.substr(0, 200)), "' are too long"));
  }
  ++row_count_;
  logical_bytes_ += logical_bytes;
  return rows_.add(std::move(row));
}

Status Session::add(std::string key, Buffer attributes) {
  return add_row({std::move(key), std::move(attributes), 0, {}}, 0);
}

Result<std::unique_ptr<ContentStream>> Session::open(std::string key, Cut cut) {
  return std::unique_ptr<ContentStream>(std::make_unique<Stream>(*this, std::move(key), cut));
}

Status Session::add_whole(std::span<WholeRow> rows) {
  std::vector<ByteView> chunks;
  std::vector<std::size_t> counts;  // of chunks, by row
  for (const auto& row : rows) {
    auto before = chunks.size();
    for (auto rest = row.content; !rest.empty(); rest = rest.subspan(chunks.back().size())) {
      chunks.push_back(rest.first(core_.chunker.first(rest)));
    }
    counts.push_back(chunks.size() - before);
  }
  std::vector<ChunkId> ids(chunks.size());
  LB_TRY(store_chunks(chunks, ids, Kind::cut));
  std::size_t next = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto size = rows[i].content.size();
    DraftRow draft{std::move(rows[i].key), std::move(rows[i].attributes), size, {}};
    for (auto end = next + counts[i]; next < end; ++next) {
      draft.extents.push_back({chunks[next].size(), false, ids[next]});
    }
    LB_TRY(add_row(std::move(draft), size));
  }
  return {};
}

// Where the parent's content lies, unless that pack is lost or about to be: then wherever else the
// index says.
Result<DraftExtent> Session::reuse(const Extent& extent, const std::string& key) {
  DraftExtent out{extent.length, extent.hole, extent.id, {}, extent.skip, extent.chunk_length};
  if (extent.hole) return out;
  auto pack =
      extent.pack < known_.parent_packs.size() ? known_.parent_packs[extent.pack] : pack_lost;
  if (pack != pack_lost) {
    FramePlace frame{pack, extent.frame, static_cast<std::uint32_t>(extent.frame_offset),
                     extent.frame_size};
    if (frame.offset != extent.frame_offset) {
      return Error(ErrorKind::not_found, "a chunk lies where no pack of ours ends");
    }
    out.place = {frame, extent.offset, static_cast<std::uint32_t>(extent.chunk_bytes())};
    return out;
  }
  if (chunks_.find(extent.id)) return out;
  return Error(ErrorKind::not_found, cat("the stored content of '", printable_key(key),
                                         "' is missing from the repository"))
      .with_hint("lifeboat verify names what is damaged");
}

Status Session::reuse(const Row& parent_row, Buffer attributes) {
  if (parent_ == nullptr) return Error(ErrorKind::invalid, "there is no parent to reuse from");
  DraftRow row{parent_row.key, std::move(attributes), parent_row.size, {}};
  std::uint64_t logical = 0;
  for (const auto& extent : parent_row.extents) {
    row.extents.push_back(LB_TRY(reuse(extent, parent_row.key)));
    if (!extent.hole) logical += extent.length;
  }
  return add_row(std::move(row), logical);
}

Status Session::attach(const std::string& name, ByteView bytes) {
  auto extents = LB_TRY(store_bytes(bytes));
  add_attachment(name, std::move(extents), bytes.size());
  return {};
}

Result<std::unique_ptr<AttachmentStream>> Session::open_attachment(const std::string& name) {
  return std::unique_ptr<AttachmentStream>(std::make_unique<SessionAttachment>(*this, name));
}

void Session::add_attachment(const std::string& name, std::vector<DraftExtent> extents,
                             std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  attachments_.emplace_back(name, std::move(extents));
  attachment_bytes_[name] = bytes;
}

WriterStats Session::stats() const {
  return {row_count_, logical_bytes_, new_bytes_, packer_.stored_bytes()};
}

// The repository's own data: cut only where a chunk cannot be longer.
Result<std::vector<DraftExtent>> Session::store_bytes(ByteView bytes) {
  std::vector<ByteView> chunks;
  for (; !bytes.empty(); bytes = bytes.subspan(chunks.back().size())) {
    chunks.push_back(bytes.first(std::min(bytes.size(), chunk_bytes_max)));
  }
  std::vector<ChunkId> ids(chunks.size());
  LB_TRY(store_chunks(chunks, ids, Kind::own));
  std::vector<DraftExtent> out;
  for (std::size_t i = 0; i < chunks.size(); ++i) out.push_back({chunks[i].size(), false, ids[i]});
  return out;
}

// On this host, or once there is no room for that, among the chunks of the session.
Result<RowSorter::Piece> Session::set_aside(ByteView rows) {
  const auto& options = core_.options;
  bool may_try = !has_no_shelf_ && !options.cache_folder.empty() && options.files != nullptr;
  if (may_try && !shelf_) {
    auto opened = RowShelf::open(*options.files, cache_place(core_).fresh_path("new-"));
    if (opened.ok()) {
      shelf_ = std::move(opened).take();
    } else {
      shelf_trouble_ = opened.error();
    }
  }
  if (may_try && shelf_) {
    auto put = shelf_->put(rows);
    if (put.ok()) return RowSorter::Piece{*put, {}};
    shelf_trouble_ = put.error();
  }
  has_no_shelf_ = true;
  return RowSorter::Piece{std::nullopt, LB_TRY(store_bytes(rows))};
}

Result<Buffer> Session::load_piece(const RowSorter::Piece& piece) {
  if (piece.shelved) return shelf_->get(*piece.shelved);
  Buffer out;
  for (const auto& part : piece.stored) {
    auto place = chunks_.find(part.id);
    LB_ASSERT(place.has_value());
    const auto& at = place->frame;
    Extent extent{part.length, false, part.id, 0, at.number, at.offset, at.size, place->offset};
    auto pack = chunks_.pack(at.pack).name;
    auto chunk = LB_TRY(frames_.chunk(pack, extent));
    auto bytes = chunk.bytes();
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

// The number of a pack in the verdict's list. The parent's list comes first and keeps its numbers,
// so that unchanged stretches of the table give the parent's blocks again; when most of it is no
// longer needed, the numbers begin anew, so that lists do not grow for ever.
void Session::inherit_packs() {
  if (parent_ == nullptr) return;
  const auto& packs = parent_->verdict().packs;
  auto needed = parent_->info().packs;
  if (packs.size() > 2 * needed + 64) return;
  for (const auto& pack : packs) {
    pack_list_numbers_.emplace(pack.name, static_cast<std::uint32_t>(pack_list_.size()));
    pack_list_.push_back({pack.name, pack.bytes, pack.sha256, false});
  }
}

std::uint32_t Session::pack_number(std::uint32_t map_number) {
  if (map_number < pack_cache_.size() && pack_cache_[map_number] != 0)
    return pack_cache_[map_number] - 1;
  auto pack = chunks_.pack(map_number);
  auto [found, added] =
      pack_list_numbers_.try_emplace(pack.name, static_cast<std::uint32_t>(pack_list_.size()));
  if (added) pack_list_.push_back({pack.name, pack.bytes, pack.sha256, true});
  pack_list_[found->second].needed = true;
  if (pack_cache_.size() <= map_number) pack_cache_.resize(map_number + 1);
  pack_cache_[map_number] = found->second + 1;
  return found->second;
}

Result<std::vector<Extent>> Session::resolve(const std::vector<DraftExtent>& drafts) {
  std::vector<Extent> out;
  out.reserve(drafts.size());
  for (const auto& draft : drafts) {
    Extent extent;
    extent.length = draft.length;
    extent.hole = draft.hole;
    if (!draft.hole) {
      auto place = draft.place ? draft.place : chunks_.find(draft.id);
      if (!place || place->length != draft.chunk_bytes()) {
        return Error(ErrorKind::internal, cat("chunk ", to_hex(draft.id), " has no place"));
      }
      extent.id = draft.id;
      extent.pack = pack_number(place->frame.pack);
      extent.frame = place->frame.number;
      extent.frame_offset = place->frame.offset;
      extent.frame_size = place->frame.size;
      extent.offset = place->offset;
      extent.skip = draft.skip;
      extent.chunk_length = draft.chunk_length;
    }
    out.push_back(extent);
  }
  return out;
}

Result<std::vector<BlockRef>> Session::write_blocks(
    const std::function<Status(const EachRow&)>& give) {
  struct Pending {
    BlockRef ref;
    std::vector<DraftExtent> drafts;
  };
  std::vector<Pending> pending;
  BlockWriter block;
  auto close = [&]() -> Status {
    if (block.empty()) return {};
    Pending next;
    next.ref.first_key = block.first_key();
    next.ref.rows = block.rows();
    auto bytes = block.take();
    next.ref.bytes = bytes.size();
    next.drafts = LB_TRY(store_bytes(bytes));
    pending.push_back(std::move(next));
    return {};
  };
  auto given = give([&](const Row& row) -> Status {
    block.add(row);
    return block.border() ? close() : Status();
  });
  LB_TRY(std::move(given));
  LB_TRY(close());
  LB_TRY(packer_.settle());
  std::vector<BlockRef> out;
  for (auto& each : pending) {
    each.ref.extents = LB_TRY(resolve(each.drafts));
    out.push_back(std::move(each.ref));
  }
  return out;
}

Result<Upper> Session::write_table() {
  Upper upper;
  auto rows = write_blocks([this](const EachRow& take) {
    return rows_.drain([&](DraftRow draft) -> Status {
      Row row{std::move(draft.key), std::move(draft.attributes), draft.size, {}};
      row.extents = LB_TRY(resolve(draft.extents));
      return take(row);
    });
  });
  upper.refs = LB_TRY(std::move(rows));
  // Blocks are far larger than what names them, so that each level is far smaller.
  while (encode_upper(upper).size() > upper_bytes_max) {
    auto above = write_blocks([&](const EachRow& take) -> Status {
      for (auto& ref : upper.refs) LB_TRY(take(row_of(std::move(ref))));
      return {};
    });
    upper.refs = LB_TRY(std::move(above));
    ++upper.levels;
  }
  return upper;
}

// All packs are put by now: those of this session have their size and digest.
void Session::fill_packs(Verdict& verdict) {
  for (auto& pack : pack_list_) {
    if (!pack.needed) continue;
    auto known = chunks_.pack(chunks_.add_pack({pack.name, 0, {}}));
    pack.bytes = known.bytes;
    pack.sha256 = known.sha256;
    LB_ASSERT(pack.bytes > 0);
    ++verdict.info.packs;
  }
  verdict.packs = pack_list_;
}

Status Session::check_meta(const SnapshotMeta& meta) const {
  for (const auto* text : {&meta.store, &meta.kind, &meta.host, &meta.details}) {
    if (text->size() <= text_bytes_max) continue;
    return Error(ErrorKind::invalid, cat("a text of the snapshot is too long: ", text->size(),
                                         " bytes, at most ", text_bytes_max));
  }
  return {};
}

void Session::fill_info(const SnapshotMeta& meta, SnapshotInfo& info) {
  info.id = id_;
  info.meta = meta;
  info.meta.parent = parent_ != nullptr ? parent_->info().id : "";
  auto& warnings = info.meta.warnings;
  warnings.insert(warnings.begin(), known_.warnings.begin(), known_.warnings.end());
  if (auto trouble = chunks_.spill_trouble()) {
    warnings.push_back(cat("the index cache could not take what this session stored (",
                           trouble->text(), "); it was kept in memory, about 40 bytes a chunk"));
  } else if (shelf_trouble_) {
    warnings.push_back(cat("the cache folder could not take rows that were set aside (",
                           shelf_trouble_->text(), "): they went into packs instead"));
  }
  for (auto& warning : warnings) warning.resize(std::min(warning.size(), text_bytes_max));
  if (warnings.size() > warnings_max) {
    auto more = warnings.size() - warnings_max;
    warnings.resize(warnings_max);
    warnings.push_back(cat("and ", more, " more"));
  }
  auto figures = stats();
  info.rows = figures.rows;
  info.logical_bytes = figures.logical_bytes;
  info.new_bytes = figures.new_bytes;
  info.stored_bytes = figures.stored_bytes;
  info.ended = core_.clock.now();
}

Result<SnapshotInfo> Session::commit(const SnapshotMeta& meta) {
  LB_TRY(check_meta(meta));
  if (ended_.exchange(true)) return Error(ErrorKind::invalid, "the session has ended");
  inherit_packs();
  LB_TRY(packer_.settle());
  auto upper = encode_upper(LB_TRY(write_table()));
  Verdict verdict;
  for (const auto& [attached, drafts] : attachments_) {
    auto extents = LB_TRY(resolve(drafts));
    verdict.attachments.push_back({attached, attachment_bytes_[attached], std::move(extents)});
  }
  LB_TRY(packer_.drain());
  fill_info(meta, verdict.info);
  fill_packs(verdict);
  verdict.previous = previous_;
  // Everything the verdict speaks of is durable before it exists.
  LB_TRY(core_.blobs.flush());
  if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
  auto put = put_once(core_.blobs, verdict_key(id_),
                      seal_verdict(core_.keys, core_.random, verdict, upper));
  auto aborted = [&] {
    return Error(ErrorKind::conflict, cat("session ", id_, " was aborted by a collector"))
        .with_hint("run the backup again; what it stored is reused");
  };
  if (!put.ok() && put.error().kind() == ErrorKind::conflict) return aborted();
  LB_TRY(std::move(put));
  LB_TRY(core_.blobs.flush());
  // The mark of an abort may have been cleared away before the verdict was put; then the ledger
  // names the session.
  auto care = LB_TRY(read_ledger_if_whole(core_).context("look whether the session still counts"));
  if (care.ledger.ended.contains(id_)) return aborted();
  return verdict.info;
}

}  // namespace lb::repo
