#include "storage/collect/repack.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/collect/pack_mover.h"
#include "storage/repo/condemned.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_reader.h"
#include "storage/repo/put_once.h"
#include "storage/repo/quarantine.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr int rounds_max = 8;  // each goes through tables
// A run that frees less costs more than that: the new pack has an end too, and there is a verdict.
constexpr std::uint64_t gain_min = 1 << 10;

}  // namespace

// What is condemned comes before what is there, as for every session.
Status Repacker::look() {
  auto condemned = LB_TRY(condemned_packs(core_).context("read what is condemned"));
  auto quarantine = LB_TRY(read_quarantine(core_).context("read what is out of use"));
  unusable_ = std::move(condemned.packs);
  unusable_.merge(quarantine.keys);
  there_ = LB_TRY(core_.blobs.list("p/"));
  LB_TRY(survey_.look());
  report_.unread = survey_.unread();
  return {};
}

Result<RepackPlan> Repacker::plan() {
  LB_TRY(look());
  auto shape = [this](const std::string& pack, std::uint64_t bytes) {
    return shape_of(pack, bytes);
  };
  std::set<std::string> others;
  for (int round = 1;; ++round) {
    RepackPlanner planner(survey_, there_, unusable_, options_, core_.clock.now());
    worth_ = LB_TRY(planner.seems_worth(shape, others));
    LB_TRY(survey_.watch(worth_.watched));
    report_.unread = survey_.unread();
    auto out = LB_TRY(plan_again());
    if (!out.packs.empty() || worth_.packs.empty() || round == rounds_max) return out;
    // Those that only seemed worth it, or whose chunks are too many to be known, must not keep
    // others from their turn for ever.
    if (rejected_.empty()) rejected_.push_back(worth_.packs.front());
    others.insert(rejected_.begin(), rejected_.end());
  }
}

// The same of what is there by now.
Result<RepackPlan> Repacker::plan_again() {
  RepackPlanner planner(survey_, there_, unusable_, options_, core_.clock.now());
  auto out = planner.plan(worth_);
  LB_TRY(weigh(out));
  return out;
}

// Those that stay are worth it by what they really hold, and fit into the budget. One always, so
// that it goes on also where a pack is large beside the budget.
Status Repacker::weigh(RepackPlan& plan) {
  std::vector<RepackPlan::Pack> worth;
  rejected_.clear();
  for (auto& pack : plan.packs) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    if (plan.live_bytes >= plan.budget && !worth.empty()) {
      ++plan.beyond_budget;
      continue;
    }
    const auto* shape = LB_TRY(shape_of(pack.name, pack.bytes));
    if (shape == nullptr || !weigh(pack, *shape)) {
      rejected_.push_back(pack.name);
      continue;
    }
    bool fits = plan.live_bytes + pack.live_bytes <= plan.budget || worth.empty();
    if (!fits) {
      ++plan.beyond_budget;
      continue;
    }
    plan.bytes += pack.bytes;
    plan.live_bytes += pack.live_bytes;
    worth.push_back(std::move(pack));
  }
  if (plan.bytes - plan.live_bytes < gain_min) {
    for (const auto& pack : worth) rejected_.push_back(pack.name);
    worth.clear();
    plan.bytes = plan.live_bytes = 0;
  }
  std::sort(worth.begin(), worth.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  plan.packs = std::move(worth);
  return {};
}

// Null: it cannot be read, and was said to be left as it is.
Result<const PackShape*> Repacker::shape_of(const std::string& pack, std::uint64_t bytes) {
  auto [found, added] = shapes_.try_emplace(pack);
  auto& frames = found->second.frames;
  if (added) {
    auto end = FrameReader(core_).end_of(pack, bytes);
    if (!end.ok() && end.error().kind() != ErrorKind::corrupt) return std::move(end).take_error();
    if (!end.ok()) report_.skipped.push_back(end.error().message());
    if (end.ok()) {
      for (const auto& frame : end->frames) {
        frames.push_back({frame.sealed_bytes, frame.plain_bytes});
      }
    }
  }
  return frames.empty() ? nullptr : &found->second;
}

bool Repacker::weigh(RepackPlan::Pack& pack, const PackShape& shape) const {
  pack.opened.assign(shape.frames.size(), false);
  double live_bytes = 0;
  for (auto chunk = pack.live.begin(); chunk != pack.live.end();) {
    auto number = chunk->frame;
    std::uint64_t live = 0;
    for (; chunk != pack.live.end() && chunk->frame == number; ++chunk) live += chunk->length;
    if (number >= shape.frames.size()) continue;  // PackMover says so
    const auto& frame = shape.frames[number];
    auto part = static_cast<double>(live) / static_cast<double>(std::max(1u, frame.plain_bytes));
    pack.opened[number] = part < options_.open_below;
    live_bytes += frame.sealed_bytes * (pack.opened[number] ? part : 1.0);
  }
  pack.live_bytes = static_cast<std::uint64_t>(live_bytes);
  return live_bytes < options_.below * static_cast<double>(pack.bytes);
}

