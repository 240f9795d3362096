#include "app/cli/copies.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "stores/postgres/wal_reader.h"

namespace lb::cli {

namespace {

void note(CopyLag& lag, Timestamp when) {
  if (!lag.since || when < *lag.since) lag.since = when;
}

Status add_snapshots(repo::Repository& repository, repo::Repository& copy, CopyLag& lag) {
  // The copy is asked first: what comes meanwhile is then missing there, never the reverse.
  std::set<std::string> there;
  for (const auto& snapshot : LB_TRY(copy.snapshots())) there.insert(snapshot.id);
  for (const auto& snapshot : LB_TRY(repository.snapshots())) {
    if (snapshot.meta.kind == "damaged" || there.contains(snapshot.id)) continue;
    ++lag.snapshots;
    note(lag, snapshot.ended);
  }
  return {};
}

// A part of a log without a commit loses nothing by being late.
Status add_log(repo::Repository& repository, repo::Repository& copy, const std::string& log_id,
               CopyLag& lag) {
  std::map<repo::LogName, repo::LogInfo> there;
  for (const auto& info : LB_TRY(copy.logs(log_id))) there.emplace(info.name, info);
  for (const auto& info : LB_TRY(repository.logs(log_id))) {
    auto found = there.find(info.name);
    bool whole = found != there.end() && (found->second.complete || !info.complete) &&
                 (found->second.complete || found->second.durable_bytes >= info.durable_bytes);
    if (whole) continue;
    auto bytes = repository.get_log_summary(info.name);
    auto summary = bytes.ok() ? pg::decode_summary(*bytes) : Result<pg::LogSummary>(bytes.error());
    if (!summary.ok()) continue;  // damaged, or gone meanwhile: verify speaks of that
    if (!summary->min_commit_time) continue;
    ++lag.log_segments;
    // Of a segment that is there in part, the newest commit alone is certainly not there.
    bool partly = found != there.end();
    note(lag, partly ? *summary->max_commit_time : *summary->min_commit_time);
  }
  return {};
}

}  // namespace

Result<std::vector<const plan::Copy*>> pick_copies(const plan::Plan& plan,
                                                   const std::vector<std::string>& names) {
  const auto& copies = plan.repository.copies;
  if (copies.empty()) {
    return Error(ErrorKind::invalid, "the plan's repository has no copies")
        .with_hint("add repository: {copies: [{at: PLACE, within: 24h}]}");
  }
  std::vector<const plan::Copy*> out;
  if (names.empty()) {
    for (const auto& copy : copies) out.push_back(&copy);
    return out;
  }
  std::vector<std::string> known;
  for (const auto& copy : copies) known.push_back(copy.at.text());
  for (const auto& name : names) {
    auto number = parse_uint(name);
    auto found =
        number.ok() && *number >= 1 && *number <= copies.size()
            ? static_cast<std::size_t>(*number - 1)
            : static_cast<std::size_t>(std::find(known.begin(), known.end(), name) - known.begin());
    if (found == copies.size()) {
      return Error(ErrorKind::invalid, cat("the plan has no copy '", printable(name), "'"))
          .with_hint(cat("copies, also by number from 1: ", join(known, ", ")));
    }
    out.push_back(&copies[found]);
  }
  return out;
}

Result<CopyPlace> open_copy_place(const Shell& shell, const References& references,
                                  const plan::Copy& copy, MissingFolder missing) {
  auto place = LB_TRY(open_place(shell, references, copy, missing));
  return CopyPlace{copy.at.text(), std::move(place.blobs)};
}

std::vector<CopyPlace> open_copies(const Shell& shell, const References& references,
                                   const plan::RepositoryPlan& repository, const plan::Copy* but) {
  std::vector<CopyPlace> out;
  for (const auto& copy : repository.copies) {
    if (&copy == but) continue;
    auto place = open_copy_place(shell, references, copy, MissingFolder::refuse);
    if (place.ok()) {
      out.push_back(std::move(place).take());
    } else {
      shell.console.warn(cat("not asked: ", place.error().text()));
    }
  }
  return out;
}

std::vector<CopySource> copy_sources(const Shell& shell, const References& references,
                                     const plan::RepositoryPlan& repository,
                                     const plan::Copy* but) {
  std::vector<CopySource> out;
  for (const auto& copy : repository.copies) {
    if (&copy == but) continue;
    out.push_back(
        {copy.at.text(), [&shell, &references, &copy]() -> Result<std::unique_ptr<BlobStore>> {
           auto place = LB_TRY(open_copy_place(shell, references, copy, MissingFolder::refuse));
           return std::move(place.blobs);
         }});
  }
  return out;
}

std::uint64_t tell_healed(Console& console, HealingBlobStore& store) {
  constexpr std::size_t shown_max = 20;
  auto healed = store.all_healed();
  std::size_t shown = 0;
  for (const auto& [key, name] : healed) {
    if (shown++ == shown_max) break;
    console.warn(cat("healed from ", name, ": ", key, " is missing or damaged"));
  }
  if (healed.size() > shown_max) console.warn(cat("and ", healed.size() - shown_max, " more"));
  if (!healed.empty()) console.warn("lifeboat repair puts them back where they belong");
  return healed.size();
}

std::unique_ptr<copy::Witness> witness_of(const repo::Repository* repository) {
  const auto* core = repository == nullptr ? nullptr : repository->core();
  if (core == nullptr || core->keys.private_key.empty()) return nullptr;
  return std::make_unique<copy::KeyWitness>(*core);
}

Result<CopyLag> lag_of(repo::Repository& repository, repo::Repository& copy) {
  CopyLag lag;
  LB_TRY(add_snapshots(repository, copy, lag));
  for (const auto& log_id : LB_TRY(repository.log_ids())) {
    LB_TRY(add_log(repository, copy, log_id, lag));
  }
  return lag;
}

LagJudgement judge_lag(const CopyLag& lag, const plan::Copy& copy, Timestamp now) {
  LagJudgement out;
  if (!lag.since) {
    out.text = "up to date";
  } else {
    std::vector<std::string> what;
    if (lag.snapshots > 0) what.push_back(cat(lag.snapshots, " points"));
    if (lag.log_segments > 0)
      what.push_back(
          cat(lag.log_segments, lag.log_segments == 1 ? " log segment" : " log segments"));
    auto age = std::max(now - *lag.since, Micros(0));
    out.text =
        cat("not there yet: ", join(what, " and "), ", the oldest since ", human_duration(age));
    out.late = copy.within && age > *copy.within;
  }
  if (copy.within) out.text += cat("; target ", format_duration(*copy.within));
  return out;
}

}  // namespace lb::cli
