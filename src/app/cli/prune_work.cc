#include "app/cli/prune_work.h"

#include <algorithm>

#include "app/cli/locks.h"
#include "foundation/base/text.h"
#include "storage/blob/reserving_blob_store.h"
#include "storage/collect/needed_keys.h"
#include "storage/repo/format.h"

namespace lb::cli {

namespace {

// One collection; `needed`, when it is asked for, gets the keys of what is kept.
Result<repo::CollectReport> collect(const Shell& shell, const repo::Core& core,
                                    const repo::CollectOptions& options,
                                    std::vector<std::string>* needed = nullptr) {
  repo::Collector collector(core, options, shell.stop);
  auto report = LB_TRY(collector.run().context("free what no point needs"));
  if (needed != nullptr) {
    auto listing = LB_TRY(core.blobs.list(""));
    *needed = repo::needed_keys(listing, collector.needed_packs(), collector.ledger());
  }
  return report;
}

void add(repo::CollectReport more, repo::CollectReport& out) {
  more.deleted_packs += out.deleted_packs;
  more.deleted_bytes += out.deleted_bytes;
  more.rescued_packs += out.rescued_packs;
  more.aborted.insert(more.aborted.begin(), out.aborted.begin(), out.aborted.end());
  out = std::move(more);
}

// What of the disk may be filled with packs that replace others: the next prune needs the reserve,
// and one pack is always written whole.
std::uint64_t room_to_repack(const Shell& shell, const Session& session) {
  const auto no_limit = repo::RepackOptions{}.room;
  if (session.repository_folder.empty()) return no_limit;
  auto space = shell.world.files.space(session.repository_folder);
  if (!space.ok()) return no_limit;
  auto kept = reserve_of(space->total) + repo::pack_bytes;
  return space->available - std::min(space->available, kept);
}

// Only when no collection waits: the packs that are given up could not be condemned, and backups
// that begin now would rely on them again.
Status repack(const Shell& shell, const Session& session, PruneOptions options, Removed& out) {
  if (options.repack.nothing() || !out.collected.awaited.empty()) return {};
  const auto& core = *session.repository->core();
  auto& console = shell.console;
  options.repack.room = room_to_repack(shell, session);
  if (options.repack.nothing()) {
    console.warn(cat("packs that are partly unused stay as they are: there is no space to rewrite ",
                     "any on the disk of ", session.repository_folder));
    return {};
  }
  auto sink = console.progress("repack");
  auto done = repo::Repacker(core, options.repack, {}, shell.stop)
                  .run([&](std::uint64_t bytes, std::uint64_t total) {
                    if (sink) sink({bytes, total, {}, 0, {}});
                  });
  console.end_progress();
  if (!done.ok() && done.error().kind() == ErrorKind::conflict) {
    console.note(cat("nothing was rewritten: ", done.error().message()));
    return {};
  }
  out.repacked = LB_TRY(std::move(done).context("rewrite packs that are partly unused"));
  for (const auto& problem : out.repacked.skipped) {
    console.warn(cat("not rewritten: ", problem, "; lifeboat repair may mend it"));
  }
  for (const auto& problem : out.repacked.moved_damaged) {
    console.warn(cat(problem, ": moved as it was; lifeboat verify --deep says what that hits"));
  }
  for (const auto& point : out.repacked.unread) {
    console.warn(cat("the table of point ", point, " cannot be read: its packs stay as they are; ",
                     "lifeboat repair may mend it"));
  }
  if (out.repacked.packs == 0) return {};
  auto freed = LB_TRY(collect(shell, core, options.collect));
  add(std::move(freed), out.collected);
  return {};
}

// What cannot go yet is left for a later run, and what is needed is kept from losing its lock,
// before packs are rewritten, which takes time and may fail. Indexes are not merged: the small ones
// could not go, and every run would add another merged one.
Status free_under_locks(const Shell& shell, const Session& session, PruneOptions options,
                        Removed& out) {
  const auto& core = *session.repository->core();
  auto locks = open_locks(shell, session.repository->id(), core.blobs.describe(),
                          *session.plan.plan.repository.immutable);
  options.collect.locks = &locks.known;
  std::vector<std::string> needed;
  out.collected = LB_TRY(collect(shell, core, options.collect, &needed));
  needed.insert(needed.end(), out.pages.kept.begin(), out.pages.kept.end());
  std::sort(needed.begin(), needed.end());
  out.locks = LB_TRY(keep_locked(shell, locks, core.blobs, needed));
  return repack(shell, session, options, out);
}

std::string lock_text(const Removed& removed) {
  const auto& collected = removed.collected;
  std::string text;
  if (collected.locked_packs > 0) {
    text += cat(human_size(collected.locked_bytes), " in ", collected.locked_packs,
                " packs that no point needs are locked, the first until ",
                format_time_seconds(*collected.locked_until), "; a later prune frees them\n");
  }
  if (removed.log.locked > 0) {
    text += cat(removed.log.locked, " log objects that no point needs are locked as well\n");
  }
  if (removed.locks.first_end) {
    text += cat(removed.locks.objects, " objects stay locked until ",
                format_time_seconds(*removed.locks.first_end), " at least; the locks of ",
                removed.locks.extended, " were extended\n");
  }
  return text;
}

Json locks_json(const Removed& removed) {
  Json out = Json::object()
                 .set("objects", removed.locks.objects)
                 .set("extended", removed.locks.extended)
                 .set("packs_waiting", removed.collected.locked_packs)
                 .set("bytes_waiting", removed.collected.locked_bytes)
                 .set("log_objects_waiting", removed.log.locked);
  if (removed.locks.first_end) out.set("until", format_time_seconds(*removed.locks.first_end));
  if (removed.collected.locked_until) {
    out.set("waiting_until", format_time_seconds(*removed.collected.locked_until));
  }
  return out;
}

}  // namespace

Result<Removed> remove_doomed(const Shell& shell, const Session& session, const Doomed& doomed,
                              const PruneOptions& options, state::Act& act) {
  const auto& core = *session.repository->core();
  Removed out;
  if (session.plan.plan.repository.retain.log == "deletions") {
    for (const auto& each : doomed.decided.decisions) {
      if (each.kept()) continue;
      LB_TRY(act.note(cat("Forgetting point ", each.point.id, " of ", each.point.store, ", taken ",
                          format_time(each.point.taken))));
    }
  }
  LB_TRY(repo::forget(core, doomed.points, shell.world.clock.now()).context("forget points"));
  out.points = doomed.points.size();
  out.log = LB_TRY(repo::remove_logs(core, doomed.log));
  out.pages = LB_TRY(state::prune_open_pages(*session.repository));
  if (session.plan.plan.repository.immutable) {
    LB_TRY(free_under_locks(shell, session, options, out));
    return out;
  }
  out.collected = LB_TRY(collect(shell, core, options.collect));
  LB_TRY(repack(shell, session, options, out));
  // While packs wait for their end, the entries of these would hide those of the packs that replace
  // them.
  if (out.collected.awaited.empty()) {
    out.merged = LB_TRY(repo::merge_indexes(core, shell.stop).context("merge the indexes"));
  }
  return out;
}

Json json_of(const Removed& removed) {
  Json awaited = Json::array();
  for (const auto& session : removed.collected.awaited) awaited.push(session);
  return Json::object()
      .set("verb", "prune")
      .set("ok", true)
      .set("exit", 0)
      .set("points_forgotten", static_cast<std::uint64_t>(removed.points))
      .set("log_objects_removed", removed.log.objects)
      .set("log_bytes_removed", removed.log.bytes)
      .set("open_pages_removed", static_cast<std::uint64_t>(removed.pages.removed))
      .set("packs_deleted", removed.collected.deleted_packs)
      .set("bytes_freed", removed.collected.deleted_bytes)
      .set("packs_rewritten", removed.repacked.packs)
      .set("bytes_rewritten", removed.repacked.moved_bytes)
      .set("packs_left", removed.repacked.beyond_budget)
      .set("indexes_merged", removed.merged.objects)
      .set("packs_waiting", removed.collected.condemned_packs)
      .set("bytes_waiting", removed.collected.condemned_bytes)
      .set("sessions_awaited", std::move(awaited))
      .set("locks", locks_json(removed))
      .set("sessions_aborted", static_cast<std::uint64_t>(removed.collected.aborted.size()));
}

std::string text_of(const Removed& removed, Micros took) {
  const auto& collected = removed.collected;
  auto text = cat(removed.points, " points forgotten, ", human_size(collected.deleted_bytes),
                  " freed in ", collected.deleted_packs, " packs, ", human_size(removed.log.bytes),
                  " of log in ", removed.log.objects, " objects, in ", human_duration(took), "\n");
  const auto& repacked = removed.repacked;
  if (repacked.packs > 0) {
    text +=
        cat(repacked.packs, " packs of ", human_size(repacked.bytes),
            " were rewritten: ", human_size(repacked.moved_bytes), " of them was still needed\n");
  }
  if (repacked.beyond_budget > 0) {
    text += cat(repacked.beyond_budget, " more packs are partly unused: the next prune goes on, ",
                "--repack-budget lets it do more\n");
  }
  for (const auto& session : collected.aborted) {
    text += cat("session ", session, " did not end and was aborted: if it still runs, it fails ",
                "when it commits and its next try reuses what is there\n");
  }
  text += lock_text(removed);
  if (collected.awaited.empty()) return text;
  return text + cat(human_size(collected.condemned_bytes), " more wait for ",
                    collected.awaited.size(), " running sessions, since ",
                    format_time_seconds(repo::session_time(collected.awaited.front())),
                    "; the next prune goes on\n");
}

}  // namespace lb::cli
