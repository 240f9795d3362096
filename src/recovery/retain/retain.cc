#include "recovery/retain/retain.h"

#include <algorithm>
#include <chrono>

#include "foundation/base/text.h"

namespace lb::retain {

namespace {

using std::chrono::days;
using std::chrono::floor;

// The calendar period (UTC) a moment lies in, as a number that differs from one to the next.
enum class Period { hour, day, week, month, year };

std::int64_t period_of(Period period, Timestamp time) {
  auto day = floor<days>(time);
  auto date = std::chrono::year_month_day(day);
  auto year = static_cast<std::int64_t>(static_cast<int>(date.year()));
  switch (period) {
    case Period::hour:
      return floor<std::chrono::hours>(time).time_since_epoch().count();
    case Period::day:
      return day.time_since_epoch().count();
    case Period::week:  // from Monday: 1970-01-01 was a Thursday
      return floor<std::chrono::weeks>(day.time_since_epoch() + days(3)).count();
    case Period::month:
      return year * 12 + static_cast<unsigned>(date.month());
    case Period::year:
      return year;
  }
  return 0;
}

struct Rule {
  const char* name;
  Period period;
  std::optional<Micros> keep;
};

std::vector<Rule> rules_of(const plan::Retain& policy) {
  std::vector<Rule> out = {{"hourly", Period::hour, policy.hourly},
                           {"daily", Period::day, policy.daily},
                           {"weekly", Period::week, policy.weekly},
                           {"monthly", Period::month, policy.monthly},
                           {"yearly", Period::year, policy.yearly}};
  std::erase_if(out, [](const Rule& rule) { return !rule.keep.has_value(); });
  return out;
}

void add_once(std::vector<std::string>& why, const std::string& text) {
  if (why.empty() || why.back() != text) why.push_back(text);
}

// Decides over the points of one store, oldest first.
class StoreRetention {
 public:
  StoreRetention(std::span<Decision> decisions, const plan::Retain& policy, Timestamp now)
      : decisions_(decisions), policy_(policy), now_(now), rules_(rules_of(policy)) {
    bool sound = false;
    for (const auto& each : decisions_) {
      if (!usable(each) || (sound && each.point.flawed)) continue;
      reference_ = each.point.taken;
      sound = sound || !each.point.flawed;
    }
  }

  void run() {
    keep_always();
    if (rules_.empty() && !policy_.pitr) {
      for (auto& each : decisions_) each.why.push_back("the plan has no retain:");
      return;
    }
    for (const auto& rule : rules_) keep_by(rule);
    if (!policy_.pitr) return;
    // Where the base would be a flawed one, a sound one is kept besides.
    keep_for_pitr(*policy_.pitr, true);
    keep_for_pitr(*policy_.pitr, false);
  }

 private:
  bool usable(const Decision& each) const {
    return !each.point.damaged && each.point.taken <= now_;
  }

  void keep_always() {
    bool newest = false, sound = false, proven = false;
    for (auto each = decisions_.rbegin(); each != decisions_.rend(); ++each) {
      const auto& point = each->point;
      if (point.damaged) each->why.push_back("damaged: what it needs is unknown");
      if (!point.damaged && point.taken > now_) each->why.push_back("from the future");
      if (point.held) each->why.push_back("held");
      if (!usable(*each)) continue;
      if (!newest) each->why.push_back("newest");
      if (newest && !sound && !point.flawed) each->why.push_back("newest without damaged pages");
      if (point.proven && !proven) each->why.push_back("newest proven");
      newest = true;
      sound = sound || !point.flawed;
      proven = proven || point.proven;
    }
  }

  // The newest of each period that began within the time; a sound one where there is one.
  void keep_by(const Rule& rule) {
    std::set<std::int64_t> seen;
    for (const bool flawed : {false, true}) {
      for (auto each = decisions_.rbegin(); each != decisions_.rend(); ++each) {
        if (!usable(*each) || each->point.flawed != flawed) continue;
        if (reference_ - each->point.taken >= *rule.keep) continue;
        if (seen.insert(period_of(rule.period, each->point.taken)).second) {
          each->why.push_back(rule.name);
        }
      }
    }
  }

