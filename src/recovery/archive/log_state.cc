#include "recovery/archive/log_state.h"

#include <algorithm>
#include <map>

#include "stores/postgres/archived_file.h"
#include "stores/postgres/log_path.h"

namespace lb::archive {

namespace {

constexpr Micros growth_over = std::chrono::hours(1);
constexpr Micros growth_from_at_least = Seconds(10);

using Place = std::pair<std::uint32_t, std::uint64_t>;

std::set<Place> places_of(const std::vector<std::string>& names, std::uint64_t segment_bytes) {
  std::set<Place> out;
  for (const auto& name : names) {
    const auto parsed = pg::parse_archived_name(name);
    if (parsed && parsed->kind == pg::ArchivedName::Kind::segment)
      out.emplace(parsed->timeline, parsed->segment(segment_bytes));
  }
  return out;
}

std::vector<SegmentRun> runs_of(const std::map<Place, SegmentState>& all) {
  std::vector<SegmentRun> runs;
  for (const auto& [place, state] : all) {
    const bool same = !runs.empty() && runs.back().timeline == place.first &&
                      runs.back().last + 1 == place.second && runs.back().state == state;
    if (same) {
      runs.back().last = place.second;
    } else {
      runs.push_back({place.first, place.second, place.second, state});
    }
  }
  return runs;
}

}  // namespace

std::string_view name_of(SegmentState state) {
  switch (state) {
    case SegmentState::found:
      return "found";
    case SegmentState::delayed:
      return "delayed";
    case SegmentState::uploading:
      return "uploading";
    case SegmentState::lost:
      return "lost";
    case SegmentState::missing:
      return "missing";
  }
  return "unknown";
}

LogState state_of(const pg::LogIndex& index, const pg::ServerLog* server,
                  const std::set<std::string>& uploading, pg::Lsn matters_from) {
  LogState out;
  out.log_id = index.log_id;
  out.segment_bytes = index.segment_bytes;
  const bool asked = server != nullptr && server->segments.has_value();
  const auto there = asked ? places_of(*server->segments, index.segment_bytes) : std::set<Place>();
  const auto moving = places_of({uploading.begin(), uploading.end()}, index.segment_bytes);
  std::map<Place, SegmentState> all;
  for (const auto& hole : index.holes) {
    for (auto segment = hole.first_segment; segment <= hole.last_segment; ++segment)
      all[{hole.timeline, segment}] = asked ? SegmentState::lost : SegmentState::missing;
  }
  // What the server has from before the log was kept is nobody's concern.
  const auto oldest = index.parts.empty() ? Place(0, 0)
                                          : Place(index.parts.front().info.name.timeline,
                                                  index.parts.front().info.name.segment);
  for (const auto& place : there) {
    if (place > oldest) all[place] = SegmentState::delayed;
  }
  for (const auto& place : moving) all[place] = SegmentState::uploading;
  for (const auto& part : index.parts) {
    // Whatever the server still has of it, it is the same.
    const auto state = pg::cannot_be_read(part) ? SegmentState::lost : SegmentState::found;
    if (part.info.complete) all[{part.info.name.timeline, part.info.name.segment}] = state;
  }
  for (const auto& [place, state] : all) {
    const bool matters = (place.second + 1) * index.segment_bytes > matters_from;
    out.lost += matters && state == SegmentState::lost ? 1 : 0;
    out.missing += matters && state == SegmentState::missing ? 1 : 0;
    out.delayed_bytes += state == SegmentState::delayed ? index.segment_bytes : 0;
  }
  out.runs = runs_of(all);
  return out;
}

std::optional<LogGrowth> growth_of(const pg::LogIndex& index) {
  const pg::Commit *first = nullptr, *last = nullptr;
  for (auto part = index.parts.rbegin(); part != index.parts.rend(); ++part) {
    const auto& summary = part->summary;
    if (!summary.first_commit || !summary.last_commit) continue;
    if (last == nullptr) last = &*summary.last_commit;
    if (last->time - summary.first_commit->time > growth_over && first != nullptr) break;
    if (summary.first_commit->lsn <= last->lsn) first = &*summary.first_commit;
  }
  if (first == nullptr || last == nullptr) return std::nullopt;
  const Micros over = last->time - first->time;
  if (over < growth_from_at_least) return std::nullopt;
  const auto bytes = static_cast<double>(last->end_lsn - first->lsn);
  return LogGrowth{bytes * 1e6 / static_cast<double>(over.count()), over};
}

std::optional<Micros> full_after(const LogGrowth& growth, std::uint64_t available_bytes) {
  if (growth.bytes_per_second < 1) return std::nullopt;
  const double seconds = static_cast<double>(available_bytes) / growth.bytes_per_second;
  constexpr double longest = 10.0 * 365 * 86400;
  if (seconds > longest) return std::nullopt;
  return Seconds(static_cast<std::int64_t>(seconds));
}

}  // namespace lb::archive
