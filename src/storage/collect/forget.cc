#include "storage/collect/forget.h"

#include "foundation/base/text.h"
#include "storage/blob/locks.h"
#include "storage/repo/format.h"
#include "storage/repo/log_store.h"

namespace lb::repo {

namespace {

// Verdicts name their predecessor by its digest: it is kept, so that a chain with a forgotten link
// is told from one with a lost link.
Result<std::map<std::string, VerdictMark>> marks_of(const Core& core,
                                                    const std::vector<std::string>& sessions) {
  std::map<std::string, VerdictMark> out;
  for (const auto& session : sessions) {
    auto object = core.blobs.get(verdict_key(session));
    if (!object.ok() && object.error().kind() == ErrorKind::not_found) continue;
    auto bytes = LB_TRY(std::move(object));
    out.emplace(session, verdict_mark(sha256(bytes)));
  }
  return out;
}

Error gone(const std::string& session) {
  return Error(ErrorKind::not_found, cat("there is no point ", session))
      .with_hint("lifeboat ls lists the points")
      .with_exit(ExitCode::point_unreachable);
}

bool in_ranges(const std::vector<LogRange>& ranges, std::uint64_t segment) {
  for (const auto& range : ranges) {
    if (range.first <= segment && segment < range.end) return true;
  }
  return false;
}

Status remove_listed(const Core& core, const std::string& log_id,
                     const std::vector<LogRange>& ranges, LogRemoval& out) {
  for (const auto& object : LB_TRY(core.blobs.list(log_prefix(log_id)))) {
    auto key = parse_log_key(object.key);
    if (!key || key->kind == LogKey::Kind::history) continue;  // few, small, and needed for ever
    if (!in_ranges(ranges, key->name.segment)) continue;
    auto locked = LB_TRY(remove_or_leave(core.blobs, object.key));
    if (locked) {
      ++out.locked;
      continue;
    }
    ++out.objects;
    out.bytes += object.size;
  }
  return {};
}

}  // namespace

Status forget(const Core& core, const std::vector<std::string>& sessions, Timestamp now) {
  if (sessions.empty()) return {};
  auto marks = LB_TRY(marks_of(core, sessions));
  auto change = [&](Ledger& ledger) -> Result<bool> {
    for (const auto& [session, mark] : marks) {
      auto hold = ledger.holds.find(session);
      if (hold != ledger.holds.end() && hold->second.holds_at(now)) {
        return Error(ErrorKind::conflict, cat("point ", session, " has just been held"))
            .with_hint("nothing was removed; run prune again");
      }
    }
    bool changed = false;
    for (const auto& [session, mark] : marks) {
      ledger.holds.erase(session);
      changed |= ledger.ended.insert_or_assign(session, mark).second;
    }
    return changed;
  };
  LB_TRY(change_ledger(core, change));
  for (const auto& [session, mark] : marks) {
    LB_TRY(remove_or_leave(core.blobs, verdict_key(session)));
    LB_TRY(remove_or_leave(core.blobs, intent_key(session)));
  }
  return core.blobs.flush();
}

Result<LogRemoval> remove_logs(const Core& core,
                               const std::map<std::string, std::vector<LogRange>>& ranges) {
  auto ledger = LB_TRY(change_ledger(core, [&](Ledger& current) -> Result<bool> {
    auto before = current.removed;
    for (const auto& [log_id, added] : ranges) {
      auto all = current.removed[log_id];
      all.insert(all.end(), added.begin(), added.end());
      current.removed[log_id] = join_ranges(std::move(all));
    }
    return current.removed != before;
  }));
  LogRemoval out;
  for (const auto& [log_id, removed] : ledger.removed) {
    LB_TRY(remove_listed(core, log_id, removed, out).context(cat("remove log of ", log_id)));
  }
  LB_TRY(core.blobs.flush());
  return out;
}

Status hold_point(const Core& core, const std::string& session, const Hold& hold) {
  return change_ledger(core,
                       [&](Ledger& ledger) -> Result<bool> {
                         if (ledger.ended.contains(session)) return gone(session);
                         auto there = core.blobs.info(verdict_key(session));
                         if (!there.ok() && there.error().kind() == ErrorKind::not_found) {
                           return gone(session);
                         }
                         LB_TRY(there.status());
                         ledger.holds[session] = hold;
                         return true;
                       })
      .status();
}

Result<bool> unhold_point(const Core& core, const std::string& session) {
  bool held = false;
  LB_TRY(change_ledger(core, [&](Ledger& ledger) -> Result<bool> {
    held = ledger.holds.erase(session) > 0;
    return held;
  }));
  return held;
}

}  // namespace lb::repo
