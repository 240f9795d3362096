#include "app/cli/lock_watch.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/blob/locks.h"
#include "storage/repo/format.h"

namespace lb::cli {

namespace {

constexpr std::size_t points_max = 16, packs_max = 48, runs_max = 50;

// At most so many of a list, evenly, with both its ends.
std::vector<std::string> some_of(const std::vector<std::string>& all, std::size_t max) {
  if (all.size() <= max) return all;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < max; ++i) out.push_back(all[i * (all.size() - 1) / (max - 1)]);
  return out;
}

std::optional<Timestamp> earlier(std::optional<Timestamp> x, Timestamp y) {
  return std::min(x.value_or(y), y);
}

}  // namespace

Result<std::optional<Timestamp>> first_lock_end(BlobStore& blobs, const LockSample& sample,
                                                std::stop_token stop) {
  std::vector<std::string> keys = {repo::repo_key}, verdicts;
  for (auto& slot : LB_TRY(blobs.list("k/"))) keys.push_back(std::move(slot.key));
  for (const auto& point : sample.points) verdicts.push_back(repo::verdict_key(point.id));
  for (auto& key : some_of(verdicts, points_max)) keys.push_back(std::move(key));
  for (auto& key : some_of(sample.packs, packs_max)) keys.push_back(std::move(key));
  LockEnds known;
  LB_TRY(learn_locks(blobs, keys, known, std::move(stop)));
  std::optional<Timestamp> out;
  for (const auto& [key, end] : known) out = earlier(out, end);
  return out;
}

Result<std::optional<Timestamp>> last_known_end(state::Journal& journal, const std::string& act) {
  auto runs = LB_TRY(journal.outcomes(act, runs_max));
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    const auto& until = run->details["locks"]["until"];
    if (!until.is_string()) continue;
    auto end = parse_time(until.string());
    if (end.ok()) return std::optional(*end);
  }
  return std::optional<Timestamp>();
}

LockJudgement judge_locks(std::optional<Timestamp> first_end, Micros period,
                          const std::string& verb, Timestamp now) {
  if (!first_end) return {"ok", "nothing is there to be locked"};
  auto renew =
      cat("; lifeboat ", verb, " extends them, at least every ", human_duration(period / 2));
  if (*first_end <= now) {
    auto since = *first_end == Timestamp{}
                     ? std::string("there are objects without a lock")
                     : cat("the first lock ended ", format_time_seconds(*first_end));
    return {"ended", cat(since, ": what points need can be deleted", renew)};
  }
  auto left = *first_end - now;
  auto text = cat("what points need is locked until ", format_time_seconds(*first_end),
                  " at least, for ", human_duration(left));
  if (left < period / 4) return {"ending", cat(text, renew)};
  return {"ok", text};
}

}  // namespace lb::cli