// The name of the session comes after all that is looked at: so the newer of two repackings is the
// one that knew the other.
Status Repacker::begin() {
  if (!survey_.verdicts().empty()) {
    const auto& last = *survey_.verdicts().rbegin();
    if (is_id(last)) follow_session_id(core_, last);
  }
  session_ = fresh_session_id(core_);
  Buffer intent;
  ByteWriter writer(intent);
  writer.u8(1);
  writer.text("");
  writer.signed_varint(to_micros(core_.clock.now()));
  auto key = intent_key(session_);
  LB_TRY(put_once(core_.blobs, key,
                  seal_object(core_.keys, core_.random, SealFor::writers, key, {intent}))
             .context("announce the session"));
  survey_.end_before(session_);
  return core_.blobs.flush();
}

Status Repacker::check_order() const {
  if (survey_.moves().empty() || survey_.moves().all().begin()->first < session_) return {};
  return Error(ErrorKind::conflict, "another repacking has ended meanwhile");
}

Result<RepackReport> Repacker::run(const RepackProgress& progress) {
  auto wanted = LB_TRY(plan());
  report_.beyond_budget = wanted.beyond_budget;
  if (wanted.nothing()) return std::move(report_);
  LB_TRY(begin());
  auto done = move(progress);
  // Collectors need not wait for a session that will not go on.
  if (!done.ok()) (void)give_up().ok();
  LB_TRY(std::move(done));
  return std::move(report_);
}

// Best effort: without it a collector aborts the session when it is old.
Status Repacker::give_up() {
  Verdict verdict;
  verdict.state = VerdictState::aborted;
  verdict.info.id = session_;
  return put_once(core_.blobs, verdict_key(session_),
                  seal_verdict(core_.keys, core_.random, verdict, {}));
}

Status Repacker::move(const RepackProgress& progress) {
  // Again, now that collectors wait for this session: what is not condemned by now stays.
  LB_TRY(look());
  auto decided = LB_TRY(plan_again());
  LB_TRY(check_order());
  report_.beyond_budget = decided.beyond_budget;
  MovedPackWriter out(core_, session_);
  LB_TRY(rewrite(decided, out, progress));
  LB_TRY(out.finish());
  resolve_gathered(out);
  DraftOptions draft{{}, options_.carried_bytes_max};
  for (const auto& pack : there_) draft.there.insert(pack.key);
  auto moved = LB_TRY(draft_moved(session_, survey_, decided, written_, draft));
  LB_TRY(commit(moved));
  report_.new_packs = out.packs().size();
  report_.new_bytes = out.stored_bytes();
  report_.packs += decided.moved_already;
  report_.bytes += decided.moved_already_bytes;
  return {};
}

Status Repacker::rewrite(const RepackPlan& plan, MovedPackWriter& out,
                         const RepackProgress& progress) {
  std::uint64_t done = 0;
  PackMover mover(core_, out, stop_);
  for (const auto& pack : plan.packs) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    // It was planned with what frames may come to when they are compressed anew.
    bool fits = out.written_bytes() + pack.live_bytes <= plan.budget || written_.places.empty();
    if (!fits) {
      ++report_.beyond_budget;
      continue;
    }
    MovedPack places{pack.name, {}, {}};
    auto rewritten = mover.run(pack, places);
    done += pack.live_bytes;
    if (progress) progress(done, plan.live_bytes);
    if (!rewritten.ok() && rewritten.error().kind() == ErrorKind::corrupt) {
      report_.skipped.push_back(rewritten.error().message());
      continue;
    }
    LB_TRY(std::move(rewritten));
    ++report_.packs;
    report_.bytes += pack.bytes;
    report_.moved_bytes += pack.live_bytes;
    written_.places.emplace(pack.name, std::move(places));
  }
  report_.moved_damaged = mover.damaged();
  return {};
}

// Now it is known where the gathered frames came to lie.
void Repacker::resolve_gathered(const MovedPackWriter& out) {
  written_.packs = out.packs();
  for (auto& [name, places] : written_.places) {
    for (auto& frame : places.frames) {
      if (frame.whole()) continue;
      ++report_.opened_frames;
      const auto& sealed = out.gathered(frame.number);
      frame.pack = sealed.pack;
      frame.number = sealed.number;
      frame.offset = sealed.offset;
      frame.size = sealed.size;
    }
  }
}

Status Repacker::commit(const Moved& moved) {
  if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
  auto sealed = LB_TRY(seal_moved(core_.keys, core_.random, moved));
  auto put = put_once(core_.blobs, verdict_key(session_), sealed);
  Error aborted(ErrorKind::conflict, cat("session ", session_, " was aborted by a collector"));
  if (!put.ok() && put.error().kind() == ErrorKind::conflict) return aborted;
  LB_TRY(std::move(put));
  LB_TRY(core_.blobs.flush());
  auto care = LB_TRY(read_ledger(core_).context("look whether the session still counts"));
  if (care.ledger.ended.contains(session_)) return aborted;
  return {};
}

}  // namespace lb::repo
