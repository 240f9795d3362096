#include "storage/repo/packer.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/put_once.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

// Tiny chunks must not make a footer larger than its pack.
constexpr std::size_t pack_chunks_max = 64 << 10;
constexpr std::size_t footer_room_bytes = 1 << 20;

}  // namespace

// A pack being filled. Space is reserved under the packer's lock; sealing into it needs none, so
// the bytes never move while frames are pending.
struct Packer::Pack {
  std::string name;
  std::uint32_t number = 0;  // in the ChunkMap
  PackKey key;
  std::unique_ptr<std::uint8_t[]> bytes;
  std::size_t room = 0, used = 0;
  std::vector<FooterFrame> frames;
  std::size_t chunks = 0;
  std::size_t pending = 0;  // frames reserved and not sealed yet
  bool closed = false;      // takes no more frames

  void make_room(std::size_t size) {
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(size);
    if (used > 0) std::copy_n(bytes.get(), used, larger.get());
    bytes = std::move(larger);
    room = size;
  }
  void append(ByteView more) {
    if (used + more.size() > room) make_room(used + more.size());
    std::copy(more.begin(), more.end(), bytes.get() + used);
    used += more.size();
  }
  ByteView view() const { return {bytes.get(), used}; }
};

struct Packer::Slot {
  std::shared_ptr<Pack> pack;
  std::uint32_t frame = 0;
  std::size_t offset = 0;
  // Packs that this reservation pushed out and that are ready.
  std::vector<std::shared_ptr<Pack>> closed;
};

Packer::Packer(const Core& core, ChunkMap& chunks, std::string session, const PackerLimits& limits,
               std::stop_token stop)
    : core_(core),
      chunks_(chunks),
      session_(std::move(session)),
      limits_(limits),
      stop_(std::move(stop)),
      queue_(limits.queue_bytes) {
  for (unsigned i = 0; i < std::max(1u, limits.workers); ++i) {
    workers_.emplace_back([this] {
      auto status = work();
      // The failure is kept, and every caller is told of it.
      if (!status.ok()) (void)fail(std::move(status).take_error());
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
  return check();
}

Status Packer::check() const {
  std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return {};
}

Status Packer::add(const Digest& id, ByteView bytes) {
  if (stop_.stop_requested()) return fail(Error(ErrorKind::cancelled, "stopped"));
  LB_TRY(check());
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
  if (queue_.push(std::move(full), size, halt_.get_token())) return {};
  return check();
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
  bool full = open_pack_ &&
              (open_pack_->used >= limits_.pack_bytes || open_pack_->chunks >= pack_chunks_max);
  if (full) close_open_pack(slot.closed);
  if (!open_pack_) {
    open_pack_ = std::make_shared<Pack>();
    open_pack_->name = pack_key(session_, next_pack_++);
    open_pack_->number = chunks_.add_pack({open_pack_->name, 0, {}});
    open_pack_->key = make_pack_key(core_.keys, core_.random);
    open_pack_->make_room(limits_.pack_bytes + 2 * frame_bytes_max + footer_room_bytes);
    open_pack_->append(pack_header());
  }
  auto& pack = *open_pack_;
  slot.pack = open_pack_;
  slot.frame = static_cast<std::uint32_t>(pack.frames.size());
  slot.offset = pack.used;
  pack.used += sealed_bytes;
  LB_ASSERT(pack.used <= pack.room);
  ++pack.pending;
  pack.chunks += frame.chunks.size();
  FooterFrame footer;
  footer.offset = slot.offset;
  footer.sealed_bytes = static_cast<std::uint32_t>(sealed_bytes);
  footer.plain_bytes = static_cast<std::uint32_t>(frame.plain.size());
  std::uint32_t offset = 0;
  for (const auto& [id, length] : frame.chunks) {
    footer.chunks.push_back({id, offset, length});
    offset += length;
  }
  pack.frames.push_back(std::move(footer));
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
  auto sealed = seal_frame(core_.keys, *pack.key.aead, pack.name, slot.frame, form);
  LB_ASSERT(sealed.size() == sealed_bytes);
  std::copy(sealed.begin(), sealed.end(), pack.bytes.get() + slot.offset);
  auto place = chunks_.add_frame({pack.number, slot.frame, static_cast<std::uint32_t>(slot.offset),
                                  static_cast<std::uint32_t>(sealed_bytes)});
  std::uint32_t offset = 0;
  for (const auto& [id, length] : frame.chunks) {
    chunks_.place(short_id(id), place, offset, length);
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
  pack->append(seal_footer(core_.keys, pack->key, pack->name, pack->used, pack->frames));
  auto digest = sha256(pack->view());
  LB_TRY(put_once(core_.blobs, pack->name, pack->view()));
  stored_bytes_ += pack->used;
  chunks_.complete_pack(pack->number, pack->used, digest);
  {
    std::lock_guard lock(mutex_);
    auto position = static_cast<std::uint32_t>(index_.packs.size());
    IndexPack indexed{{pack->name, pack->used, digest}, {}};
    for (std::uint32_t number = 0; number < pack->frames.size(); ++number) {
      const auto& frame = pack->frames[number];
      indexed.frame_sizes.push_back(frame.sealed_bytes);
      for (const auto& chunk : frame.chunks) {
        index_.entries.push_back(
            {short_id(chunk.id), position, number, chunk.offset, chunk.length});
      }
    }
    index_.packs.push_back(std::move(indexed));
  }
  return put_index(false);
}

// Index objects are put while the session runs, so that what an interrupted one stored is found by
// the next.
Status Packer::put_index(bool all) {
  Index index;
  std::string name;
  {
    std::lock_guard lock(mutex_);
    auto packs = index_.packs.size();
    if (packs == 0 || (!all && packs < packs_per_index)) return {};
    index = std::exchange(index_, Index{});
    name = index_key(session_, next_index_++);
  }
  // An index must never be durable before the packs it names.
  LB_TRY(core_.blobs.flush());
  auto bytes = encode_index(std::move(index));
  auto object = seal_object(core_.keys, core_.random, SealFor::writers, name, {bytes});
  stored_bytes_ += object.size();
  return put_once(core_.blobs, name, object);
}

Status Packer::settle() {
  if (stop_.stop_requested()) return fail(Error(ErrorKind::cancelled, "stopped"));
  Frame rest;
  {
    std::lock_guard lock(frame_mutex_);
    rest = std::exchange(open_frame_, Frame{});
  }
  LB_TRY(check());
  if (!rest.chunks.empty()) {
    auto sealed = seal(std::move(rest));
    if (!sealed.ok()) return fail(std::move(sealed).take_error());
  }
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [&] { return failure_ || frames_in_flight_ == 0; });
  if (failure_) return *failure_;
  return {};
}

Status Packer::drain() {
  LB_TRY(settle());
  std::vector<std::shared_ptr<Pack>> closed;
  {
    std::lock_guard lock(mutex_);
    close_open_pack(closed);
  }
  for (auto& pack : closed) {
    auto finished = finish(std::move(pack));
    if (!finished.ok()) return fail(std::move(finished).take_error());
  }
  auto indexed = put_index(true);
  if (!indexed.ok()) return fail(std::move(indexed).take_error());
  return {};
}

}  // namespace lb::repo
