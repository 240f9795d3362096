#include "recovery/drill/bisect_log.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/commit_after.h"

namespace lb::drill {

Position place_in_log(pg::Lsn lsn, const std::string& base, Timestamp at) {
  Position out;
  out.wish.wanted.kind = pg::Wanted::Kind::lsn;
  out.wish.wanted.lsn = lsn;
  out.words = cat("LSN ", pg::format_lsn(lsn), " on ", point_words(base));
  out.at = at;
  out.lsn = lsn;
  out.base = base;
  return out;
}

Result<Edge> narrow(Prober& prober, const std::vector<Position>& positions, bool look_back,
                    std::stop_token stop) {
  BisectSearch search(positions.size());
  Edge out;
  auto ask = [&](std::size_t at) -> Status {
    search.told(at, LB_TRY(prober.probe(positions[at], stop)));
    return {};
  };
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (prober.known(positions[i]) != nullptr) LB_TRY(ask(i));
  }
  while (auto at = search.next()) {
    out.out_of_probes = !prober.may_probe();
    if (out.out_of_probes) break;
    LB_TRY(ask(*at));
  }
  auto clean = search.clean();
  bool older = look_back && clean && *clean > 0 && search.first_bad();
  if (older && !search.answer(*clean - 1) && prober.may_probe()) LB_TRY(ask(*clean - 1));
  if (auto at = search.clean()) out.clean = positions[*at];
  if (auto at = search.first_bad()) out.bad = positions[*at];
  if (auto at = search.bad_before_good()) out.bad_before_good = positions[*at];
  out.unknown = search.unknown_between();
  return out;
}

namespace {

class LogSearch {
 public:
  LogSearch(const DrillTools& tools, const BisectRequest& request, Prober& prober,
            const restore::StorePoints& points)
      : tools_(tools), request_(request), prober_(prober), points_(points) {}

  Result<LogEdge> run(const Position& good, const Position& bad, const std::stop_token& stop) {
    auto ready = LB_TRY(prepare(good, bad));
    if (!ready) return std::move(out_);
    if (!prober_.may_probe() && prober_.known(high_) == nullptr) {
      out_.edge.out_of_probes = true;
      return std::move(out_);
    }
    // The good point with the log replayed onto it must be bad too: else no transaction did it.
    auto end = LB_TRY(prober_.probe(high_, stop));
    if (end != Answer::bad) {
      out_.trouble =
          end == Answer::good
              ? cat(bad.words, " is bad, but ", high_.words,
                    ", the same moment, is not: what is bad came not by a transaction. Look at the "
                    "disks of the server, and at how that point was taken")
              : cat("the log was not searched: ", high_.words, " could not be decided");
      return std::move(out_);
    }
    LB_TRY(by_suspects(stop));
    LB_TRY(by_segments(stop));
    LB_TRY(by_commits(stop));
    out_.edge.clean = low_;
    out_.edge.bad = high_;
    return std::move(out_);
  }

 private:
  // False: there is nothing to search; `trouble` says why.
  Result<bool> prepare(const Position& good, const Position& bad) {
    auto from = LB_TRY(prober_.choose(good));
    const auto& choice = from.front();
    details_ = *choice.details;
    timeline_ = choice.target->timeline;
    base_ = choice.snapshot.id;
    for (const auto& log : points_.logs) {
      if (log.log_id == details_.log_id) index_ = &log;
    }
    auto to = LB_TRY(prober_.choose(bad));
    auto end = bad.lsn != 0 ? bad.lsn : to.front().details->stop_lsn;
    if (index_ == nullptr || to.front().details->log_id != details_.log_id) {
      out_.trouble = "the log was not searched: the two points are of different servers";
      return false;
    }
    path_ = LB_TRY(pg::trace_path(*index_, details_, timeline_));
    if (path_.end < end) {
      out_.trouble = cat("the log was not searched: it is not whole between ", good.words, " and ",
                         bad.words, ": it ends at LSN ", pg::format_lsn(path_.end));
      return false;
    }
    low_ = good;
    low_.lsn = details_.stop_lsn;
    high_ = bad.base == base_ ? bad : place_in_log(end, base_, bad.at);
    return true;
  }

