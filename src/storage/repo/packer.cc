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

Packer::Packer(const Core& core, ChunkMap& chunks, std::string session, const PackerLimits& limits,
               std::stop_token stop)
    : core_(core),
      chunks_(chunks),
      session_(std::move(session)),
      limits_(limits),
      stop_(std::move(stop)),
      frames_(limits.queue_bytes / long_frame_bytes),
      queue_(limits.queue_bytes),
      full_(limits.packs),
      buffers_(limits.packs, limits.pack_bytes + 2 * frame_bytes_max + footer_room_bytes) {
  for (unsigned i = 0; i < std::max(1u, limits.workers); ++i) start(&Packer::work);
  for (unsigned i = 0; i < std::max(1u, limits.puts); ++i) start(&Packer::put_packs);
}

void Packer::start(Status (Packer::*task)()) {
  threads_.emplace_back([this, task] {
    auto status = (this->*task)();
    // The failure is kept, and every caller is told of it.
    if (!status.ok()) (void)fail(std::move(status).take_error());
  });
}

Packer::~Packer() {
  {
    std::lock_guard lock(mutex_);
    halt_.request_stop();
    changed_.notify_all();
  }
  threads_.clear();
}

Status Packer::fail(Error error) {
  {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(error);
  }
  halt_.request_stop();
  changed_.notify_all();
  return check();
}

Status Packer::check() const {
  std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return {};
}

Status Packer::add(const Digest& id, ByteView bytes, std::size_t full_bytes) {
  if (stop_.stop_requested()) return fail(Error(ErrorKind::cancelled, "stopped"));
  LB_TRY(check());
  auto full = frames_.add(id, bytes, full_bytes);
  if (!full) return {};
  auto size = full->plain.size();
  {
    std::lock_guard lock(mutex_);
    ++frames_in_flight_;
  }
  if (queue_.push(std::move(*full), size, halt_.get_token())) return {};
  return check();
}

Status Packer::work() {
  while (auto frame = queue_.pop(halt_.get_token())) {
    LB_TRY(seal(*frame));
    frames_.give_back(std::move(*frame));
    std::lock_guard lock(mutex_);
    --frames_in_flight_;
    changed_.notify_all();
  }
  return {};
}

Status Packer::put_packs() {
  while (auto pack = full_.pop(halt_.get_token())) {
    LB_TRY(finish(**pack));
    std::lock_guard lock(mutex_);
    --packs_in_flight_;
    changed_.notify_all();
  }
  return {};
}

// The open pack, which takes no more frames; null when one of them is still being sealed: whoever
// does that hands the pack over.
std::shared_ptr<OpenPack> Packer::close_pack() {
  auto pack = std::exchange(open_pack_, nullptr);
  pack->closed = true;
  ++packs_in_flight_;
  return pack->pending == 0 ? pack : nullptr;
}

void Packer::hand_over(std::shared_ptr<OpenPack> pack) {
  // Never waits: there are no more packs than have room. Stopped, nobody puts it any more.
  (void)full_.push(std::move(pack), 1, halt_.get_token());
}

void Packer::open_pack() {
  open_pack_ = std::make_shared<OpenPack>();
  open_pack_->name = pack_key(session_, next_pack_++);
  open_pack_->number = chunks_.add_pack({open_pack_->name, 0, {}});
  open_pack_->key = make_pack_key(core_.keys, core_.random);
  buffers_.lend_to(*open_pack_);
  open_pack_->append(pack_header());
}

// A full pack is handed over before there is a new one, so that a buffer comes free even if there
// is but one. Waits only for packs that other threads are sealing or putting.
Result<Packer::Slot> Packer::reserve(const ChunkFrame& frame, std::size_t sealed_bytes) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (failure_) return *failure_;
    if (halt_.stop_requested()) return Error(ErrorKind::cancelled, "the session has ended");
    bool full = open_pack_ &&
                (open_pack_->used >= limits_.pack_bytes || open_pack_->chunks >= pack_chunks_max);
    if (full) {
      auto closed = close_pack();
      if (closed) hand_over(std::move(closed));
      continue;
    }
    if (open_pack_) break;
    if (buffers_.any_left()) {
      open_pack();
    } else {
      changed_.wait(lock);
    }
  }
  auto number = static_cast<std::uint32_t>(open_pack_->frames.size());
  return Slot{open_pack_, number, open_pack_->reserve(frame, sealed_bytes)};
}

Status Packer::seal(const ChunkFrame& frame) {
  auto form = frame_form_of(frame.plain);
  auto sealed_bytes = form.size() + aead_tag_bytes;
  auto slot = LB_TRY(reserve(frame, sealed_bytes));
  auto& pack = *slot.pack;
  seal_frame(core_.keys, *pack.key.aead, pack.name, slot.frame, form,
             {pack.bytes.get() + slot.offset, sealed_bytes});
  FramePlace place{pack.number, slot.frame, static_cast<std::uint32_t>(slot.offset),
                   static_cast<std::uint32_t>(sealed_bytes)};
  std::uint32_t offset = 0;
  for (const auto& [id, length] : frame.chunks) {
    bool placed = chunks_.place(short_id(id), place, offset, length);
    LB_ASSERT(placed);
    offset += length;
  }
  std::lock_guard lock(mutex_);
  if (--pack.pending == 0 && pack.closed) hand_over(std::move(slot.pack));
  return {};
}

Status Packer::finish(OpenPack& pack) {
  auto end = pack.used;
  pack.append(seal_footer(core_.keys, pack.key, pack.name, end, pack.frames));
  auto digest = sha256(pack.view().subspan(end));
  LB_TRY(put_once(core_.blobs, pack.name, pack.view()));
  stored_bytes_ += pack.used;
  chunks_.complete_pack(pack.number, pack.used, digest);
  {
    std::lock_guard lock(mutex_);
    note_in_index(pack, digest);
    buffers_.take_back(pack);
    changed_.notify_all();
  }
  return put_index(false);
}

void Packer::note_in_index(const OpenPack& pack, const Digest& digest) {
  auto position = static_cast<std::uint32_t>(index_.packs.size());
  IndexPack indexed{{pack.name, pack.used, digest}, {}};
  for (std::uint32_t number = 0; number < pack.frames.size(); ++number) {
    const auto& frame = pack.frames[number];
    indexed.frame_sizes.push_back(frame.sealed_bytes);
    for (const auto& chunk : frame.chunks) {
      index_.entries.push_back({short_id(chunk.id), position, number, chunk.offset, chunk.length});
    }
  }
  index_.packs.push_back(std::move(indexed));
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
  auto object = seal_index(core_.keys, core_.random, name, std::move(index));
  stored_bytes_ += object.size();
  return put_once(core_.blobs, name, object);
}

Status Packer::settle() {
  if (stop_.stop_requested()) return fail(Error(ErrorKind::cancelled, "stopped"));
  LB_TRY(check());
  for (const auto& frame : frames_.take_rest()) {
    auto sealed = seal(frame);
    if (!sealed.ok()) return fail(std::move(sealed).take_error());
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || frames_in_flight_ == 0; });
  if (failure_) return *failure_;
  return {};
}

Status Packer::drain() {
  LB_TRY(settle());
  {
    std::unique_lock lock(mutex_);
    auto closed = open_pack_ ? close_pack() : nullptr;
    if (closed) hand_over(std::move(closed));
    changed_.wait(lock, [&] { return failure_ || packs_in_flight_ == 0; });
    if (failure_) return *failure_;
  }
  auto rest = put_index(true);
  if (!rest.ok()) return fail(std::move(rest).take_error());
  return {};
}

}  // namespace lb::repo
