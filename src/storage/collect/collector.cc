#include "storage/collect/collector.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/condemned.h"
#include "storage/repo/format.h"
#include "storage/repo/put_once.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/verdict.h"

namespace lb::repo {

namespace {

constexpr int patience = 7;  // graces a session gets that still puts packs
constexpr int glance = 24;   // this part of the grace shows whether it does

std::string session_of(const std::string& key) { return key.substr(2); }

// "x/<session>.<8 digits>"
std::string session_of_index(const std::string& key) {
  auto rest = key.substr(2);
  bool own = rest.size() == 35 && rest[26] == '.' && is_id(rest.substr(0, 26));
  return own ? rest.substr(0, 26) : std::string();
}

}  // namespace

bool may_abort(Micros age, Micros waited, bool put_packs, Micros grace) {
  if (age > patience * grace) return true;
  return age > grace && waited >= grace / glance && !put_packs;
}

Timestamp session_time(const std::string& session) {
  static constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
  std::uint64_t bits = 0;  // ten digits hold the 48 bits of the time and two more
  for (char c : session.substr(0, 10)) bits = bits << 5 | digits.find(c);
  return from_micros(static_cast<std::int64_t>(bits >> 2) * 1000);
}

std::string session_of_pack(std::string_view key) {
  bool pack = key.size() == 37 && key.starts_with("p/") && key[28] == '/';
  auto session = pack ? std::string(key.substr(2, 26)) : std::string();
  return is_id(session) ? session : std::string();
}

Buffer encode_awaited(const Awaited& awaited) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.signed_varint(to_micros(awaited.listed));
  out.varint(awaited.packs.size());
  for (const auto& [session, packs] : awaited.packs) {
    out.text(session);
    out.varint(packs);
  }
  return bytes;
}

Result<Awaited> decode_awaited(ByteView bytes) {
  ByteReader in(bytes);
  Awaited out;
  out.listed = from_micros(LB_TRY(in.signed_varint()));
  auto count = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < count; ++i) {
    auto session = LB_TRY(in.text(64));
    out.packs[session] = LB_TRY(in.varint());
  }
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  return out;
}

Status Collector::check_stop() const {
  if (!stop_.stop_requested()) return {};
  return Error(ErrorKind::cancelled, "stopped")
      .with_left("what is decided is on record; run prune again to go on");
}

bool Collector::ended(const std::string& session) const {
  return sessions_.judged.contains(session) || ledger_.ended.contains(session);
}

Status Collector::list_sessions() {
  sessions_ = {};
  for (const auto& object : LB_TRY(core_.blobs.list("i/"))) {
    sessions_.intents.insert(session_of(object.key));
  }
  sessions_.begun = sessions_.intents;
  packs_.clear();
  for (const auto& object : LB_TRY(core_.blobs.list("p/"))) {
    auto session = session_of_pack(object.key);
    if (session.empty()) continue;
    packs_.emplace(object.key, object.size);
    sessions_.begun.insert(session);
    ++sessions_.packs[session];
  }
  // Last: a session that is seen without a verdict had none when its packs were listed.
  for (const auto& object : LB_TRY(core_.blobs.list("e/"))) {
    sessions_.judged.insert(session_of(object.key));
  }
  return {};
}

Status Collector::read_verdict(const std::string& session) {
  auto key = verdict_key(session);
  auto object = core_.blobs.get(key);
  if (!object.ok() && object.error().kind() == ErrorKind::not_found) return {};  // forgotten
  auto bytes = LB_TRY(std::move(object));
  auto verdict = open_verdict(core_.keys, session, bytes);
  if (!verdict.ok()) {
    return std::move(verdict)
        .take_error()
        .context("nothing may be removed while it is unknown what this snapshot needs")
        .with_exit(ExitCode::damaged);
  }
  read_.insert(session);
  if (verdict->state == VerdictState::aborted) aborted_.insert(session);
  if (verdict->moved) return take_moved(verdict->moved);
  if (verdict->is_snapshot()) take_snapshot(*verdict, verdict_mark(sha256(bytes)));
  return {};
}

