#include "storage/repo/chunk_map.h"

#include <algorithm>
#include <cstring>

#include "storage/repo/chunk_runs.h"

namespace lb::repo {

namespace {

// Marks in the bits that a packed place leaves free. A place is never zero: its sizes are not.
constexpr std::uint64_t mark_placed = std::uint64_t{1} << 63;
constexpr std::uint64_t mark_claimed = std::uint64_t{1} << 62;
constexpr std::uint64_t mark_spilled = std::uint64_t{1} << 61;
constexpr std::uint64_t marks = mark_placed | mark_claimed | mark_spilled;

bool empty(const index::Entry& entry) { return (entry.place.chunk & marks) == 0; }
bool has(const index::Entry& entry, std::uint64_t mark) { return (entry.place.chunk & mark) != 0; }

}  // namespace

// A table of chunks that were there when the session began.
struct ChunkMap::Known {
  std::shared_ptr<const index::Table> table;  // shared with the cache
  std::vector<bool> usable;
  std::vector<std::uint32_t> numbers;  // of its packs in the map, + 1; by packs_mutex_
};

ChunkMap::ChunkMap() = default;
ChunkMap::~ChunkMap() = default;

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

void ChunkMap::know(std::shared_ptr<const index::Table> table, std::vector<bool> usable) {
  LB_ASSERT(usable.size() == table->packs());
  auto known = std::make_unique<Known>();
  known->numbers.resize(usable.size());
  known->table = std::move(table);
  known->usable = std::move(usable);
  known_.push_back(std::move(known));
}

void ChunkMap::spill_to(index::CachePlace place, std::size_t entries_max) {
  runs_ = std::make_unique<ChunkRuns>(std::move(place), entries_max);
}

std::optional<Error> ChunkMap::spill_trouble() const {
  return runs_ ? runs_->trouble() : std::nullopt;
}

// Ids are the output of a keyed hash: any eight bytes of one are as good as a hash of it.
std::size_t ChunkMap::Shard::slot_of(const ChunkId& id) const {
  std::uint64_t hash = 0;
  std::memcpy(&hash, id.data() + 8, sizeof hash);
  auto at = static_cast<std::size_t>(hash % slots.size());
  while (!empty(slots[at]) && slots[at].id != id) at = at + 1 == slots.size() ? 0 : at + 1;
  return at;
}

const index::Entry* ChunkMap::Shard::find(const ChunkId& id) const {
  if (slots.empty()) return nullptr;
  const auto& entry = slots[slot_of(id)];
  return empty(entry) ? nullptr : &entry;
}

void ChunkMap::Shard::resize(std::size_t size) {
  std::vector<index::Entry> old(size);
  old.swap(slots);
  for (const auto& entry : old) {
    if (!empty(entry)) slots[slot_of(entry.id)] = entry;
  }
}

index::Entry& ChunkMap::Shard::add(const index::Entry& entry) {
  if ((used + 1) * 5 >= slots.size() * 4) resize(slots.size() + slots.size() / 2 + 64);
  auto& slot = slots[slot_of(entry.id)];
  slot = entry;
  ++used;
  return slot;
}

// Looked up while the shard is locked: what leaves it is in a run before.
bool ChunkMap::is_stored(const ChunkId& id) const {
  return (runs_ && runs_->find(id)) || find_known(id);
}

bool ChunkMap::claim(const ChunkId& id, std::uint32_t length) {
  LB_ASSERT(length > 0);
  auto& part = shard(id);
  std::lock_guard lock(part.mutex);
  if (part.find(id) != nullptr || is_stored(id)) return false;
  part.add({id, {mark_claimed, 0}});
  return true;
}

bool ChunkMap::place(const ChunkId& id, const FramePlace& frame, std::uint32_t offset,
                     std::uint32_t length) {
  index::Place where{frame.pack, frame.number, frame.offset, frame.size, offset, length};
  if (!index::packable(where)) return false;
  auto packed = index::pack(where);
  packed.chunk |= mark_placed;
  auto& part = shard(id);
  {
    std::lock_guard lock(part.mutex);
    const auto* found = part.find(id);
    if (found == nullptr) {
      if (is_stored(id)) return true;
      part.add({id, packed});
    } else if (has(*found, mark_claimed)) {
      part.slots[part.slot_of(id)].place = packed;
    } else {
      return true;
    }
  }
  if (runs_ && ++placed_ > runs_->entries_max()) spill();
  return true;
}

std::optional<ChunkPlace> ChunkMap::find(const ChunkId& id) const {
  std::optional<index::Place> found;
  {
    const auto& part = shard(id);
    std::lock_guard lock(part.mutex);
    const auto* own = part.find(id);
    if (own != nullptr && has(*own, mark_claimed)) return std::nullopt;
    if (own != nullptr) found = index::unpack(own->place);
    if (!found && runs_) found = runs_->find(id);
  }
  if (!found) found = find_known(id);
  if (!found) return std::nullopt;
  return ChunkPlace{{found->pack, found->frame, found->frame_offset, found->frame_size},
                    found->offset,
                    found->length};
}

// A page that cannot be read, or is not as it was written, knows nothing: the chunk is stored
// again, and the cache is made anew by the next session.
std::optional<index::Place> ChunkMap::find_known(const ChunkId& id) const {
  for (const auto& known : known_) {
    auto found = known->table->find(id);
    if (!found.ok()) known->table->discard();
    if (!found.ok() || !*found || (*found)->pack >= known->usable.size()) continue;
    auto place = **found;
    if (!known->usable[place.pack]) continue;
    std::lock_guard lock(packs_mutex_);
    auto& number = known->numbers[place.pack];
    if (number == 0) {
      auto pack = known->table->pack(place.pack);
      if (!pack.ok()) continue;
      auto next = static_cast<std::uint32_t>(packs_.size());
      auto [at, added] = pack_numbers_.try_emplace(pack->name, next);
      if (added) packs_.push_back({pack->name, pack->bytes, pack->sha256});
      number = at->second + 1;
    }
    place.pack = number - 1;
    return place;
  }
  return std::nullopt;
}

std::vector<index::Entry> ChunkMap::take_to_spill(Shard& part) {
  std::vector<index::Entry> out;
  {
    std::lock_guard lock(part.mutex);
    for (auto& entry : part.slots) {
      if (!has(entry, mark_placed)) continue;
      entry.place.chunk |= mark_spilled;
      out.push_back(entry);
    }
  }
  for (auto& entry : out) entry.place.chunk &= ~marks;
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

void ChunkMap::forget_spilled(Shard& part) {
  std::lock_guard lock(part.mutex);
  auto old = std::exchange(part.slots, {});
  auto before = std::exchange(part.used, 0);
  for (const auto& entry : old) {
    if (!empty(entry) && !has(entry, mark_spilled)) part.add(entry);
  }
  placed_ -= before - part.used;
}

// One thread spills; others go on, and find each chunk in its shard until it is in the run.
void ChunkMap::spill() {
  std::unique_lock lock(spill_mutex_, std::try_to_lock);
  if (!lock.owns_lock() || placed_ <= runs_->entries_max()) return;
  auto spilled = runs_->add(placed_, [this](const auto& write) -> Status {
    for (auto& part : shards_) LB_TRY(write(take_to_spill(part)));
    return {};
  });
  if (!spilled) return;
  for (auto& part : shards_) forget_spilled(part);
}

}  // namespace lb::repo
