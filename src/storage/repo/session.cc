#include "storage/repo/session.h"

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::size_t row_memory_bytes = 64 << 20;
constexpr std::size_t queue_bytes_min = 4 * frame_bytes_max;
constexpr std::size_t warnings_max = 1000;

// Cuts what is written into chunks; one row's content.
class Stream final : public ContentStream {
 public:
  Stream(Session& session, std::string key, Cut cut) : session_(session), cut_(cut) {
    row_.key = std::move(key);
  }

  Status write(ByteView bytes) override {
    while (!bytes.empty()) {
      auto take = std::min(bytes.size(), chunk_bytes_max * 2 - waiting_.size());
      waiting_.insert(waiting_.end(), bytes.begin(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(take));
      bytes = bytes.subspan(take);
      LB_TRY(cut(true));
    }
    return {};
  }

  Status hole(std::uint64_t length) override {
    if (length == 0) return {};
    LB_TRY(cut(false));
    row_.size += length;
    if (!row_.extents.empty() && row_.extents.back().hole) {
      row_.extents.back().length += length;
    } else {
      row_.extents.push_back({length, true, {}});
    }
    return {};
  }

  Status finish(Buffer attributes) override {
    LB_TRY(cut(false));
    row_.attributes = std::move(attributes);
    return session_.add_row(std::move(row_), logical_);
  }

 private:
  std::size_t next_length(ByteView rest, bool more) const {
    if (cut_ == Cut::content) return session_.core().chunker.first(rest, more);
    if (rest.size() >= page_chunk_bytes) return page_chunk_bytes;
    return more ? 0 : rest.size();
  }

  Status cut(bool more) {
    std::size_t at = 0;
    while (at < waiting_.size()) {
      auto rest = ByteView(waiting_).subspan(at);
      auto length = next_length(rest, more);
      if (length == 0) break;
      DraftExtent extent{length, false, {}};
      LB_TRY(session_.store_chunk(rest.first(length), extent.id, true));
      row_.extents.push_back(extent);
      row_.size += length;
      logical_ += length;
      at += length;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at));
    return {};
  }

  Session& session_;
  const Cut cut_;
  DraftRow row_;
  Buffer waiting_;
  std::uint64_t logical_ = 0;
};

std::size_t queue_bytes(const OpenOptions& options) {
  // What is left of the budget after rows and one pack buffer a worker.
  std::size_t taken = row_memory_bytes + (options.workers + 1) * (pack_bytes + 2 * frame_bytes_max);
  return options.memory_bytes > taken + queue_bytes_min
             ? std::min<std::size_t>(options.memory_bytes - taken, 32 << 20)
             : queue_bytes_min;
}

}  // namespace

Session::Session(const Core& core, std::string id, StoredSnapshot* parent, const Digest& previous,
                 std::stop_token stop)
    : core_(core),
      id_(std::move(id)),
      parent_(parent),
      previous_(previous),
      packer_(core.blobs, core.random, core.keys, chunks_, id_, core.options.workers,
              queue_bytes(core.options), stop),
      rows_(row_memory_bytes, {[this](ByteView bytes) { return store_bytes(bytes); },
                               [this] { return packer_.drain(); },
                               [this](const DraftExtent& piece) { return load_piece(piece); }}),
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
  LB_TRY(
      core.blobs.put(name, seal_object(core.keys, core.random, SealFor::writers, name, {intent})));
  LB_TRY(core.blobs.flush());
  // After the intent: a collector that did not see it cannot have condemned what is listed now.
  LB_TRY(session->load_indexes());
  return std::unique_ptr<SnapshotWriter>(std::move(session));
}

Status Session::load_indexes() {
  for (const auto& object : LB_TRY(core_.blobs.list("x/"))) {
    auto bytes = core_.blobs.get(object.key);
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found)
      continue;  // superseded meanwhile
    auto sealed = LB_TRY(std::move(bytes));
    auto frames = open_object(core_.keys, object.key, sealed);
    // A damaged index costs deduplication, never data: verify names it, the backup goes on.
    if (!frames.ok()) continue;
    std::vector<std::string> packs;
    std::vector<IndexEntry> entries;
    if (!read_index(frames->front(), packs, entries).ok()) continue;
    std::vector<std::uint32_t> numbers;
    for (const auto& pack : packs) numbers.push_back(chunks_.add_pack(pack));
    for (auto& entry : entries) {
      entry.place.pack = numbers[entry.place.pack];
      chunks_.add_known(entry.id, entry.place);
    }
  }
  return {};
}

