#include "storage/repo/verifier.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/quarantine.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::size_t affected_max = 100;

}  // namespace

double sample_draw(std::uint64_t seed, const std::string& name) {
  Buffer key;
  ByteWriter(key).u64(seed);
  auto digest = hmac_sha256(key, view_of(name));
  return (digest[0] * 65536.0 + digest[1] * 256.0 + digest[2]) / 16777216.0;
}

Verifier::Verifier(const Core& core, const VerifyOptions& options, std::stop_token stop,
                   VerifyProgress progress)
    : core_(core), options_(options), stop_(std::move(stop)), progress_(std::move(progress)) {
  report_.fraction = options.fraction;
  report_.deep = options.deep;
}

Status Verifier::check_stop() const {
  if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
  return {};
}

void Verifier::add(const std::string& object, const std::string& problem,
                   const std::string& affected) {
  std::lock_guard lock(mutex_);
  auto number = report_.findings.size();
  auto [found, added] = by_problem_.try_emplace(cat(object, "\n", problem), number);
  if (added) {
    report_.findings.push_back({object, problem, {}});
    by_object_.try_emplace(object, number);
  }
  auto& list = report_.findings[found->second].affected;
  bool known = std::find(list.begin(), list.end(), affected) != list.end();
  if (!affected.empty() && !known && list.size() < affected_max) list.push_back(affected);
}

void Verifier::hit(const std::string& object, const std::string& problem,
                   const std::string& affected) {
  auto known = by_object_.find(object);
  add(object, known == by_object_.end() ? problem : report_.findings[known->second].problem,
      affected);
}

void Verifier::damaged(const std::string& id, const std::string& problem,
                       const std::string& affected) {
  add(verdict_key(id), problem, affected);
  damaged_.insert(id);
}

bool Verifier::chance(const std::string& object) const {
  return options_.fraction >= 1 || sample_draw(options_.seed, object) < options_.fraction;
}

Result<VerifyReport> Verifier::run() {
  LB_TRY(check_text_objects());
  LB_TRY(check_care());
  LB_TRY(check_verdicts());
  LB_TRY(list_packs());
  do {
    LB_TRY(check_group());
    LB_TRY(check_snapshots());
    LB_TRY(check_indexes());
  } while (group_end_ < order_.size());
  LB_TRY(check_logs());
  LB_TRY(check_small_objects());
  LB_TRY(forgive());
  for (const auto& [id, snapshot] : snapshots_) {
    (damaged_.contains(id) ? report_.snapshots_damaged : report_.snapshots_ok).push_back(id);
  }
  // Packs are read by several threads; what is said of them has an order all the same.
  std::stable_sort(report_.findings.begin(), report_.findings.end(),
                   [](const Finding& x, const Finding& y) { return x.object < y.object; });
  return std::move(report_);
}

Status Verifier::check_text_objects() {
  std::vector<std::string> keys = {repo_key};
  for (const auto& slot : LB_TRY(core_.blobs.list("k/"))) keys.push_back(slot.key);
  for (const auto& key : keys) {
    ++report_.objects;
    auto good = repo::check_text_object(core_.blobs, key);
    if (good.ok()) continue;
    add(key, good.error().message(), "opening the repository with this key");
  }
  return {};
}

Status Verifier::check_care() {
  ledger_ = std::move(LB_TRY(read_ledger_if_whole(core_)).ledger);
  for (const char* prefix : {ledger_prefix, condemned_prefix, decision_prefix}) {
    for (const auto& object : LB_TRY(core_.blobs.list(prefix))) {
      ++report_.objects;
      auto payload = get_care(core_, object.key);
      bool gone = !payload.ok() && payload.error().kind() == ErrorKind::not_found;  // superseded
      if (payload.ok() || gone) continue;
      add(object.key, payload.error().message(), "what prune may do; restores do not need it");
    }
  }
  return {};
}

Status Verifier::check_verdicts() {
  std::map<std::string, Digest> digests;
  bool all_readable = true;
  auto listed = LB_TRY(core_.blobs.list("e/"));
  // The newest first: a repacking is newer than the snapshots it looked at.
  std::reverse(listed.begin(), listed.end());
  for (const auto& object : listed) {
    LB_TRY(check_stop());
    ++report_.objects;
    auto session = object.key.substr(2);
    verdicts_.insert(session);
    if (ledger_.ended.contains(session)) continue;
    auto bytes = core_.blobs.get(object.key);
    auto verdict =
        bytes.ok() ? open_verdict(core_.keys, session, *bytes) : Result<Verdict>(bytes.error());
    if (!verdict.ok()) {
      add(object.key, verdict.error().message(), cat("the snapshot ", session));
      report_.snapshots_damaged.push_back(session);
      all_readable = false;
      continue;
    }
    if (verdict->moved) moves_.add(verdict->moved);
    if (!verdict->is_snapshot()) continue;
    auto digest = digests.emplace(session, sha256(*bytes)).first->second;
    for (const auto& pack : moves_.needed(*verdict, verdict_mark(digest))) take_pack(pack);
    ++report_.snapshots;
    const auto& meta = verdict->info.meta;
    snapshots_[session] = {cat(meta.store, " ", format_time(meta.taken)), meta.store, meta.taken,
                           verdict->previous, verdict_mark(digest)};
  }
  // Read again: what is missing in the list by now was removed before, and so stands in it.
  ledger_ = std::move(LB_TRY(read_ledger_if_whole(core_)).ledger);
  drop_ended(ledger_);
  // Behind a damaged verdict the chain cannot be followed, and that one is named already.
  if (all_readable) check_chain(digests);
  return {};
}

void Verifier::take_pack(const StoredPack& pack) {
  auto& state = packs_[pack.name];
  state.bytes = pack.bytes;
  state.sha256 = pack.sha256;
  state.known_digest = true;
}