  // Of each stretch of log that reaches into the window: the base to begin from.
  void keep_for_pitr(Micros window, bool flawed_too) {
    auto start = reference_ - window;
    auto text = cat("pitr ", format_duration(window));
    std::map<int, Decision*> anchors;
    for (auto& each : decisions_) {
      if (!usable(each) || (each.point.flawed && !flawed_too)) continue;
      // Without another rule this one stands for all: nothing within the window is thinned.
      if (rules_.empty() && each.point.taken >= start) add_once(each.why, text);
      if (!each.point.chain) continue;
      bool reaches = each.point.taken >= start || each.point.chain_end.value_or(start) >= start;
      auto& anchor = anchors[*each.point.chain];
      if (reaches && (anchor == nullptr || each.point.taken <= start)) anchor = &each;
    }
    for (auto& [chain, anchor] : anchors) {
      if (anchor == nullptr) continue;
      add_once(anchor->why, text);
      anchor->anchors_pitr = true;
    }
  }

  std::span<Decision> decisions_;
  const plan::Retain& policy_;
  const Timestamp now_;
  const std::vector<Rule> rules_;
  Timestamp reference_{};
};

void add_range(std::vector<repo::LogRange>& ranges, std::uint64_t segment) {
  if (!ranges.empty() && ranges.back().end == segment) {
    ++ranges.back().end;
  } else {
    ranges.push_back({segment, segment + 1});
  }
}

}  // namespace

std::size_t RetentionPlan::forgotten() const {
  return static_cast<std::size_t>(std::count_if(decisions.begin(), decisions.end(),
                                                [](const Decision& each) { return !each.kept(); }));
}

std::vector<std::string> RetentionPlan::halved() const {
  std::map<std::string, std::pair<std::size_t, std::size_t>> stores;  // all, forgotten
  for (const auto& each : decisions) {
    auto& [all, gone] = stores[each.point.store];
    ++all;
    if (!each.kept()) ++gone;
  }
  std::vector<std::string> out;
  for (const auto& [store, count] : stores) {
    if (2 * count.second > count.first) out.push_back(store);
  }
  return out;
}

RetentionPlan plan_prune(std::span<const Point> points, const plan::Retain& policy,
                         const std::set<std::string>& stores, Timestamp now) {
  RetentionPlan out;
  for (const auto& point : points) out.decisions.push_back({point, {}, false});
  auto& all = out.decisions;
  std::sort(all.begin(), all.end(), [](const Decision& a, const Decision& b) {
    return std::tie(a.point.store, a.point.taken, a.point.id) <
           std::tie(b.point.store, b.point.taken, b.point.id);
  });
  for (std::size_t from = 0; from < all.size();) {
    auto to = from;
    while (to < all.size() && all[to].point.store == all[from].point.store) ++to;
    auto own = std::span(all).subspan(from, to - from);
    if (stores.contains(own.front().point.store)) {
      StoreRetention(own, policy, now).run();
    } else {
      for (auto& each : own) {
        each.why.push_back(each.point.damaged ? "damaged: what it needs is unknown"
                                              : "its store is not in the plan");
      }
    }
    from = to;
  }
  return out;
}

std::map<std::string, std::vector<repo::LogRange>> removable_log(
    std::span<const BaseLog> bases,
    const std::map<std::string, std::vector<std::uint64_t>>& stored) {
  std::map<std::string, std::vector<repo::LogRange>> out;
  for (const auto& log : stored) {
    const auto& log_id = log.first;  // clang 14 captures no binding
    const auto& segments = log.second;
    bool has_base = false;
    auto needed = [&](std::uint64_t segment) {
      return std::any_of(bases.begin(), bases.end(), [&](const BaseLog& base) {
        if (base.log_id != log_id || !base.kept || segment < base.first_segment) return false;
        return base.open || segment <= base.last_segment;
      });
    };
    for (const auto& base : bases) has_base = has_base || base.log_id == log_id;
    if (!has_base) continue;
    std::vector<repo::LogRange> ranges;
    for (auto segment : segments) {
      if (!needed(segment)) add_range(ranges, segment);
    }
    if (!ranges.empty()) out.emplace(log_id, repo::join_ranges(std::move(ranges)));
  }
  return out;
}

}  // namespace lb::retain
