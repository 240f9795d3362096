// Copies, locks and disks.
#include <algorithm>

#include "app/cli/copies.h"
#include "app/cli/lock_watch.h"
#include "app/cli/standing.h"
#include "foundation/base/text.h"
#include "foundation/sys/real_path.h"
#include "storage/state/open_pages.h"

namespace lb::cli {

namespace {

// A copy that cannot be asked is no copy today.
void add_copy(const Shell& shell, Session& session, const plan::Copy& copy, Standing& out) {
  const auto name = cat("copy ", copy.at.text());
  auto judged = [&]() -> Result<LagJudgement> {
    auto place = LB_TRY(open_copy_place(shell, *session.references, copy, MissingFolder::refuse));
    auto there = LB_TRY(repo::open_copy(*session.repository, *place.blobs));
    auto lag = LB_TRY(lag_of(*session.repository, *there));
    return judge_lag(lag, copy, shell.world.clock.now());
  }();
  // Another machine may well reach it.
  const auto from_here = cat(name, ", from ", shell.host);
  if (judged.ok()) {
    out.lines.push_back({name, judged->text, judged->late ? "late" : "ok", !judged->late});
    out.findings.push_back({"copy late", name, judged->late, judged->text});
    out.findings.push_back({"copy late", from_here, false, {}});
    return;
  }
  const bool never = judged.error().exit_code() == ExitCode::no_repository;
  auto text = never ? "was never made: lifeboat copy sync" : judged.error().text();
  out.lines.push_back({name, text, never ? "never" : "unreachable", false});
  out.findings.push_back({"copy late", from_here, true, std::move(text)});
}

// The locks of a place, and what keeps them from ending there.
struct LockedPlace {
  std::string what, verb, act;
  Micros period{0};
  BlobStore* blobs = nullptr;
};

Result<StandingLine> judge_place(const Shell& shell, Session& session, const LockedPlace& place) {
  LockSample sample;
  sample.points = LB_TRY(session.repository->snapshots());
  auto end = LB_TRY(first_lock_end(*place.blobs, sample, shell.stop));
  auto told = LB_TRY(last_known_end(*session.journal, place.act));
  if (end && told) end = std::min(*end, *told);
  auto judged = judge_locks(end, place.period, place.verb, shell.world.clock.now());
  return StandingLine{place.what, judged.text, judged.state, judged.state == "ok"};
}

void add_locks(const Shell& shell, Session& session, Standing& out) {
  auto add = [&](const std::string& what, Result<StandingLine> line) {
    if (line.ok()) out.findings.push_back({"lock ending", what, !line->good, line->text});
    out.lines.push_back(line.ok() ? std::move(line).take()
                                  : StandingLine{what, line.error().text(), "unknown", false});
  };
  const auto& repository = session.plan.plan.repository;
  if (repository.immutable) {
    LockedPlace place{"locks", "prune", "prune", *repository.immutable, session.blobs.get()};
    add(place.what, judge_place(shell, session, place));
  }
  for (const auto& copy : repository.copies) {
    if (!copy.immutable) continue;
    auto opened = open_copy_place(shell, *session.references, copy, MissingFolder::refuse);
    if (!opened.ok()) continue;  // said where the copy is judged
    LockedPlace place{cat("locks of copy ", opened->name), "copy sync",
                      cat("copy sync ", opened->name), *copy.immutable, opened->blobs.get()};
    add(place.what, judge_place(shell, session, place));
  }
}

// A disk of this machine, with what of ours lies on it.
struct Disk {
  std::uint64_t device = 0;
  std::vector<std::string> folders;
};

// A folder that is not there yet lies nowhere: a spool is made when it is first needed.
void gather(const Shell& shell, const std::string& folder, std::vector<Disk>& disks,
            Standing& out) {
  auto info = [&]() -> Result<FileInfo> {
    const auto path = LB_TRY(real_path(shell.world.files, folder));
    return shell.world.files.info(path);
  }();
  if (!info.ok()) {
    if (info.error().kind() != ErrorKind::not_found)
      out.lines.push_back(
          {cat("disk of ", folder, " on ", shell.host), info.error().text(), "unknown", false});
    return;
  }
  auto known = std::find_if(disks.begin(), disks.end(),
                            [&](const auto& disk) { return disk.device == info->device; });
  if (known == disks.end()) known = disks.insert(disks.end(), {info->device, {}});
  auto& folders = known->folders;
  if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(folder);
}

// One disk is one alert, whatever lies on it; named after the first, which is always there, so that
// it is the same one tomorrow. A line of its own only when somebody is to be told.
void add_disk(const Shell& shell, const plan::Plan& plan, const Disk& disk, Standing& out) {
  const auto name = cat("disk of ", disk.folders.front(), " on ", shell.host);
  const auto space = shell.world.files.space(disk.folders.front());
  if (!space.ok()) return out.lines.push_back({name, space.error().text(), "unknown", false});
  if (space->total == 0) return;  // of file systems that have no size
  const auto used = 1 - static_cast<double>(space->available) / static_cast<double>(space->total);
  const auto others = std::vector<std::string>(disk.folders.begin() + 1, disk.folders.end());
  const auto text = cat(fixed(used * 100, 0), " % used, ", human_size(space->available),
                        " free of ", human_size(space->total),
                        others.empty() ? std::string() : cat("; also of ", join(others, ", ")));
  out.findings.push_back({"disk", name, false, cat(text, "."), used});
  const auto above = passed_bound(plan, "disk", used);
  if (!above.empty()) out.lines.push_back({name, cat(text, "; above ", above), "filling", false});
}

void add_disks(const Shell& shell, const Session& session, Standing& out) {
  const auto& plan = session.plan.plan;
  std::vector<Disk> disks;
  if (!session.repository_folder.empty()) gather(shell, session.repository_folder, disks, out);
  gather(shell, session.state_folder, disks, out);
  for (const auto& store : plan.stores) {
    if (!store.spool.empty()) gather(shell, session.references->absolute(store.spool), disks, out);
  }
  for (const auto& disk : disks) add_disk(shell, plan, disk, out);
}

// Names and sizes alone: verify reads the pages. Said only when something is wrong.
void add_pages(const Shell& shell, Session& session, Standing& out) {
  auto check = state::check_open_pages(*session.repository, state::PageLook::listing,
                                       shell.world.clock.now());
  if (!check.ok())
    return out.lines.push_back({"runbook pages", check.error().text(), "unknown", false});
  if (check->clean()) return;
  const auto& first = check->troubles.front();
  auto text = cat(printable(first.object), " ", first.problem);
  if (check->troubles.size() > 1) text += cat("; and ", check->troubles.size() - 1, " more");
  out.lines.push_back({"runbook pages", cat(text, "; lifeboat verify"), "changed", false});
}

}  // namespace

std::string passed_bound(const plan::Plan& plan, const std::string& what, double measured) {
  const plan::AlertBound* greatest = nullptr;
  for (const auto& rule : plan.alerts) {
    for (const auto& bound : rule.bounds) {
      const bool passed = bound.what == what && measured > bound.bound;
      if (passed && (greatest == nullptr || bound.bound > greatest->bound)) greatest = &bound;
    }
  }
  return greatest == nullptr ? std::string() : greatest->text;
}

void add_places(const Shell& shell, Session& session, Standing& out) {
  for (const auto& copy : session.plan.plan.repository.copies) add_copy(shell, session, copy, out);
  add_locks(shell, session, out);
  add_disks(shell, session, out);
  add_pages(shell, session, out);
}

}  // namespace lb::cli
