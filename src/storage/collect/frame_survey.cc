#include "storage/collect/frame_survey.h"

#include <algorithm>
#include <utility>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

std::vector<ChunkId> ids_of(const std::vector<Extent>& extents) {
  std::vector<ChunkId> out;
  out.reserve(extents.size());
  for (const auto& extent : extents) out.push_back(extent.id);
  return out;
}

}  // namespace

Status FrameSurvey::look() {
  ledger_ = std::move(LB_TRY(read_ledger(core_)).ledger);
  for (const auto& object : LB_TRY(core_.blobs.list("e/"))) {
    verdicts_.insert(object.key.substr(2));
  }
  bool moves = false;
  // The newest first, as a repacking is newer than the snapshots it looked at.
  for (auto session = verdicts_.rbegin(); session != verdicts_.rend(); ++session) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    if (read_.contains(*session) || ledger_.ended.contains(*session)) continue;
    auto before = moves_.all().size();
    LB_TRY(read_verdict(*session));
    moves = moves || moves_.all().size() != before;
  }
  if (!moves) return {};
  // One may have been put after its session was aborted and the mark of that had gone: then the
  // ledger, read now, names the session.
  ledger_ = std::move(LB_TRY(read_ledger(core_)).ledger);
  for (const auto& [session, mark] : ledger_.ended) moves_.remove(session);
  return {};
}

Status FrameSurvey::watch(const std::vector<std::string>& packs) {
  for (auto* named : watched_) named->chunks.reset();
  watched_.clear();
  watched_chunks_ = 0;
  for (const auto& pack : packs) {
    auto found = named_.find(pack);
    if (found == named_.end() || found->second.chunks) continue;
    found->second.chunks.emplace();
    watched_.push_back(&found->second);
  }
  if (watched_.empty()) return {};
  ++round_;
  auto again = std::exchange(looked_, {});  // without those that were forgotten since
  for (auto session = again.rbegin(); session != again.rend(); ++session) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    LB_TRY(read_verdict(session->first));
  }
  return {};
}

const std::vector<LiveChunk>* FrameSurvey::chunks_of(const std::string& pack) {
  auto found = named_.find(pack);
  if (found == named_.end() || !found->second.chunks) return nullptr;
  auto& chunks = *found->second.chunks;
  watched_chunks_ -= chunks.size();
  const auto& list = chunks.list();
  watched_chunks_ += list.size();
  return &list;
}

Status FrameSurvey::read_verdict(const std::string& session) {
  auto key = verdict_key(session);
  auto object = core_.blobs.get(key);
  if (!object.ok() && object.error().kind() == ErrorKind::not_found) return {};  // forgotten
  auto bytes = LB_TRY(std::move(object));
  std::vector<Buffer> frames;
  auto opened = open_verdict(core_.keys, session, bytes, &frames);
  if (!opened.ok()) {
    return std::move(opened)
        .take_error()
        .context("nothing may be moved while it is unknown what this snapshot needs")
        .with_exit(ExitCode::damaged);
  }
  read_.insert(session);
  if (opened->moved) moves_.add(opened->moved);
  if (!opened->is_snapshot() || without_.contains(session)) return {};
  if (!end_.empty() && session >= end_) {
    keep(*opened);
    return {};
  }
  auto snapshot = StoredSnapshot::of(core_, session, frames);
  auto walked = snapshot.ok() ? walk(**snapshot) : Status(snapshot.error());
  if (walked.ok()) {
    looked_.emplace(session, verdict_mark(sha256(bytes)));
    return {};
  }
  if (walked.error().kind() != ErrorKind::corrupt) return walked;
  unread_.push_back(session);
  keep(*opened);
  return {};
}

// The packs it names, and wherever any of these was moved.
void FrameSurvey::keep(const Verdict& verdict) {
  for (const auto& pack : verdict.packs) {
    if (!pack.needed) continue;
    kept_.insert(pack.name);
    for (const auto& [session, moved] : moves_.all()) {
      const auto* from = moved->find(pack.name);
      if (from == nullptr) continue;
      for (const auto* target : Instead{moved.get(), from}.packs()) kept_.insert(target->name);
    }
  }
}