Status Collector::take_moved(const std::shared_ptr<const Moved>& moved) {
  // It may have been put after its session was aborted and the mark of that had gone: then the
  // ledger, read now, names the session.
  ledger_ = std::move(LB_TRY(read_ledger(core_)).ledger);
  if (ledger_.ended.contains(moved->session)) return {};
  if (!looked_) {
    moves_.add(moved);
    return {};
  }
  // The snapshots it looked at have been counted without it. Until the next run what they name
  // stays and so does what now stands for that: another collector may know only the latter.
  for (const auto& pack : moved->packs) needed_.insert(pack.name);
  return {};
}

void Collector::take_snapshot(const Verdict& verdict, const VerdictMark& mark) {
  const auto& session = verdict.info.id;
  for (const auto& pack : verdict.packs) {
    if (!pack.needed) continue;
    auto newest = moves_.instead_of(pack.name, session, mark);
    if (newest) use(*newest);
    // A pack is given up for others only if those can be seen.
    bool moved = newest && all_there(*newest);
    if (!moved) needed_.insert(pack.name);
    if (!newest || moved) continue;
    auto older = moves_.instead_of(pack.name, session, mark,
                                   [this](const StoredPack& target) { return is_there(target); });
    if (older) use(*older);
  }
}

void Collector::use(const Instead& instead) {
  used_.insert(instead.by->session);
  for (const auto* pack : instead.packs()) needed_.insert(pack->name);
}

bool Collector::is_there(const StoredPack& pack) const {
  auto found = packs_.find(pack.name);
  return found != packs_.end() && found->second == pack.bytes;
}

bool Collector::all_there(const Instead& instead) const {
  auto packs = instead.packs();
  return std::all_of(packs.begin(), packs.end(),
                     [this](const auto* pack) { return is_there(*pack); });
}

// Repackings that stand for nothing any snapshot needs: those they looked at were forgotten, or a
// newer one stands for the same.
std::set<std::string> Collector::of_no_use() const {
  std::set<std::string> out;
  for (const auto& [session, moved] : moves_.all()) {
    bool all_known = std::all_of(moved->looked.begin(), moved->looked.end(), [&](const auto& each) {
      return read_.contains(each.first) || ledger_.ended.contains(each.first);
    });
    if (all_known && !used_.contains(session)) out.insert(session);
  }
  return out;
}

// What is there and what is needed. Called again, it reads only what is new. The newest first: a
// repacking is newer than the snapshots it looked at.
Status Collector::look() {
  ledger_ = std::move(LB_TRY(read_ledger(core_)).ledger);
  LB_TRY(list_sessions());
  for (auto session = sessions_.judged.rbegin(); session != sessions_.judged.rend(); ++session) {
    LB_TRY(check_stop());
    if (!read_.contains(*session) && !ledger_.ended.contains(*session)) {
      LB_TRY(read_verdict(*session));
    }
  }
  looked_ = true;
  return {};
}

// The lowest that is not closed and was not cleared away.
Result<std::optional<std::uint32_t>> Collector::open_generation() {
  std::set<std::uint32_t> open;
  for (const auto& object : LB_TRY(core_.blobs.list(condemned_prefix))) {
    auto number = care_number(object.key);
    if (number && *number >= ledger_.closed) open.insert(*number);
  }
  return open.empty() ? std::nullopt : std::optional(*open.begin());
}

bool Collector::any_overdue() const {
  auto now = core_.clock.now();
  return std::any_of(sessions_.begun.begin(), sessions_.begun.end(), [&](const auto& session) {
    return !ended(session) && now - session_time(session) > options_.grace;
  });
}

void Collector::note_lock(const std::string& pack, Timestamp until) {
  auto there = packs_.find(pack);
  if (there == packs_.end()) return;
  ++report_.locked_packs;
  report_.locked_bytes += there->second;
  report_.locked_until = std::min(report_.locked_until.value_or(until), until);
}

// Those that can be deleted, as far as is known.
Result<std::vector<std::string>> Collector::unlocked(std::vector<std::string> keys) {
  if (options_.locks == nullptr) return keys;
  LB_TRY(learn_locks(core_.blobs, keys, *options_.locks, stop_));
  std::erase_if(keys, [&](const auto& key) {
    auto end = options_.locks->find(key);
    bool locked = end != options_.locks->end() && end->second > core_.clock.now();
    if (locked) note_lock(key, end->second);
    return locked;
  });
  return keys;
}

