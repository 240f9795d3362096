#include "storage/repo/packer.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

// A pack being filled. Space is reserved under the packer's lock; sealing into it needs none.
struct Packer::Pack {
  std::string name;
  std::uint32_t number = 0;  // in the ChunkMap
  PackKey key;
  Buffer bytes;
  std::size_t used = 0;
  std::vector<FooterFrame> frames;
  std::size_t pending = 0;  // frames reserved and not sealed yet
  bool closed = false;      // takes no more frames
};

struct Packer::Slot {
  std::shared_ptr<Pack> pack;
  std::uint32_t frame = 0;
  std::size_t offset = 0;
  std::vector<std::shared_ptr<Pack>>
      closed;  // packs that this reservation pushed out and that are ready
};

Packer::Packer(BlobStore& blobs, Random& random, const Keyring& keys, ChunkMap& chunks,
               std::string session, unsigned workers, std::size_t queue_bytes, std::stop_token stop)
    : blobs_(blobs),
      random_(random),
      keys_(keys),
      chunks_(chunks),
      session_(std::move(session)),
      stop_(stop),
      queue_(queue_bytes) {
  for (unsigned i = 0; i < std::max(1u, workers); ++i) {
    workers_.emplace_back([this] {
      auto status = work();
      if (!status.ok()) (void)fail(std::move(status).take_error()).ok();
    });
  }
}

Packer::~Packer() {
  halt_.request_stop();
  workers_.clear();
}

Status Packer::fail(Error error) {
  {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(error);
  }
  halt_.request_stop();
  idle_.notify_all();
  return failure();
}

Status Packer::failure() const {
  std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return {};
}

Status Packer::add(const Digest& id, ByteView bytes) {
  if (stop_.stop_requested()) return fail(Error(ErrorKind::cancelled, "stopped"));
  Frame full;
  {
    std::lock_guard lock(frame_mutex_);
    if (open_frame_.plain.capacity() == 0) open_frame_.plain.reserve(frame_bytes_max);
    open_frame_.plain.insert(open_frame_.plain.end(), bytes.begin(), bytes.end());
    open_frame_.chunks.emplace_back(id, static_cast<std::uint32_t>(bytes.size()));
    if (open_frame_.plain.size() < frame_bytes) return {};
    full = std::exchange(open_frame_, Frame{});
  }
  auto size = full.plain.size();
  {
    std::lock_guard lock(mutex_);
    ++frames_in_flight_;
  }
  if (!queue_.push(std::move(full), size, halt_.get_token())) return failure();
  return {};
}

Status Packer::work() {
  while (auto frame = queue_.pop(halt_.get_token())) {
    LB_TRY(seal(std::move(*frame)));
    frame_done();
  }
  return {};
}

void Packer::frame_done() {
  std::lock_guard lock(mutex_);
  --frames_in_flight_;
  idle_.notify_all();
}

void Packer::close_open_pack(std::vector<std::shared_ptr<Pack>>& closed) {
  if (!open_pack_) return;
  open_pack_->closed = true;
  if (open_pack_->pending == 0) closed.push_back(open_pack_);
  open_pack_.reset();
}

Packer::Slot Packer::reserve(const Frame& frame, std::size_t sealed_bytes) {
  Slot slot;
  if (open_pack_ && open_pack_->used >= pack_bytes) close_open_pack(slot.closed);
  if (!open_pack_) {
    open_pack_ = std::make_shared<Pack>();
    open_pack_->name = pack_key(session_, next_pack_++);
    open_pack_->number = chunks_.add_pack(open_pack_->name);
    open_pack_->key = make_pack_key(keys_, random_);
    open_pack_->bytes.resize(pack_bytes + 2 * frame_bytes_max);
    auto header = pack_header();
    std::copy(header.begin(), header.end(), open_pack_->bytes.begin());
    open_pack_->used = header.size();
  }
  slot.pack = open_pack_;
  slot.frame = static_cast<std::uint32_t>(open_pack_->frames.size());
  slot.offset = open_pack_->used;
  open_pack_->used += sealed_bytes;
  ++open_pack_->pending;
  FooterFrame footer;
  footer.offset = slot.offset;
  footer.sealed_bytes = static_cast<std::uint32_t>(sealed_bytes);
  footer.plain_bytes = static_cast<std::uint32_t>(frame.plain.size());
  std::uint32_t offset = 0;
  for (const auto& [id, length] : frame.chunks) {
    footer.chunks.push_back({id, offset, length});
    offset += length;
  }
  open_pack_->frames.push_back(std::move(footer));
  return slot;
}