// What was removed on purpose, here or where this place was copied from.
std::vector<const Ledger*> Verifier::ledgers() const {
  std::vector<const Ledger*> out = {&ledger_};
  if (options_.elsewhere) out.push_back(options_.elsewhere.get());
  return out;
}

void Verifier::check_chain(const std::map<std::string, Digest>& digests) {
  std::set<VerdictMark> known;  // those forgotten on purpose too
  for (const auto& [id, digest] : digests) known.insert(verdict_mark(digest));
  for (const auto* ledger : ledgers()) {
    for (const auto& [id, mark] : ledger->ended) known.insert(mark);
  }
  for (const auto& [id, snapshot] : snapshots_) {
    bool first = snapshot.previous == Digest{};
    if (first || known.contains(verdict_mark(snapshot.previous))) continue;
    add(verdict_key(id), "the snapshot before it is missing",
        cat("a snapshot of ", snapshot.store, " before ", format_time(snapshot.taken)));
  }
}

Status Verifier::check_logs() {
  std::map<LogName, LogHead> segments;
  for (const auto& object : LB_TRY(core_.blobs.list("w/"))) {
    LB_TRY(check_stop());
    auto key = parse_log_key(object.key);
    if (!key) continue;
    ++report_.objects;
    ++report_.log_segments;
    check_log(*key, object);
    if (key->kind != LogKey::Kind::segment) continue;
    auto first = open_first_frame(core_.keys, object.key, core_.blobs);
    auto head = first.ok() ? decode_log_head(*first) : Result<LogHead>(first.error());
    segments.emplace(key->name, head.ok() ? std::move(head).take() : LogHead{});
  }
  check_log_gaps(segments);
  return {};
}

// What a tail and its whole segment, when it is there, do not agree on. A whole segment that cannot
// be read is told of by itself.
std::optional<Error> Verifier::contradiction(const LogKey& tail, ByteView data) const {
  const auto key = log_key(tail.name.store, tail.name.timeline, tail.name.segment);
  const auto object = core_.blobs.get(key);
  if (!object.ok()) return std::nullopt;
  const auto whole = open_log_object(core_.keys, key, *object);
  if (!whole.ok()) return std::nullopt;
  const auto& segment = whole->data;
  const bool agrees = tail.offset <= segment.size() &&
                      data.size() <= segment.size() - tail.offset &&
                      std::equal(data.begin(), data.end(),
                                 segment.begin() + static_cast<std::ptrdiff_t>(tail.offset));
  if (agrees) return std::nullopt;
  return Error(ErrorKind::corrupt,
               "holds other log than the whole segment: two servers wrote one log");
}

void Verifier::check_log(const LogKey& key, const BlobInfo& object) {
  auto affected = cat("every point of ", key.name.store, " after this part of its log");
  std::optional<Error> problem;
  if (chance(object.key)) {
    auto bytes = core_.blobs.get(object.key);
    auto opened = bytes.ok() ? open_log_object(core_.keys, object.key, *bytes)
                             : Result<LogObject>(bytes.error());
    if (opened.ok()) report_.bytes_read += bytes->size();
    if (!opened.ok()) problem = opened.error();
    if (opened.ok() && key.kind == LogKey::Kind::tail) problem = contradiction(key, opened->data);
  } else {
    auto first = open_first_frame(core_.keys, object.key, core_.blobs);
    if (!first.ok()) problem = first.error();
  }
  // A tail may be superseded, and removed, while we look.
  bool gone = problem && problem->kind() == ErrorKind::not_found;
  if (problem && !(gone && key.kind == LogKey::Kind::tail)) {
    add(object.key, gone ? "is missing" : problem->message(), affected);
  }
}

// A segment says whether the one before it was in the repository when it came. Where it was and no
// longer is, it was lost here; where it never came, the log has a hole, which is no damage of the
// repository and told by those who read the log.
void Verifier::check_log_gaps(const std::map<LogName, LogHead>& segments) {
  for (const auto& [name, head] : segments) {
    if (!head.follows) continue;
    auto before = name;
    --before.segment;
    auto all = ledgers();
    bool removed = std::any_of(all.begin(), all.end(), [&](const auto* ledger) {
      return ledger->removed_log(before.store, before.segment);
    });
    if (removed || segments.contains(before)) continue;
    auto key = log_key(before.store, before.timeline, before.segment);
    if (core_.blobs.info(key).ok()) continue;  // it came after the listing
    add(key, "is missing", cat("every point of ", name.store, " after this part of its log"));
  }
}

Status Verifier::check_small_objects() {
  // What an interrupted repair took away and did not bring back.
  for (const auto& key : LB_TRY(read_quarantine(core_)).keys) {
    auto there = core_.blobs.info(key);
    bool gone = !there.ok() && there.error().kind() == ErrorKind::not_found;
    if (gone && !key.starts_with("p/")) add(key, "is missing: its repair was interrupted");
  }
  for (const char* prefix : {"i/", "q/", "r/"}) {
    for (const auto& object : LB_TRY(core_.blobs.list(prefix))) {
      LB_TRY(check_stop());
      ++report_.objects;
      bool record = object.key[0] == 'r';
      report_.records += record ? 1u : 0u;
      auto bytes = core_.blobs.get(object.key);
      if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) continue;  // just removed
      auto frames = bytes.ok() ? open_object(core_.keys, object.key, *bytes)
                               : Result<std::vector<Buffer>>(bytes.error());
      if (frames.ok()) continue;
      add(object.key, frames.error().message(),
          record ? "a part of the journal or of the drill log" : "no snapshot");
    }
  }
  return {};
}

}  // namespace lb::repo
