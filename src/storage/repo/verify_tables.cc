// Verifier: tables of snapshots and indexes, held against the packs of the present group.
#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/verifier.h"

namespace lb::repo {

namespace {

std::vector<ChunkId> chunks_of(const BlockRef& block) {
  std::vector<ChunkId> out;
  for (const auto& extent : block.extents) out.push_back(extent.id);
  return out;
}

Status read_through(StoredSnapshot& snapshot, const std::string& attachment) {
  const auto cursor = LB_TRY(snapshot.open_attachment(attachment));
  for (bool more = cursor != nullptr; more;) {
    const ByteView piece = LB_TRY(cursor->next());
    more = !piece.empty();
  }
  return {};
}

}  // namespace

bool Verifier::in_group(const PackState& pack) const {
  return group_begin_ <= pack.number && pack.number < group_end_;
}

Status Verifier::check_snapshots() {
  for (const auto& [id, snapshot] : snapshots_) {
    LB_TRY(check_stop());
    LB_TRY(check_snapshot(id, snapshot.name));
  }
  return {};
}

Status Verifier::check_snapshot(const std::string& id, const std::string& name) {
  auto opened = StoredSnapshot::open(core_, id);
  if (!opened.ok()) {
    hit(verdict_key(id), opened.error().message(), name);
    damaged_.insert(id);
    return {};
  }
  auto& snapshot = **opened;
  Open open{snapshot, name, {}};
  for (const auto& pack : snapshot.verdict().packs) {
    auto found = packs_.find(pack.name);
    Stored stored{found == packs_.end() ? nullptr : &found->second, std::nullopt};
    if (pack.needed) stored.instead = moves_.instead_of(pack.name, id, snapshots_[id].mark);
    open.packs.push_back(stored);
  }
  std::uint64_t rows = 0;
  for (std::size_t number = 0; number < snapshot.blocks().size(); ++number) {
    LB_TRY(check_stop());
    auto found = check_block(open, number);
    if (!found.ok()) {
      damaged(
          id,
          cat("the part of its table from '", printable_key(snapshot.blocks()[number].first_key),
              "' on cannot be read: ", found.error().message()),
          name);
    }
    rows += found.ok() ? *found : snapshot.blocks()[number].rows;
  }
  auto wanted = snapshot.info().rows;
  if (rows != wanted) damaged(id, cat("its table has ", rows, " rows instead of ", wanted), name);
  for (const auto& attachment : snapshot.verdict().attachments) {
    const auto read = read_through(snapshot, attachment.name);
    if (read.ok()) continue;
    damaged(id, cat("attachment ", attachment.name, ": ", read.error().message()), name);
  }
  return {};
}

// The rows of a block. Snapshots of one store share most blocks; each is gone through once as long
// as the numbers in it stand for the same packs.
Result<std::uint64_t> Verifier::check_block(Open& open, std::size_t number) {
  const auto& ref = open.snapshot.blocks()[number];
  auto known = good_blocks_.find(chunks_of(ref));
  if (known != good_blocks_.end()) {
    const auto& packs = known->second.packs;
    bool same = std::all_of(packs.begin(), packs.end(), [&](const auto& pack) {
      return pack.first < open.packs.size() && open.packs[pack.first].identity() == pack.second;
    });
    bool stored = std::all_of(ref.extents.begin(), ref.extents.end(),
                              [&](const Extent& extent) { return is_stored(open, extent); });
    if (same && stored) return known->second.rows;
  }
  auto rows = LB_TRY(open.snapshot.block(number));
  GoodBlock block;
  block.rows = rows.size();
  bool good = true;
  for (const auto& row : rows) {
    good = check_row(open, row) && good;
    for (const auto& extent : row.extents) {
      bool seen = extent.hole || extent.pack >= open.packs.size() ||
                  std::any_of(block.packs.begin(), block.packs.end(),
                              [&](const auto& pack) { return pack.first == extent.pack; });
      if (!seen) block.packs.emplace_back(extent.pack, open.packs[extent.pack].identity());
    }
  }
  if (good) good_blocks_.insert_or_assign(chunks_of(ref), std::move(block));
  return rows.size();
}

bool Verifier::is_stored(const Open& open, const Extent& extent) const {
  if (extent.hole) return true;
  if (extent.pack >= open.packs.size()) return false;
  const auto& stored = open.packs[extent.pack];
  if (!stored.instead) return holds(stored.pack, extent);
  auto place = stored.instead->place(extent);
  if (!place) return false;
  auto found = packs_.find(place->pack);
  return holds(found == packs_.end() ? nullptr : &found->second, place->of(extent));
}

// What lies in a pack of another group is left to its turn.
bool Verifier::holds(const PackState* pack, const Extent& extent) const {
  if (pack == nullptr) return false;
  if (!in_group(*pack)) return true;
  return pack->readable && pack->facts.holds(extent) &&
         !std::binary_search(pack->bad_frames.begin(), pack->bad_frames.end(), extent.frame);
}

std::string Verifier::stored_in(const Open& open, const Extent& extent) const {
  if (extent.pack < open.packs.size() && open.packs[extent.pack].instead) {
    auto place = open.packs[extent.pack].instead->place(extent);
    return place ? place->pack : verdict_key(open.packs[extent.pack].instead->by->session);
  }
  auto pack = open.snapshot.pack_of(extent);
  return pack.ok() ? *pack : verdict_key(open.snapshot.info().id);
}

bool Verifier::check_row(const Open& open, const Row& row) {
  std::uint64_t size = 0;
  for (const auto& extent : row.extents) size += extent.length;
  auto bad = std::find_if(row.extents.begin(), row.extents.end(),
                          [&](const Extent& extent) { return !is_stored(open, extent); });
  if (bad == row.extents.end() && size == row.size) return true;
  const auto& id = open.snapshot.info().id;
  auto path = cat(open.name, ": ", printable_key(row.key));
  if (bad == row.extents.end()) {
    damaged(id, "a row's extents do not add up", path);
    return false;
  }
  damaged_.insert(id);
  hit(stored_in(open, *bad), "does not give content that a snapshot needs", path);
  return false;
}

Status Verifier::check_indexes() {
  for (const auto& object : LB_TRY(core_.blobs.list("x/"))) {
    LB_TRY(check_stop());
    if (group_begin_ == 0) ++report_.objects;
    auto bytes = core_.blobs.get(object.key);
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) continue;  // just removed
    auto opened = bytes.ok() ? open_index(core_.keys, object.key, *bytes)
                             : Result<IndexObject>(bytes.error());
    if (opened.ok()) {
      check_index(object.key, opened->index);
    } else {
      add(object.key, opened.error().message(), "no snapshot; what it lists is stored again");
    }
  }
  return {};
}

// A pack that an index names and that is not there is no damage in itself: nothing deduplicates
// against it, and if a snapshot needs it, that has been said.
void Verifier::check_index(const std::string& key, const Index& index) {
  std::vector<const PackState*> packs;
  for (const auto& pack : index.packs) {
    auto found = packs_.find(pack.pack.name);
    packs.push_back(found == packs_.end() ? nullptr : &found->second);
  }
  for (const auto& entry : index.entries) {
    const auto* pack = packs[entry.pack];
    if (pack == nullptr || !in_group(*pack) || !pack->readable) continue;
    if (pack->facts.holds(entry.frame, entry.offset, entry.length, entry.id)) continue;
    add(key, cat("names a chunk that is not in ", index.packs[entry.pack].pack.name));
    return;
  }
}

}  // namespace lb::repo