  Result<Edge> between(std::vector<Position> inner, const std::stop_token& stop) {
    std::vector<Position> all = {low_};
    for (auto& position : inner) {
      if (position.lsn > all.back().lsn && position.lsn < high_.lsn)
        all.push_back(std::move(position));
    }
    all.push_back(high_);
    auto edge = LB_TRY(narrow(prober_, all, false, stop));
    low_ = *edge.clean;
    high_ = *edge.bad;
    out_.edge.unknown = edge.unknown;
    out_.edge.out_of_probes = edge.out_of_probes;
    return edge;
  }

  // Before and after each of them: two probes show the one that did it, when one of them did.
  Status by_suspects(const std::stop_token& stop) {
    if (!request_.suspects) return {};
    suspects_ = LB_TRY(request_.suspects(points_, *index_, low_.at));
    std::vector<Position> inner;
    for (const auto& suspect : suspects_) {
      inner.push_back(place_in_log(suspect.lsn, base_, suspect.time - Micros(1)));
      inner.push_back(place_in_log(suspect.end_lsn, base_, suspect.time));
    }
    LB_TRY(between(std::move(inner), stop));
    return {};
  }

  Status by_segments(const std::stop_token& stop) {
    std::vector<Position> inner;
    for (const auto* part : path_.parts) {
      const auto& last = part->summary.last_commit;
      if (last) inner.push_back(place_in_log(last->end_lsn, base_, last->time));
    }
    LB_TRY(between(std::move(inner), stop));
    return {};
  }

  Status by_commits(const std::stop_token& stop) {
    if (out_.edge.out_of_probes) return {};
    auto commits = LB_TRY(
        pg::commits_between(*index_, details_, timeline_, low_.lsn, high_.lsn, tools_.repository));
    std::vector<Position> inner;
    // What is there after the last of them is what is bad.
    for (std::size_t i = 0; i + 1 < commits.size(); ++i)
      inner.push_back(place_in_log(commits[i].end_lsn, base_, commits[i].time));
    LB_TRY(between(std::move(inner), stop));
    std::erase_if(commits, [&](const auto& commit) {
      return commit.lsn < low_.lsn || commit.end_lsn > high_.lsn;
    });
    if (commits.empty()) {
      out_.trouble = cat("no commit lies between ", low_.words, " and ", high_.words,
                         ": the check does not always say the same");
    } else if (commits.size() == 1) {
      name(commits.front());
    }
    return {};
  }

  void name(const pg::Commit& commit) {
    out_.transaction = cat("transaction ", commit.xid, " of ", format_time(commit.time),
                           ", its commit at LSN ", pg::format_lsn(commit.lsn));
    for (const auto& suspect : suspects_) {
      if (suspect.lsn == commit.lsn) out_.transaction += cat(", which ", suspect.text);
    }
  }

  const DrillTools& tools_;
  const BisectRequest& request_;
  Prober& prober_;
  const restore::StorePoints& points_;
  pg::SnapshotDetails details_;
  std::uint32_t timeline_ = 0;
  std::string base_;
  const pg::LogIndex* index_ = nullptr;
  pg::LogPath path_;
  std::vector<BisectSuspect> suspects_;
  Position low_, high_;
  LogEdge out_;
};

}  // namespace

Result<LogEdge> search_log(const DrillTools& tools, const BisectRequest& request, Prober& prober,
                           const restore::StorePoints& points, const Position& good,
                           const Position& bad, std::stop_token stop) {
  return LogSearch(tools, request, prober, points).run(good, bad, stop);
}

}  // namespace lb::drill