// False: a lock keeps it.
Result<bool> Collector::remove(const std::string& key) {
  auto until = LB_TRY(remove_or_leave(core_.blobs, key));
  if (!until) return true;
  if (options_.locks != nullptr) (*options_.locks)[key] = *until;
  note_lock(key, *until);
  return false;
}

// Nothing: there is nothing to do.
Result<std::optional<std::uint32_t>> Collector::condemn() {
  std::vector<std::string> garbage;
  for (const auto& [pack, bytes] : packs_) {
    // Those of a running session are protected by their name: no verdict can speak of them yet.
    if (ended(session_of_pack(pack)) && !needed_.contains(pack)) garbage.push_back(pack);
  }
  report_.locked_packs = report_.locked_bytes = 0;
  report_.locked_until.reset();
  garbage = LB_TRY(unlocked(std::move(garbage)));
  // With nothing to condemn a generation still waits for those that are overdue, and ends them.
  if (garbage.empty() && !any_overdue()) return std::optional<std::uint32_t>();
  auto generation = ledger_.closed;
  auto put = put_care(core_, condemned_key(generation), encode_packs(garbage));
  if (!put.ok() && put.error().kind() != ErrorKind::conflict) return std::move(put).take_error();
  return std::optional(generation);
}

// The sessions that may have begun before the generation was on record: any list made after that
// holds them all, and the first one put stands for all collectors.
Result<Awaited> Collector::awaited(std::uint32_t generation) {
  auto key = awaited_key(generation);
  auto payload = get_care(core_, key);
  if (!payload.ok() && payload.error().kind() == ErrorKind::not_found) {
    LB_TRY(look());
    Awaited running{core_.clock.now(), {}};
    for (const auto& session : sessions_.begun) {
      if (!ended(session)) running.packs[session] = sessions_.packs[session];
    }
    auto put = put_care(core_, key, encode_awaited(running));
    if (put.ok()) return running;
    if (put.error().kind() != ErrorKind::conflict) return std::move(put).take_error();
    payload = get_care(core_, key);
  }
  auto bytes = LB_TRY(std::move(payload));
  return decode_awaited(bytes);
}

// False: it ended by itself a moment ago.
Result<bool> Collector::abort(const std::string& session) {
  Verdict verdict;
  verdict.state = VerdictState::aborted;
  verdict.info.id = session;
  auto put = put_once(core_.blobs, verdict_key(session),
                      seal_verdict(core_.keys, core_.random, verdict, {}));
  if (!put.ok() && put.error().kind() == ErrorKind::conflict) return false;
  LB_TRY(std::move(put));
  LB_TRY(core_.blobs.flush());
  return true;
}

Result<bool> Collector::wait_is_over(std::uint32_t generation) {
  auto running = LB_TRY(awaited(generation));
  LB_TRY(look());
  report_.awaited.clear();
  auto now = core_.clock.now();
  for (const auto& [session, packs] : running.packs) {
    if (ended(session)) continue;
    bool put_packs = sessions_.packs[session] > packs;
    if (!may_abort(now - session_time(session), now - running.listed, put_packs, options_.grace)) {
      report_.awaited.push_back(session);
      continue;
    }
    auto aborted = LB_TRY(abort(session).context(cat("abort session ", session)));
    if (aborted) report_.aborted.push_back(session);
  }
  return report_.awaited.empty();
}

// Puts the decision, or finds that another collector put one.
Status Collector::decide(std::uint32_t generation, const std::vector<std::string>& condemned) {
  LB_TRY(look());  // after the wait: what the sessions made of the condemned packs is rescued
  std::vector<std::string> garbage;
  for (const auto& pack : condemned) {
    if (needed_.contains(pack)) {
      ++report_.rescued_packs;
    } else {
      garbage.push_back(pack);
    }
  }
  auto put = put_care(core_, decision_key(generation), encode_packs(garbage));
  if (!put.ok() && put.error().kind() != ErrorKind::conflict) return std::move(put).take_error();
  return {};
}