Status Session::store_chunk(ByteView bytes, ChunkId& id, bool content) {
  auto digest = chunk_digest(core_, bytes);
  std::copy_n(digest.begin(), id.size(), id.begin());
  if (!chunks_.claim(id, static_cast<std::uint32_t>(bytes.size()))) return {};
  if (content) new_bytes_ += bytes.size();
  return packer_.add(digest, bytes);
}

Status Session::add_row(DraftRow row, std::uint64_t logical_bytes) {
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

Status Session::reuse(const Row& parent_row, Buffer attributes) {
  LB_ASSERT(parent_ != nullptr);
  DraftRow row{parent_row.key, std::move(attributes), parent_row.size, {}};
  std::uint64_t logical = 0;
  for (const auto& extent : parent_row.extents) {
    row.extents.push_back({extent.length, extent.hole, extent.id});
    if (extent.hole) continue;
    logical += extent.length;
    if (chunks_.find(extent.id)) continue;
    // The index does not know the chunk (it may have been lost); the parent's row says where it is.
    auto pack = LB_TRY(parent_->pack_of(extent));
    chunks_.add_known(
        extent.id,
        {chunks_.add_pack(pack), extent.frame, static_cast<std::uint32_t>(extent.frame_offset),
         extent.frame_size, extent.offset, static_cast<std::uint32_t>(extent.length)});
  }
  return add_row(std::move(row), logical);
}

Status Session::attach(const std::string& name, ByteView bytes) {
  auto extents = LB_TRY(store_bytes(bytes));
  std::lock_guard lock(mutex_);
  attachments_.emplace_back(name, std::move(extents));
  attachment_bytes_[name] = bytes.size();
  return {};
}

WriterStats Session::stats() const {
  return {row_count_, logical_bytes_, new_bytes_, packer_.stored_bytes()};
}

// The repository's own data: cut only where a chunk cannot be longer.
Result<std::vector<DraftExtent>> Session::store_bytes(ByteView bytes) {
  std::vector<DraftExtent> out;
  while (!bytes.empty()) {
    auto length = std::min(bytes.size(), chunk_bytes_max);
    DraftExtent extent{length, false, {}};
    LB_TRY(store_chunk(bytes.first(length), extent.id, false));
    out.push_back(extent);
    bytes = bytes.subspan(length);
  }
  return out;
}

Result<Buffer> Session::load_piece(const DraftExtent& piece) {
  auto place = chunks_.find(piece.id);
  LB_ASSERT(place && place->pack != pack_pending);
  Extent extent{piece.length,      false,        piece.id, 0, place->frame, place->frame_offset,
                place->frame_size, place->offset};
  auto pack = chunks_.pack_name(place->pack);
  auto frame = LB_TRY(frames_.frame(pack, extent));
  auto bytes = LB_TRY(frames_.chunk(pack, extent, *frame));
  return Buffer(bytes.begin(), bytes.end());
}

// The number of a pack in the verdict's list. The parent's list comes first and keeps its numbers,
// so that unchanged stretches of the table give the parent's blocks again.
Result<std::uint32_t> Session::pack_number(std::uint32_t map_number) {
  if (map_number < pack_cache_.size() && pack_cache_[map_number] != 0)
    return pack_cache_[map_number] - 1;
  auto name = chunks_.pack_name(map_number);
  auto [found, added] =
      pack_list_numbers_.try_emplace(name, static_cast<std::uint32_t>(pack_list_.size()));
  if (added) pack_list_.push_back({name, 0, {}, true});
  pack_list_[found->second].needed = true;
  if (pack_cache_.size() <= map_number)
    pack_cache_.resize(std::max<std::size_t>(chunks_.pack_count(), map_number + 1));
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
      auto place = chunks_.find(draft.id);
      LB_ASSERT(place && place->pack != pack_pending && place->length == draft.length);
      extent.id = draft.id;
      extent.pack = LB_TRY(pack_number(place->pack));
      extent.frame = place->frame;
      extent.frame_offset = place->frame_offset;
      extent.frame_size = place->frame_size;
      extent.offset = place->offset;
    }
    out.push_back(extent);
  }
  return out;
}

