#include "recovery/drill/moments.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/snapshot_details.h"

namespace lb::drill {

namespace {

struct Stretch {
  Timestamp from{}, to{};
};

// A small generator of our own: the same seed must draw the same moments on every machine, for
// ever.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t bound) {
    state_ += 0x9e3779b97f4a7c15u;
    auto mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return (mixed ^ (mixed >> 31)) % bound;
  }

 private:
  std::uint64_t state_;
};

// From when on every store with a log has a base.
Timestamp oldest_base(const std::vector<restore::StorePoints>& stores) {
  Timestamp out = Timestamp::min();
  for (const auto& store : stores) {
    if (store.kind != plan::StoreKind::postgres) continue;
    auto oldest = Timestamp::max();
    for (const auto& snapshot : store.snapshots) oldest = std::min(oldest, snapshot.meta.taken);
    out = std::max(out, oldest);
  }
  return out;
}

Timestamp oldest_usable(const restore::StorePoints& store, Timestamp first_base) {
  bool files = store.kind != plan::StoreKind::postgres;
  auto out = Timestamp::max();
  for (const auto& snapshot : store.snapshots) {
    if (files && snapshot.meta.started < first_base) continue;
    out = std::min(out, snapshot.meta.taken);
  }
  return out;
}

std::optional<Timestamp> newest_commit(const restore::StorePoints& store) {
  std::optional<Timestamp> newest;
  for (const auto& log : store.logs) {
    for (const auto& part : log.parts) {
      const auto& time = part.summary.max_commit_time;
      if (time && (!newest || *time > *newest)) newest = time;
    }
  }
  return newest;
}

// From when on each snapshot reaches, and up to where its log goes without a break.
std::vector<Stretch> reached_by(const restore::StorePoints& store) {
  std::vector<Stretch> out;
  for (const auto& snapshot : store.snapshots) {
    Stretch stretch{snapshot.meta.taken, snapshot.meta.taken};
    auto details = pg::decode_details(snapshot.meta.details);
    for (const auto& log : store.logs) {
      if (!details.ok() || log.log_id != details->log_id) continue;
      auto window = pg::window_of(log, *details, snapshot.meta.taken);
      if (window.to) stretch.to = std::max(stretch.to, *window.to);
    }
    out.push_back(stretch);
  }
  std::sort(out.begin(), out.end(),
            [](const Stretch& a, const Stretch& b) { return a.from < b.from; });
  return out;
}

void add_gaps(const restore::StorePoints& store, Timestamp from, Timestamp to,
              std::vector<record::AuditGap>& out) {
  std::optional<Timestamp> reached;
  auto add = [&](Timestamp until) {
    auto after = std::max(*reached, from), before = std::min(until, to);
    if (after >= before) return;
    out.push_back({after, before,
                   cat(store.store, " cannot go to any moment between ", format_time(after),
                       " and ", format_time(before))});
  };
  for (const auto& stretch : reached_by(store)) {
    if (reached && stretch.from > *reached) add(stretch.from);
    reached = reached ? std::max(*reached, stretch.to) : stretch.to;
  }
  if (reached && *reached < to) add(to);
}

std::int64_t first_second(Timestamp time) {
  return std::chrono::ceil<Seconds>(time).time_since_epoch().count();
}

std::int64_t last_second(Timestamp time) {
  return std::chrono::floor<Seconds>(time).time_since_epoch().count();
}

Timestamp second(std::int64_t count) { return Timestamp(Seconds(count)); }

bool is_inside(const record::AuditGap& gap, Timestamp time) {
  return time > gap.after && time < gap.before;
}

// A whole second inside the gap when it has one.
Timestamp moment_in(const record::AuditGap& gap, Draw& draw) {
  auto first = last_second(gap.after) + 1;
  auto last = first_second(gap.before) - 1;
  if (first > last) return gap.after + (gap.before - gap.after) / 2;
  return second(
      first + static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(last - first) + 1)));
}

}  // namespace

AuditRange audit_range(const std::vector<restore::StorePoints>& stores, Timestamp end,
                       Micros window) {
  AuditRange out;
  out.from = end - window;
  out.to = end;
  auto first_base = oldest_base(stores);
  for (const auto& store : stores) {
    auto oldest = oldest_usable(store, first_base);
    if (oldest > out.from) {
      out.from = oldest;
      out.shorter = true;
    }
    if (store.kind != plan::StoreKind::postgres) continue;
    auto last = newest_commit(store).value_or(oldest);
    if (last >= out.to) continue;
    out.to = last;
    out.ends_because =
        cat("the last commit archived of ", store.store, " is of ", format_time(last));
  }
  if (out.from == Timestamp::max()) {
    out.from = end;
    out.to = std::min(out.to, end - Micros(1));
  }
  for (const auto& store : stores) {
    if (store.kind == plan::StoreKind::postgres && out.from < out.to)
      add_gaps(store, out.from, out.to, out.gaps);
  }
  std::sort(out.gaps.begin(), out.gaps.end(),
            [](const record::AuditGap& a, const record::AuditGap& b) { return a.after < b.after; });
  return out;
}

std::vector<Timestamp> draw_moments(const AuditRange& range, std::uint64_t count,
                                    std::uint64_t seed) {
  std::vector<Timestamp> out;
  Draw draw(seed);
  auto first = first_second(range.from), last = last_second(range.to);
  auto seconds = last >= first ? static_cast<std::uint64_t>(last - first) + 1 : 0;
  count = std::min(count, seconds);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto begin = seconds * i / count, end = seconds * (i + 1) / count;
    out.push_back(second(first + static_cast<std::int64_t>(begin + draw.below(end - begin))));
  }
  for (const auto& gap : range.gaps) {
    bool met = std::any_of(out.begin(), out.end(), [&](auto time) { return is_inside(gap, time); });
    if (!met) out.push_back(moment_in(gap, draw));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace lb::drill
