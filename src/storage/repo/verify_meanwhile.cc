// Verifier: what was removed on purpose while it looked is no damage.
#include <algorithm>

#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/verifier.h"

namespace lb::repo {

void Verifier::drop_ended(const Ledger& ledger) {
  report_.snapshots -= std::erase_if(
      snapshots_, [&](const auto& each) { return ledger.ended.contains(each.first); });
  std::erase_if(report_.snapshots_damaged,
                [&](const auto& session) { return ledger.ended.contains(session); });
}

// Points are forgotten and log is removed while we look. Each finding that speaks of such is taken
// back; what a point that still counts needs is not.
Status Verifier::forgive() {
  if (report_.findings.empty()) return {};
  auto ledger = std::move(LB_TRY(read_ledger_if_whole(core_)).ledger);
  drop_ended(ledger);
  auto needed = LB_TRY(needed_packs());
  std::erase_if(report_.findings, [&](const Finding& finding) {
    return removed_on_purpose(finding.object, ledger, needed);
  });
  return {};
}

Result<std::set<std::string>> Verifier::needed_packs() const {
  std::set<std::string> out;
  for (const auto& [id, snapshot] : snapshots_) {
    LB_TRY(check_stop());
    auto opened = StoredSnapshot::open(core_, id);
    if (!opened.ok()) continue;  // said where it was read first
    for (const auto& pack : moves_.needed((*opened)->verdict(), snapshot.mark)) {
      out.insert(pack.name);
    }
  }
  return out;
}

bool Verifier::removed_on_purpose(const std::string& object, const Ledger& ledger,
                                  const std::set<std::string>& needed) const {
  if (object.starts_with("e/")) return ledger.ended.contains(object.substr(2));
  if (auto log = parse_log_key(object)) {
    return ledger.removed_log(log->name.store, log->name.segment);
  }
  if (!object.starts_with("p/") || needed.contains(object)) return false;
  auto there = core_.blobs.info(object);
  return !there.ok() && there.error().kind() == ErrorKind::not_found;
}

Result<bool> Verifier::moved_meanwhile() const {
  for (const auto& object : LB_TRY(core_.blobs.list("e/"))) {
    auto session = object.key.substr(2);
    if (verdicts_.contains(session)) continue;
    auto first = open_first_frame(core_.keys, object.key, core_.blobs);
    if (!first.ok()) continue;
    auto head = decode_head(session, *first);
    if (head.ok() && head->state == VerdictState::moved) return true;
  }
  return false;
}

}  // namespace lb::repo