// The decision on record is what counts, not what this collector thought. One that was put after
// its generation had been closed says nothing: new sessions no longer heed it. False: some of it is
// under a lock that was not there, or not known, when it was condemned; it stays decided.
Result<bool> Collector::carry_out(std::uint32_t generation) {
  auto payload = get_care(core_, decision_key(generation));
  // Another collector has closed it: then all of it is gone.
  if (!payload.ok() && payload.error().kind() == ErrorKind::not_found) return true;
  auto bytes = LB_TRY(std::move(payload));
  ledger_ = std::move(LB_TRY(read_ledger(core_)).ledger);
  if (generation < ledger_.closed) return true;
  report_.locked_packs = report_.locked_bytes = 0;
  bool all_gone = true;
  for (const auto& pack : LB_TRY(decode_packs(bytes))) {
    LB_TRY(check_stop());
    auto removed = LB_TRY(remove(pack));
    all_gone &= removed;
    auto there = packs_.find(pack);
    if (!removed || there == packs_.end()) continue;
    ++report_.deleted_packs;
    report_.deleted_bytes += there->second;
    packs_.erase(there);
  }
  LB_TRY(core_.blobs.flush());
  return all_gone;
}

Status Collector::close(std::uint32_t generation) {
  ledger_ = LB_TRY(change_ledger(core_, [&](Ledger& ledger) -> Result<bool> {
    if (ledger.closed > generation) return false;
    ledger.closed = generation + 1;
    return true;
  }));
  return {};
}

// False: it waits for sessions, or for locks to end.
Result<bool> Collector::carry_on(std::uint32_t generation) {
  auto decided = core_.blobs.info(decision_key(generation));
  if (!decided.ok() && decided.error().kind() != ErrorKind::not_found) {
    return std::move(decided).take_error();
  }
  if (!decided.ok()) {
    auto payload = get_care(core_, condemned_key(generation));
    if (!payload.ok() && payload.error().kind() == ErrorKind::not_found) return true;
    auto bytes = LB_TRY(std::move(payload));
    auto condemned = LB_TRY(decode_packs(bytes));
    auto over = LB_TRY(wait_is_over(generation));
    report_.condemned_packs = report_.condemned_bytes = 0;
    for (const auto& pack : condemned) {
      auto there = packs_.find(pack);
      if (over || there == packs_.end() || needed_.contains(pack)) continue;
      ++report_.condemned_packs;
      report_.condemned_bytes += there->second;
    }
    if (!over) return false;
    LB_TRY(decide(generation, condemned));
  }
  auto all_gone = LB_TRY(carry_out(generation));
  if (all_gone) LB_TRY(close(generation));
  return all_gone;
}

// Clears away what is only of use until something else is on record.
Status Collector::sweep() {
  LB_TRY(look());
  auto over = of_no_use();
  over.insert(aborted_.begin(), aborted_.end());
  if (!over.empty()) {
    ledger_ = LB_TRY(change_ledger(core_, [&](Ledger& ledger) -> Result<bool> {
      bool changed = false;
      for (const auto& session : over) changed |= ledger.ended.try_emplace(session).second;
      return changed;
    }));
  }
  std::vector<std::string> leftovers;
  for (const auto& session : sessions_.judged) {
    if (ledger_.ended.contains(session)) leftovers.push_back(verdict_key(session));
  }
  for (const auto& session : sessions_.intents) {
    if (ended(session)) leftovers.push_back(intent_key(session));
  }
  for (const auto& object : LB_TRY(core_.blobs.list("x/"))) {
    auto session = session_of_index(object.key);
    if (!session.empty() && ended(session) && sessions_.packs[session] == 0) {
      leftovers.push_back(object.key);
    }
  }
  for (const char* prefix : {condemned_prefix, decision_prefix}) {
    for (const auto& object : LB_TRY(core_.blobs.list(prefix))) {
      auto number = care_number(std::string_view(object.key).substr(0, 10));
      if (number && *number < ledger_.closed) leftovers.push_back(object.key);
    }
  }
  for (const auto& key : LB_TRY(unlocked(std::move(leftovers)))) {
    LB_TRY(check_stop());
    LB_TRY(remove(key));
  }
  return core_.blobs.flush();
}

Result<CollectReport> Collector::run() {
  LB_TRY(sweep());
  for (;;) {
    auto generation = LB_TRY(open_generation());
    if (!generation) generation = LB_TRY(condemn());
    if (!generation) break;
    auto done = LB_TRY(carry_on(*generation));
    if (!done) return std::move(report_);
    LB_TRY(look());
  }
  LB_TRY(sweep());
  return std::move(report_);
}

}  // namespace lb::repo
