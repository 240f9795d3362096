#include "storage/repo/chunk_map.h"

#include <algorithm>
#include <cstring>

#include "foundation/base/text.h"

namespace lb::repo {

namespace {

constexpr std::size_t entry_bytes = 40;

}  // namespace

// Ids are the output of a keyed hash: any eight bytes of one are as good as a hash of it.
std::size_t ChunkMap::HashId::operator()(const ChunkId& id) const {
  std::size_t out = 0;
  std::memcpy(&out, id.data(), sizeof out);
  return out;
}

std::uint32_t ChunkMap::add_pack(const std::string& name) {
  std::lock_guard lock(packs_mutex_);
  auto [found, added] = pack_numbers_.try_emplace(name, static_cast<std::uint32_t>(packs_.size()));
  if (added) packs_.push_back(name);
  return found->second;
}

std::string ChunkMap::pack_name(std::uint32_t number) const {
  std::lock_guard lock(packs_mutex_);
  LB_ASSERT(number < packs_.size());
  return packs_[number];
}

std::size_t ChunkMap::pack_count() const {
  std::lock_guard lock(packs_mutex_);
  return packs_.size();
}

bool ChunkMap::claim(const ChunkId& id, std::uint32_t length) {
  auto& part = shard(id);
  std::lock_guard lock(part.mutex);
  ChunkPlace pending;
  pending.pack = pack_pending;
  pending.length = length;
  return part.places.try_emplace(id, pending).second;
}

void ChunkMap::place(const ChunkId& id, const ChunkPlace& place) {
  auto& part = shard(id);
  std::lock_guard lock(part.mutex);
  part.places[id] = place;
}

void ChunkMap::add_known(const ChunkId& id, const ChunkPlace& place) {
  auto& part = shard(id);
  std::lock_guard lock(part.mutex);
  part.places.try_emplace(id, place);
}

std::optional<ChunkPlace> ChunkMap::find(const ChunkId& id) const {
  const auto& part = shard(id);
  std::lock_guard lock(part.mutex);
  auto found = part.places.find(id);
  if (found == part.places.end()) return std::nullopt;
  return found->second;
}

Buffer encode_index(const std::vector<std::string>& packs, std::vector<IndexEntry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  Buffer out;
  ByteWriter writer(out);
  writer.varint(packs.size());
  for (const auto& pack : packs) writer.text(pack);
  writer.varint(entries.size());
  for (const auto& entry : entries) {
    writer.raw(entry.id);
    for (auto value : {entry.place.pack, entry.place.frame, entry.place.frame_offset,
                       entry.place.frame_size, entry.place.offset, entry.place.length}) {
      writer.u32(value);
    }
  }
  return out;
}

Status read_index(ByteView bytes, std::vector<std::string>& packs,
                  std::vector<IndexEntry>& entries) {
  ByteReader in(bytes);
  auto pack_total = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < pack_total; ++i) packs.push_back(LB_TRY(in.text(256)));
  auto total = LB_TRY(in.varint());
  if (total > in.left() / entry_bytes || in.left() != total * entry_bytes) {
    return Error(ErrorKind::corrupt, "index entries do not fill the object");
  }
  entries.reserve(entries.size() + total);
  for (std::uint64_t i = 0; i < total; ++i) {
    IndexEntry entry;
    auto id = LB_TRY(in.raw(entry.id.size()));
    std::copy(id.begin(), id.end(), entry.id.begin());
    for (auto* value : {&entry.place.pack, &entry.place.frame, &entry.place.frame_offset,
                        &entry.place.frame_size, &entry.place.offset, &entry.place.length}) {
      *value = LB_TRY(in.u32());
    }
    if (entry.place.pack >= packs.size())
      return Error(ErrorKind::corrupt, "index entry names no pack");
    entries.push_back(entry);
  }
  return {};
}

}  // namespace lb::repo