Status Packer::seal(Frame frame) {
  auto form = to_frame_form(frame.plain);
  auto sealed_bytes = form.size() + aead_tag_bytes;
  Slot slot;
  {
    std::lock_guard lock(mutex_);
    slot = reserve(frame, sealed_bytes);
  }
  auto& pack = *slot.pack;
  auto sealed = seal_frame(keys_, *pack.key.aead, pack.name, slot.frame, form);
  LB_ASSERT(sealed.size() == sealed_bytes);
  std::copy(sealed.begin(), sealed.end(),
            pack.bytes.begin() + static_cast<std::ptrdiff_t>(slot.offset));
  std::uint32_t offset = 0;
  for (const auto& [id, length] : frame.chunks) {
    ChunkId short_id;
    std::copy_n(id.begin(), short_id.size(), short_id.begin());
    chunks_.place(short_id, {pack.number, slot.frame, static_cast<std::uint32_t>(slot.offset),
                             static_cast<std::uint32_t>(sealed_bytes), offset, length});
    offset += length;
  }
  {
    std::lock_guard lock(mutex_);
    if (--pack.pending == 0 && pack.closed) slot.closed.push_back(slot.pack);
  }
  for (auto& closed : slot.closed) LB_TRY(finish(std::move(closed)));
  return {};
}

Status Packer::finish(std::shared_ptr<Pack> pack) {
  pack->bytes.resize(pack->used);
  auto end = seal_footer(keys_, pack->key, pack->name, pack->used, pack->frames);
  pack->bytes.insert(pack->bytes.end(), end.begin(), end.end());
  PutPack put{pack->name, pack->bytes.size(), sha256(pack->bytes)};
  LB_TRY(blobs_.put(pack->name, pack->bytes));
  stored_bytes_ += pack->bytes.size();
  {
    std::lock_guard lock(mutex_);
    put_.push_back(put);
    auto number = static_cast<std::uint32_t>(indexed_packs_.size());
    indexed_packs_.push_back(pack->name);
    for (std::uint32_t f = 0; f < pack->frames.size(); ++f) {
      const auto& frame = pack->frames[f];
      for (const auto& chunk : frame.chunks) {
        IndexEntry entry;
        std::copy_n(chunk.id.begin(), entry.id.size(), entry.id.begin());
        entry.place = {
            number,       f,           static_cast<std::uint32_t>(frame.offset), frame.sealed_bytes,
            chunk.offset, chunk.length};
        indexed_.push_back(entry);
      }
    }
  }
  return put_partial_index(false);
}

// Index parts are put while the session runs, so that what an interrupted one stored is found by
// the next.
Status Packer::put_partial_index(bool all) {
  std::vector<IndexEntry> entries;
  std::vector<std::string> packs;
  std::string name;
  {
    std::lock_guard lock(mutex_);
    if (indexed_packs_.empty() || (!all && indexed_packs_.size() < packs_per_partial_index))
      return {};
    entries.swap(indexed_);
    packs.swap(indexed_packs_);
    name = partial_index_key(session_, next_partial_++);
  }
  // An index must never be durable before the packs it names.
  LB_TRY(blobs_.flush());
  auto bytes = encode_index(packs, std::move(entries));
  auto object = seal_object(keys_, random_, SealFor::writers, name, {bytes});
  stored_bytes_ += object.size();
  return blobs_.put(name, object);
}

Status Packer::drain() {
  Frame rest;
  {
    std::lock_guard lock(frame_mutex_);
    rest = std::exchange(open_frame_, Frame{});
  }
  LB_TRY(failure());
  if (!rest.chunks.empty()) {
    auto sealed = seal(std::move(rest));
    if (!sealed.ok()) return fail(std::move(sealed).take_error());
  }
  std::vector<std::shared_ptr<Pack>> closed;
  {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return failure_ || frames_in_flight_ == 0; });
    if (failure_) return *failure_;
    close_open_pack(closed);
  }
  for (auto& pack : closed) {
    auto finished = finish(std::move(pack));
    if (!finished.ok()) return fail(std::move(finished).take_error());
  }
  auto indexed = put_partial_index(true);
  if (!indexed.ok()) return fail(std::move(indexed).take_error());
  return {};
}

std::vector<PutPack> Packer::packs() const {
  std::lock_guard lock(mutex_);
  return put_;
}

}  // namespace lb::repo