Result<std::vector<BlockRef>> Session::write_table() {
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
  auto add_row_to_block = [&](DraftRow draft) -> Status {
    Row row{std::move(draft.key), std::move(draft.attributes), draft.size, {}};
    row.extents = LB_TRY(resolve(draft.extents));
    block.add(row);
    return block.border() ? close() : Status();
  };
  LB_TRY(rows_.drain(add_row_to_block));
  LB_TRY(close());
  LB_TRY(packer_.drain());
  std::vector<BlockRef> out;
  for (auto& each : pending) {
    each.ref.extents = LB_TRY(resolve(each.drafts));
    out.push_back(std::move(each.ref));
  }
  return out;
}

Status Session::fill_packs(Verdict& verdict) {
  std::map<std::string, PutPack> fresh;
  for (auto& pack : packer_.packs()) fresh.emplace(pack.name, pack);
  std::map<std::string, const VerdictPack*> old;
  if (parent_ != nullptr) {
    for (const auto& pack : parent_->verdict().packs) old.emplace(pack.name, &pack);
  }
  for (auto& pack : pack_list_) {
    if (auto found = fresh.find(pack.name); found != fresh.end()) {
      pack.bytes = found->second.bytes;
      pack.sha256 = found->second.sha256;
    } else if (auto known = old.find(pack.name); known != old.end()) {
      pack.bytes = known->second->bytes;
      pack.sha256 = known->second->sha256;
    } else if (pack.needed) {
      // A pack of another store's session, or of an interrupted one, found through the index.
      auto bytes = LB_TRY(core_.blobs.get(pack.name).context("a pack this snapshot builds on"));
      pack.bytes = bytes.size();
      pack.sha256 = sha256(bytes);
    }
  }
  verdict.packs = pack_list_;
  verdict.info.packs = 0;
  for (const auto& pack : pack_list_) verdict.info.packs += pack.needed ? 1 : 0;
  return {};
}

Result<SnapshotInfo> Session::commit(const SnapshotMeta& meta) {
  if (parent_ != nullptr) {
    for (const auto& pack : parent_->verdict().packs) {
      pack_list_numbers_.emplace(pack.name, static_cast<std::uint32_t>(pack_list_.size()));
      pack_list_.push_back({pack.name, pack.bytes, pack.sha256, false});
    }
  }
  LB_TRY(packer_.drain());
  auto blocks = LB_TRY(write_table());
  auto upper = encode_upper(blocks);
  Verdict verdict;
  verdict.info.id = id_;
  verdict.info.meta = meta;
  auto& warnings = verdict.info.meta.warnings;
  if (warnings.size() > warnings_max) {
    auto more = warnings.size() - warnings_max;
    warnings.resize(warnings_max);
    warnings.push_back(cat("and ", more, " more"));
  }
  verdict.info.meta.parent = parent_ != nullptr ? parent_->info().id : "";
  verdict.info.ended = core_.clock.now();
  for (const auto& [attached, drafts] : attachments_) {
    auto extents = LB_TRY(resolve(drafts));
    verdict.attachments.push_back({attached, attachment_bytes_[attached], std::move(extents)});
  }
  verdict.previous = previous_;
  LB_TRY(fill_packs(verdict));
  auto figures = stats();
  verdict.info.rows = figures.rows;
  verdict.info.logical_bytes = figures.logical_bytes;
  verdict.info.new_bytes = figures.new_bytes;
  verdict.info.stored_bytes = figures.stored_bytes;
  // Everything the verdict speaks of is durable before it exists.
  LB_TRY(core_.blobs.flush());
  auto name = verdict_key(id_);
  auto put = core_.blobs.put(name, seal_object(core_.keys, core_.random, SealFor::readers, name,
                                               {encode(verdict), upper}));
  if (!put.ok() && put.error().kind() == ErrorKind::conflict) {
    return Error(ErrorKind::conflict, cat("session ", id_, " was aborted by a collector"))
        .with_hint("run the backup again; what it stored is reused");
  }
  LB_TRY(std::move(put));
  LB_TRY(core_.blobs.flush());
  return verdict.info;
}

}  // namespace lb::repo
