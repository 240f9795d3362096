#include "storage/repo/chunk_map.h"

#include <algorithm>
#include <cstring>

#include "storage/repo/format.h"

namespace lb::repo {

namespace {

constexpr std::uint32_t claimed = 0xFFFFFFFF;  // stands for the frame of a chunk not sealed yet
constexpr std::size_t entry_bytes = 32;

Error bad_index(const char* what) { return Error(ErrorKind::corrupt, what); }

}  // namespace

std::uint32_t ChunkMap::add_pack(const StoredPack& pack) {
  std::lock_guard lock(packs_mutex_);
  auto next = static_cast<std::uint32_t>(packs_.size());
  auto [found, added] = pack_numbers_.try_emplace(pack.name, next);
  if (added) packs_.push_back(pack);
  return found->second;
}

void ChunkMap::complete_pack(std::uint32_t number, std::uint64_t bytes, const Digest& sha256) {
  std::lock_guard lock(packs_mutex_);
  auto& pack = packs_.at(number);
  pack.bytes = bytes;
  pack.sha256 = sha256;
}

StoredPack ChunkMap::pack(std::uint32_t number) const {
  std::lock_guard lock(packs_mutex_);
  return packs_.at(number);
}

std::uint32_t ChunkMap::add_frame(const FramePlace& frame) {
  std::lock_guard lock(packs_mutex_);
  LB_ASSERT(frames_.size() < claimed);
  frames_.push_back(frame);
  return static_cast<std::uint32_t>(frames_.size() - 1);
}

// Ids are the output of a keyed hash: any eight bytes of one are as good as a hash of it.
std::size_t ChunkMap::Shard::slot_of(const ChunkId& id) const {
  std::uint64_t hash = 0;
  std::memcpy(&hash, id.data(), sizeof hash);
  auto at = static_cast<std::size_t>(hash % slots.size());
  while (slots[at].length != 0 && slots[at].id != id) at = at + 1 == slots.size() ? 0 : at + 1;
  return at;
}

void ChunkMap::Shard::grow() {
  std::vector<Entry> old(slots.size() + slots.size() / 2 + 64);
  old.swap(slots);
  for (const auto& entry : old) {
    if (entry.length != 0) slots[slot_of(entry.id)] = entry;
  }
}

ChunkMap::Entry& ChunkMap::Shard::at(const ChunkId& id, std::uint32_t length, bool& added) {
  if ((used + 1) * 5 >= slots.size() * 4) grow();
  auto& entry = slots[slot_of(id)];
  added = entry.length == 0;
  if (added) {
    entry = {id, claimed, 0, length};
    ++used;
  }
  return entry;
}

bool ChunkMap::claim(const ChunkId& id, std::uint32_t length) {
  LB_ASSERT(length > 0);
  auto& part = shard(id);
  std::lock_guard lock(part.mutex);
  bool added = false;
  part.at(id, length, added);
  return added;
}

void ChunkMap::place(const ChunkId& id, std::uint32_t frame, std::uint32_t offset,
                     std::uint32_t length) {
  LB_ASSERT(length > 0);
  auto& part = shard(id);
  std::lock_guard lock(part.mutex);
  bool added = false;
  auto& entry = part.at(id, length, added);
  if (entry.frame != claimed) return;
  entry.frame = frame;
  entry.offset = offset;
  entry.length = length;
}

std::optional<ChunkPlace> ChunkMap::find(const ChunkId& id) const {
  Entry entry{};
  {
    const auto& part = shard(id);
    std::lock_guard lock(part.mutex);
    if (part.slots.empty()) return std::nullopt;
    entry = part.slots[part.slot_of(id)];
  }
  if (entry.length == 0 || entry.frame == claimed) return std::nullopt;
  std::lock_guard lock(packs_mutex_);
  return ChunkPlace{frames_.at(entry.frame), entry.offset, entry.length};
}

Buffer encode_index(Index index) {
  std::sort(index.entries.begin(), index.entries.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  Buffer out;
  ByteWriter writer(out);
  writer.varint(index.packs.size());
  for (const auto& [pack, frame_sizes] : index.packs) {
    writer.text(pack.name);
    writer.varint(pack.bytes);
    writer.raw(pack.sha256);
    writer.varint(frame_sizes.size());
    for (auto size : frame_sizes) writer.varint(size);
  }
  writer.varint(index.entries.size());
  for (const auto& entry : index.entries) {
    writer.raw(entry.id);
    for (auto value : {entry.pack, entry.frame, entry.offset, entry.length}) writer.u32(value);
  }
  return out;
}

namespace {

Result<IndexPack> decode_pack(ByteReader& in) {
  IndexPack out;
  out.pack.name = LB_TRY(in.text(256));
  out.pack.bytes = LB_TRY(in.varint());
  auto digest = LB_TRY(in.raw(out.pack.sha256.size()));
  std::copy(digest.begin(), digest.end(), out.pack.sha256.begin());
  auto frames = LB_TRY(in.varint());
  if (frames > in.left() || out.pack.bytes > 0xFFFFFFFF) return bad_index("a pack is too large");
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < frames; ++i) {
    auto size = LB_TRY(in.varint());
    if (size > 2 * frame_bytes_max) return bad_index("a frame is too large");
    total += size;
    out.frame_sizes.push_back(static_cast<std::uint32_t>(size));
  }
  if (total > out.pack.bytes) return bad_index("frames are larger than their pack");
  return out;
}

}  // namespace

Result<Index> decode_index(ByteView bytes) {
  ByteReader in(bytes);
  Index out;
  auto packs = LB_TRY(in.varint());
  if (packs > in.left()) return bad_index("more packs than bytes");
  for (std::uint64_t i = 0; i < packs; ++i) {
    auto pack = LB_TRY(decode_pack(in));
    out.packs.push_back(std::move(pack));
  }
  auto total = LB_TRY(in.varint());
  if (total > in.left() / entry_bytes || in.left() != total * entry_bytes) {
    return bad_index("entries do not fill the object");
  }
  out.entries.resize(total);
  for (auto& entry : out.entries) {
    auto id = LB_TRY(in.raw(entry.id.size()));
    std::copy(id.begin(), id.end(), entry.id.begin());
    for (auto* value : {&entry.pack, &entry.frame, &entry.offset, &entry.length}) {
      *value = LB_TRY(in.u32());
    }
    bool good = entry.pack < out.packs.size() &&
                entry.frame < out.packs[entry.pack].frame_sizes.size() && entry.length > 0 &&
                entry.length <= chunk_bytes_max && entry.offset <= frame_bytes_max - entry.length;
    if (!good) return bad_index("an entry makes no sense");
  }
  return out;
}

}  // namespace lb::repo
