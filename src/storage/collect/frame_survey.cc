#include "storage/collect/frame_survey.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

std::vector<ChunkId> chunks_of(const std::vector<Extent>& extents) {
  std::vector<ChunkId> out;
  out.reserve(extents.size());
  for (const auto& extent : extents) out.push_back(extent.id);
  return out;
}

}  // namespace

void FrameSet::add(std::uint32_t frame, std::uint32_t size) {
  if (has(frame)) return;
  if (frame >= frames.size()) frames.resize(frame + 1);
  frames[frame] = true;
  bytes += size;
}

std::vector<std::uint32_t> FrameSet::numbers() const {
  std::vector<std::uint32_t> out;
  for (std::uint32_t frame = 0; frame < frames.size(); ++frame) {
    if (frames[frame]) out.push_back(frame);
  }
  return out;
}

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
  auto snapshot = LB_TRY(StoredSnapshot::of(core_, session, frames));
  auto walked = walk(*snapshot);
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
    Named fresh{{pack.name, pack.bytes, pack.sha256}, {}};
    packs.push_back(pack.needed ? &named_.try_emplace(pack.name, std::move(fresh)).first->second
                                : nullptr);
  }
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
  auto chunks = chunks_of(block.extents);
  auto known = blocks_.find(chunks);
  if (known != blocks_.end()) {
    const auto& numbers = known->second;
    bool same = std::all_of(numbers.begin(), numbers.end(), [&](const auto& each) {
      return each.first < packs.size() && packs[each.first] == each.second;
    });
    if (same) return {};
  }
  Numbers numbers;
  auto rows = LB_TRY(snapshot.block(number));
  for (const auto& row : rows) LB_TRY(name(row.extents, packs, &numbers));
  blocks_.insert_or_assign(std::move(chunks), std::move(numbers));
  return {};
}

Status FrameSurvey::name(const std::vector<Extent>& extents, const std::vector<Named*>& packs,
                         Numbers* numbers) {
  for (const auto& extent : extents) {
    if (extent.hole) continue;
    auto* named = extent.pack < packs.size() ? packs[extent.pack] : nullptr;
    // No pack has more frames than its bytes could hold.
    if (named == nullptr || extent.frame > named->pack.bytes / aead_tag_bytes) {
      return Error(ErrorKind::corrupt, "a table names what its snapshot does not need");
    }
    named->live.add(extent.frame, extent.frame_size);
    if (numbers == nullptr) continue;
    bool seen = std::any_of(numbers->begin(), numbers->end(),
                            [&](const auto& each) { return each.first == extent.pack; });
    if (!seen) numbers->emplace_back(extent.pack, named);
  }
  return {};
}

}  // namespace lb::repo
