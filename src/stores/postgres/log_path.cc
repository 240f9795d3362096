#include "stores/postgres/log_path.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/timeline_history.h"

namespace lb::pg {

namespace {

const LogPart* find_part(const LogIndex& index, std::uint32_t timeline, std::uint64_t segment) {
  auto found =
      std::lower_bound(index.parts.begin(), index.parts.end(), std::pair(timeline, segment),
                       [](const LogPart& part, const auto& wanted) {
                         return std::pair(part.info.name.timeline, part.info.name.segment) < wanted;
                       });
  bool same = found != index.parts.end() && found->info.name.timeline == timeline &&
              found->info.name.segment == segment;
  return same ? &*found : nullptr;
}

// A segment through which replay can go on to the next one.
bool is_whole(const LogPart& part) {
  return part.info.complete && !part.summary.ended && !cannot_be_read(part);
}

// The part that holds `segment` on this descent: of the timeline in force at the segment's end, or
// of its parent when the switch lies in it and the child's copy is not stored.
const LogPart* part_at(const LogIndex& index, const std::vector<Generation>& line,
                       std::uint64_t segment) {
  auto segment_end = (segment + 1) * index.segment_bytes;
  const LogPart* of_parent = nullptr;
  for (const auto& generation : line) {
    auto part = find_part(index, generation.timeline, segment);
    if (!generation.until || *generation.until >= segment_end) return part ? part : of_parent;
    bool leaves_here = *generation.until > segment * index.segment_bytes;
    of_parent = leaves_here ? part : nullptr;
  }
  return of_parent;
}

// Where the log of this part must not be believed further: the parent's bytes after the switch.
Lsn limit_of(const std::vector<Generation>& line, const LogPart& part) {
  for (const auto& generation : line) {
    if (generation.timeline == part.info.name.timeline && generation.until)
      return *generation.until;
  }
  return ~Lsn{0};
}

std::optional<std::uint64_t> next_stored(const LogIndex& index, const std::vector<Generation>& line,
                                         std::uint64_t after) {
  std::optional<std::uint64_t> next;
  for (const auto& generation : line) {
    for (const auto& part : index.parts) {
      auto segment = part.info.name.segment;
      if (part.info.name.timeline != generation.timeline || segment <= after) continue;
      if (part_at(index, line, segment) == &part) next = next ? std::min(*next, segment) : segment;
    }
  }
  return next;
}

std::optional<Timestamp> first_time_from(const LogIndex& index, const std::vector<Generation>& line,
                                         std::uint64_t segment) {
  for (auto at = std::optional(segment); at; at = next_stored(index, line, *at)) {
    auto part = part_at(index, line, *at);
    if (part && part->summary.first_commit) return part->summary.first_commit->time;
  }
  return std::nullopt;
}

LogHole make_hole(const LogIndex& index, const std::vector<Generation>& line, const LogPath& path,
                  std::uint64_t first, std::uint64_t next) {
  LogHole hole;
  hole.timeline = line.back().timeline;
  hole.first_segment = first;
  hole.last_segment = next - 1;
  hole.from = path.parts.empty() ? first * index.segment_bytes : path.end;
  hole.to = next * index.segment_bytes;
  if (auto commit = path.last_commit()) hole.after = commit->time;
  hole.before = first_time_from(index, line, next);
  return hole;
}

// Follows the descent from `segment` on until the log stops.
LogPath follow(const LogIndex& index, const std::vector<Generation>& line, std::uint64_t segment) {
  LogPath path;
  path.timeline = line.back().timeline;
  path.end = segment * index.segment_bytes;
  bool open = true;
  while (open) {
    auto part = part_at(index, line, segment);
    if (!part) break;
    path.parts.push_back(part);
    // A segment inside one huge record ends no record.
    if (part->summary.end_lsn > part->summary.first_lsn) {
      path.end = std::max(path.end, std::min(part->summary.end_lsn, limit_of(line, *part)));
    }
    open = is_whole(*part) && limit_of(line, *part) >= (segment + 1) * index.segment_bytes;
    if (open) ++segment;
  }
  // `segment` is the first that is missing, or the one in which the log stops short.
  auto next = next_stored(index, line, segment);
  if (next) path.hole = make_hole(index, line, path, segment, *next);
  return path;
}

bool descends(const std::vector<Generation>& line, const SnapshotDetails& snapshot) {
  return std::any_of(line.begin(), line.end(), [&](const Generation& generation) {
    return generation.timeline == snapshot.timeline &&
           (!generation.until || *generation.until >= snapshot.stop_lsn);
  });
}

}  // namespace

bool cannot_be_read(const LogPart& part) {
  const auto& summary = part.summary;
  return part.info.complete && summary.system_identifier == 0 && summary.records == 0 &&
         summary.first_lsn == summary.end_lsn && !summary.first_commit;
}

std::optional<Commit> LogPath::last_commit() const {
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    const auto& commit = (*part)->summary.last_commit;
    if (commit && commit->end_lsn <= end) return commit;
  }
  return std::nullopt;
}

std::optional<Timestamp> LogPath::newest_time() const {
  std::optional<Timestamp> newest;
  for (const auto* part : parts) {
    const auto& time = part->summary.max_commit_time;
    if (time) newest = newest ? std::max(*newest, *time) : *time;
  }
  return newest;
}

Result<LogPath> trace_path(const LogIndex& index, const SnapshotDetails& snapshot,
                           std::uint32_t timeline) {
  auto line = descent_of(index.switches, timeline);
  if (!descends(line, snapshot)) {
    return Error(ErrorKind::not_found,
                 cat("timeline ", timeline, " does not descend from the snapshot (timeline ",
                     snapshot.timeline, ", consistent at ", format_lsn(snapshot.stop_lsn), ")"))
        .with_exit(ExitCode::point_unreachable)
        .with_hint(cat("the newest timeline that does is ", newest_descendant(index, snapshot)));
  }
  while (line.front().timeline != snapshot.timeline) line.erase(line.begin());
  return follow(index, line, snapshot.start_lsn / index.segment_bytes);
}

std::uint32_t newest_descendant(const LogIndex& index, const SnapshotDetails& snapshot) {
  auto newest = snapshot.timeline;
  auto consider = [&](std::uint32_t timeline) {
    if (timeline > newest && descends(descent_of(index.switches, timeline), snapshot))
      newest = timeline;
  };
  for (const auto& part : index.parts) consider(part.info.name.timeline);
  for (const auto& entry : index.switches) consider(entry.timeline);
  return newest;
}

std::vector<LogHole> find_holes(const LogIndex& index) {
  std::vector<LogHole> holes;
  for (std::size_t i = 0; i < index.parts.size(); ++i) {
    const auto& name = index.parts[i].info.name;
    if (i > 0 && index.parts[i - 1].info.name.timeline == name.timeline) continue;
    std::vector<Generation> line{{name.timeline, std::nullopt}};
    auto segment = std::optional(name.segment);
    while (segment) {
      auto path = follow(index, line, *segment);
      segment.reset();
      if (!path.hole) break;
      segment = path.hole->last_segment + 1;
      holes.push_back(*path.hole);
    }
  }
  return holes;
}

}  // namespace lb::pg
