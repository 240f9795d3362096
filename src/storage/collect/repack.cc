#include "storage/collect/repack.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/collect/moved_packs.h"
#include "storage/repo/condemned.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_reader.h"
#include "storage/repo/put_once.h"
#include "storage/repo/quarantine.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::uint64_t read_bytes_max = 4 << 20;

// Frames that lie next to one another, read at once.
struct Run {
  std::size_t first = 0, last = 0;  // of the list
  std::uint64_t offset = 0, size = 0;
};

std::vector<Run> runs_of(const std::vector<std::uint32_t>& numbers,
                         const std::vector<FooterFrame>& frames) {
  std::vector<Run> out;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto& frame = frames[numbers[i]];
    bool joins = !out.empty() && out.back().offset + out.back().size == frame.offset &&
                 out.back().size + frame.sealed_bytes <= read_bytes_max;
    if (!joins) out.push_back({i, i, frame.offset, 0});
    out.back().last = i + 1;
    out.back().size += frame.sealed_bytes;
  }
  return out;
}

Error damaged_pack(const std::string& pack, const std::string& what) {
  return Error(ErrorKind::corrupt, cat("object ", pack, ": ", what)).with_exit(ExitCode::damaged);
}

// Numbers the packs of the new verdict.
class PackNumbers {
 public:
  explicit PackNumbers(std::vector<StoredPack>& packs) : packs_(packs) {}
  std::uint32_t of(const StoredPack& pack) {
    auto next = static_cast<std::uint32_t>(packs_.size());
    auto [found, added] = numbers_.try_emplace(pack.name, next);
    if (added) packs_.push_back(pack);
    return found->second;
  }

 private:
  std::vector<StoredPack>& packs_;
  std::map<std::string, std::uint32_t> numbers_;
};

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
  return plan_repack(survey_, there_, unusable_, options_, core_.clock.now());
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
  auto decided = LB_TRY(plan());
  LB_TRY(check_order());
  report_.beyond_budget = decided.beyond_budget;
  MovedPackWriter out(core_, session_);
  LB_TRY(rewrite(decided, out, progress));
  LB_TRY(out.finish());
  auto moved = LB_TRY(verdict(decided, out.packs()));
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
  for (const auto& pack : plan.packs) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    std::map<std::uint32_t, MovedFrame> places;
    auto rewritten = rewrite_pack(pack, out, places);
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
    places_.emplace(pack.name, std::move(places));
  }
  return {};
}

Status Repacker::rewrite_pack(const RepackPlan::Pack& pack, MovedPackWriter& out,
                              std::map<std::uint32_t, MovedFrame>& places) {
  FrameReader reader(core_);
  auto end = LB_TRY(reader.end_of(pack.name, pack.bytes));
  if (!pack.frames.empty() && pack.frames.back() >= end.frames.size()) {
    return damaged_pack(pack.name, "has fewer frames than snapshots name");
  }
  Buffer sealed;
  for (const auto& run : runs_of(pack.frames, end.frames)) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    sealed.resize(run.size);
    LB_TRY(reader.read(pack.name, run.offset, sealed));
    for (auto i = run.first; i < run.last; ++i) {
      auto number = pack.frames[i];
      const auto& frame = end.frames[number];
      auto bytes = MutableBytes(sealed).subspan(frame.offset - run.offset, frame.sealed_bytes);
      auto form = LB_TRY(open_form(core_.keys, *end.trailer.aead, pack.name, number, bytes));
      auto place = LB_TRY(out.add(form, frame));
      place.frame = number;
      places.emplace(number, place);
    }
  }
  return {};
}

// Carries on what earlier ones say of all that is still named, so that they are of no more use.
Result<Moved> Repacker::verdict(const RepackPlan& plan,
                                const std::vector<StoredPack>& packs) const {
  Moved out;
  out.session = session_;
  out.looked = survey_.looked();
  PackNumbers numbers(out.packs);
  for (const auto& [name, named] : survey_.named()) {
    auto instead = plan.moved.find(name);
    bool moved = instead != plan.moved.end();
    if (!moved && !places_.contains(name)) continue;
    MovedPack from{name, {}};
    for (auto number : named.live.numbers()) {
      MovedFrame frame{number, 0, number, 0, 0};
      auto pack = name;
      if (moved) {
        const auto* old = instead->second.by->find(name, number);
        const auto& target = instead->second.by->packs[old->pack];
        frame = *old;
        frame.pack = 0;
        pack = target.name;
        if (!places_.contains(pack)) frame.pack = numbers.of(target);
      }
      auto rewritten = places_.find(pack);
      if (rewritten != places_.end()) {
        auto place = rewritten->second.find(frame.number);
        if (place == rewritten->second.end()) {
          return Error(ErrorKind::internal, cat("frame ", number, " of ", name, " was not moved"));
        }
        frame = place->second;
        frame.frame = number;
        frame.pack = numbers.of(packs[place->second.pack]);
      }
      from.frames.push_back(frame);
    }
    out.from.push_back(std::move(from));
  }
  return out;
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
