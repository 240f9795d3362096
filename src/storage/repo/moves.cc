#include "storage/repo/moves.h"

#include <algorithm>
#include <set>

namespace lb::repo {

namespace {

std::optional<MovedPlace> place_in(const Moved& moved, const MovedPack& from,
                                   const Extent& extent) {
  const auto* frame = from.find(extent.frame);
  if (frame == nullptr) return std::nullopt;
  auto offset = from.offset_in(*frame, extent.offset, extent.chunk_bytes());
  if (!offset) return std::nullopt;
  return MovedPlace{moved.packs[frame->pack].name, frame->number, frame->offset, frame->size,
                    *offset};
}

}  // namespace

Extent MovedPlace::of(Extent extent) const {
  extent.frame = frame;
  extent.frame_offset = frame_offset;
  extent.frame_size = frame_size;
  extent.offset = offset;
  return extent;
}

std::vector<const StoredPack*> Instead::packs() const {
  std::set<std::uint32_t> numbers;
  for (const auto& frame : from->frames) numbers.insert(frame.pack);
  std::vector<const StoredPack*> out;
  out.reserve(numbers.size());
  for (auto number : numbers) out.push_back(&by->packs[number]);
  return out;
}

std::optional<MovedPlace> Instead::place(const Extent& extent) const {
  return place_in(*by, *from, extent);
}

void Moves::add(std::shared_ptr<const Moved> moved) {
  auto session = moved->session;
  newest_first_.emplace(std::move(session), std::move(moved));
}

std::optional<Instead> Moves::instead_of(const std::string& pack, const std::string& session,
                                         const VerdictMark& mark, const IsThere& there) const {
  for (const auto& [id, moved] : newest_first_) {
    if (id <= session) break;  // it is older than the snapshot
    const auto* from = moved->find(pack);
    if (from == nullptr) continue;
    auto looked = moved->looked.find(session);
    if (looked == moved->looked.end() || looked->second != mark) continue;
    Instead out{moved.get(), from};
    auto packs = out.packs();
    bool whole = !there || std::all_of(packs.begin(), packs.end(),
                                       [&](const auto* target) { return there(*target); });
    if (whole) return out;
  }
  return std::nullopt;
}

std::vector<StoredPack> Moves::needed(const Verdict& snapshot, const VerdictMark& mark,
                                      const IsThere& there) const {
  std::map<std::string, StoredPack> out;
  for (const auto& pack : snapshot.packs) {
    if (!pack.needed) continue;
    auto instead = instead_of(pack.name, snapshot.info.id, mark, there);
    if (!instead) {
      out.try_emplace(pack.name, StoredPack{pack.name, pack.bytes, pack.sha256});
      continue;
    }
    for (const auto* target : instead->packs()) out.try_emplace(target->name, *target);
  }
  std::vector<StoredPack> list;
  list.reserve(out.size());
  for (auto& [name, pack] : out) list.push_back(std::move(pack));
  return list;
}

std::vector<MovedPlace> Moves::places(const std::string& pack, const Extent& extent) const {
  std::vector<MovedPlace> out;
  for (const auto& [id, moved] : newest_first_) {
    const auto* from = moved->find(pack);
    auto place = from != nullptr ? place_in(*moved, *from, extent) : std::nullopt;
    if (place) out.push_back(std::move(*place));
  }
  return out;
}

}  // namespace lb::repo