Status FrameSurvey::walk(StoredSnapshot& snapshot) {
  std::vector<Named*> packs;
  for (const auto& pack : snapshot.verdict().packs) {
    if (!pack.needed) {
      packs.push_back(nullptr);
      continue;
    }
    packs.push_back(&named_.try_emplace(pack.name, Named{pack.bytes, {}}).first->second);
  }
  LB_TRY(name(snapshot.upper_extents(), packs, nullptr));
  for (std::size_t number = 0; number < snapshot.blocks().size(); ++number) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    LB_TRY(walk_block(snapshot, number, packs));
  }
  for (const auto& attachment : snapshot.verdict().attachments) {
    LB_TRY(name(attachment.extents, packs, nullptr));
  }
  return {};
}

Status FrameSurvey::walk_block(StoredSnapshot& snapshot, std::size_t number,
                               std::vector<Named*>& packs) {
  const auto& block = snapshot.blocks()[number];
  LB_TRY(name(block.extents, packs, nullptr));
  auto chunks = ids_of(block.extents);
  auto known = blocks_.find(chunks);
  if (known != blocks_.end() && is_known(known->second, packs)) return {};
  Numbers numbers;
  auto rows = LB_TRY(snapshot.block(number));
  for (const auto& row : rows) LB_TRY(name(row.extents, packs, &numbers));
  blocks_.insert_or_assign(std::move(chunks), Block{std::move(numbers), round_});
  return {};
}

bool FrameSurvey::is_known(const Block& block, const std::vector<Named*>& packs) const {
  return std::all_of(block.numbers.begin(), block.numbers.end(), [&](const auto& each) {
    bool same = each.first < packs.size() && packs[each.first] == each.second;
    return same && (!each.second->chunks || block.round == round_);
  });
}

Status FrameSurvey::name(const std::vector<Extent>& extents, const std::vector<Named*>& packs,
                         Numbers* numbers) {
  for (const auto& extent : extents) {
    if (extent.hole) continue;
    auto* named = extent.pack < packs.size() ? packs[extent.pack] : nullptr;
    if (named == nullptr) {
      return Error(ErrorKind::corrupt, "a table names what its snapshot does not need");
    }
    LB_TRY(name(extent, *named));
    if (numbers == nullptr) continue;
    bool seen = std::any_of(numbers->begin(), numbers->end(),
                            [&](const auto& each) { return each.first == extent.pack; });
    if (!seen) numbers->emplace_back(extent.pack, named);
  }
  return {};
}

Status FrameSurvey::name(const Extent& extent, Named& named) {
  // No pack has more frames than its bytes could hold.
  bool possible = extent.frame <= named.pack_bytes / aead_tag_bytes &&
                  extent.offset <= frame_bytes_max && extent.chunk_bytes() <= frame_bytes_max;
  if (!possible) return Error(ErrorKind::corrupt, "a table names what no pack can hold");
  LiveChunk chunk{extent.frame, extent.offset, static_cast<std::uint32_t>(extent.chunk_bytes())};
  named.live.add(chunk, extent.frame_size);
  if (!named.chunks) return {};
  auto before = named.chunks->size();
  named.chunks->add(chunk);
  watched_chunks_ += named.chunks->size() - before;
  if (watched_chunks_ > watched_chunks_max_) make_room();
  return {};
}

// Well below the limit, so that it does not come to this with every chunk.
void FrameSurvey::make_room() {
  watched_chunks_ = 0;
  for (auto* named : watched_) watched_chunks_ += named->chunks->list().size();
  while (watched_chunks_ > watched_chunks_max_ / 4 * 3 && watched_.size() > 1) {
    watched_chunks_ -= watched_.back()->chunks->size();
    watched_.back()->chunks.reset();
    watched_.pop_back();
  }
}

}  // namespace lb::repo
