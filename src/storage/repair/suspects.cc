#include "storage/repair/suspects.h"

#include <functional>

#include "foundation/base/text.h"
#include "storage/copy/copy_plan.h"
#include "storage/copy/key_witness.h"
#include "storage/repo/format.h"
#include "storage/repo/ledger.h"
#include "storage/repo/log_store.h"
#include "storage/repo/moves.h"

namespace lb::repair {

namespace {

// What the repository's ledger says was removed on purpose.
class OnPurpose {
 public:
  explicit OnPurpose(repo::Ledger ledger) : ledger_(std::move(ledger)) {}

  bool removed(const std::string& key) const {
    if (key.starts_with("e/")) return ledger_.ended.contains(key.substr(2));
    auto log = repo::parse_log_key(key);
    bool segment = log && log->kind != repo::LogKey::Kind::history;
    return segment && ledger_.removed_log(log->name.store, log->name.segment);
  }

 private:
  const repo::Ledger ledger_;
};

Status add_lost(const repo::Core& core, const Verdicts& verdicts, const OnPurpose& purpose,
                BlobStore& source, std::map<std::string, Suspect>& out) {
  auto there = LB_TRY(copy::take_listing(source));
  auto here = LB_TRY(copy::take_listing(core.blobs));
  auto plan = copy::plan_copy(there, here);
  for (auto phase :
       {copy::Phase::packs, copy::Phase::logs, copy::Phase::records, copy::Phase::verdicts}) {
    for (const auto& object : plan.missing[static_cast<std::size_t>(phase)]) {
      if (purpose.removed(object.key)) continue;
      bool garbage = phase == copy::Phase::packs && !verdicts.packs.contains(object.key);
      if (garbage) continue;
      out.try_emplace(object.key, Suspect{"is missing", {}});
      if (phase != copy::Phase::verdicts) continue;
      auto bytes = source.get(object.key);
      if (bytes.ok()) add_packs(core, object.key, *bytes, out);
    }
  }
  return {};
}

}  // namespace

void add_packs(const repo::Core& core, const std::string& verdict_key, ByteView verdict,
               std::map<std::string, Suspect>& out) {
  auto needed = copy::KeyWitness(core).needs_of(verdict_key, verdict);
  if (!needed.ok()) return;
  for (const auto& pack : *needed) {
    auto here = core.blobs.info(pack.key);
    if (here.ok() && here->size == pack.size) continue;
    out.try_emplace(pack.key, Suspect{"is missing", {}});
  }
}

namespace {

// Sessions with a verdict in any of the places, the newest first: a repacking is newer than the
// snapshots it looked at. A source that does not answer has none.
Result<std::set<std::string, std::greater<>>> judged_sessions(const repo::Core& core,
                                                              const std::vector<Source>& sources) {
  std::set<std::string, std::greater<>> out;
  for (const auto& object : LB_TRY(core.blobs.list("e/"))) out.insert(object.key.substr(2));
  for (const auto& source : sources) {
    auto there = source.store->list("e/");
    if (!there.ok()) continue;
    for (const auto& object : *there) out.insert(object.key.substr(2));
  }
  return out;
}

struct Opened {
  repo::Verdict verdict;
  repo::VerdictMark mark{};
};

std::optional<Opened> open_somewhere(const repo::Core& core, const std::string& session,
                                     const std::vector<Source>& sources) {
  std::vector<BlobStore*> stores = {&core.blobs};
  for (const auto& source : sources) stores.push_back(source.store);
  for (auto* store : stores) {
    auto bytes = store->get(repo::verdict_key(session));
    if (!bytes.ok()) continue;
    auto verdict = repo::open_verdict(core.keys, session, *bytes);
    if (verdict.ok()) {
      return Opened{std::move(verdict).take(), repo::verdict_mark(sha256(*bytes))};
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Verdicts> read_verdicts(const repo::Core& core, std::stop_token stop,
                               const std::vector<Source>& sources) {
  Verdicts out;
  auto care = LB_TRY(repo::read_ledger_if_whole(core));
  repo::Moves moves;
  for (const auto& session : LB_TRY(judged_sessions(core, sources))) {
    if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    if (care.ledger.ended.contains(session)) continue;
    auto opened = open_somewhere(core, session, sources);
    if (!opened) continue;
    const auto& verdict = opened->verdict;
    out.sessions.insert(session);
    if (verdict.moved) moves.add(verdict.moved);
    if (!verdict.is_snapshot()) continue;
    for (auto& pack : moves.needed(verdict, opened->mark)) {
      out.packs.try_emplace(pack.name, pack);
    }
  }
  return out;
}

Result<std::optional<Buffer>> read_here(BlobStore& store, const std::string& key) {
  auto bytes = store.get(key);
  auto final_answer = [](const Result<Buffer>& got) {
    return got.ok() || got.error().kind() == ErrorKind::not_found ||
           got.error().kind() == ErrorKind::corrupt;
  };
  if (!final_answer(bytes)) bytes = store.get(key);
  if (bytes.ok()) return std::optional<Buffer>(std::move(bytes).take());
  if (bytes.error().kind() == ErrorKind::corrupt) return std::optional<Buffer>();
  // A store that answers for the object, and never with its bytes, has them no more.
  bool answers = !final_answer(bytes) && store.info(key).ok();
  if (answers && bytes.error().kind() == ErrorKind::unavailable) return std::optional<Buffer>();
  return std::move(bytes).take_error();
}

Result<Condition> condition_of(const repo::Core& core, const std::string& key) {
  auto bytes = read_here(core.blobs, key);
  if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) return Condition::missing;
  auto there = LB_TRY(std::move(bytes));
  if (!there) return Condition::damaged;
  return copy::prove_object(core, key, *there).ok() ? Condition::whole : Condition::damaged;
}

std::optional<Found> find_whole(const repo::Core& core, const std::string& key,
                                const std::vector<Source>& sources) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto bytes = sources[i].store->get(key);
    if (!bytes.ok() || !copy::prove_object(core, key, *bytes).ok()) continue;
    return Found{i, std::move(bytes).take()};
  }
  return std::nullopt;
}

Result<std::map<std::string, Suspect>> lost_here(const repo::Core& core, const Verdicts& verdicts,
                                                 const std::vector<Source>& sources,
                                                 std::vector<std::string>& sources_unread) {
  std::map<std::string, Suspect> out;
  auto care = LB_TRY(repo::read_ledger_if_whole(core));
  OnPurpose purpose(std::move(care.ledger));
  for (const auto& source : sources) {
    auto added = add_lost(core, verdicts, purpose, *source.store, out);
    if (!added.ok()) sources_unread.push_back(cat(source.name, ": ", added.error().text()));
  }
  return out;
}

}  // namespace lb::repair
