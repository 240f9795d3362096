#include "stores/postgres/log_index.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/log_path.h"
#include "stores/postgres/timeline_history.h"

namespace lb::pg {

namespace {

void add_switch(LogIndex& index, const LogIndex::Switch& fresh) {
  for (const auto& known : index.switches) {
    if (known.timeline == fresh.timeline) return;
  }
  index.switches.push_back(fresh);
}

// Also looks past the newest timeline with segments: right after a failover only its history is
// there.
Status read_switches(repo::Repository& repository, LogIndex& index) {
  std::uint32_t newest = 1;
  for (const auto& part : index.parts) newest = std::max(newest, part.info.name.timeline);
  for (std::uint32_t timeline = 2;; ++timeline) {
    auto text = LB_TRY(repository.get_history(index.log_id, timeline));
    if (!text && timeline > newest) return {};
    if (!text) continue;
    auto switches =
        LB_TRY(parse_history(timeline, text_of(*text)).context(cat("timeline ", timeline)));
    for (const auto& entry : switches) add_switch(index, entry);
  }
}

}  // namespace

Result<LogIndex> read_log_index(repo::Repository& repository, const std::string& log_id,
                                std::uint64_t segment_bytes, std::uint64_t first_segment) {
  if (segment_bytes == 0) return Error(ErrorKind::invalid, "the log's segment size is not known");
  LogIndex index;
  index.log_id = log_id;
  index.segment_bytes = segment_bytes;
  auto infos = LB_TRY(repository.logs(log_id).context(cat("log ", log_id)));
  for (auto& info : infos) {
    if (info.name.segment < first_segment) continue;
    auto name = segment_name(info.name.timeline, info.name.segment, segment_bytes);
    auto bytes =
        LB_TRY(repository.get_log_summary(info.name).context(cat("summary of WAL ", name)));
    auto summary = LB_TRY(decode_summary(bytes).context(cat("summary of WAL ", name)));
    index.parts.push_back({std::move(info), std::move(summary)});
  }
  LB_TRY(read_switches(repository, index));
  index.holes = find_holes(index);
  return index;
}

Window window_of(const LogIndex& index, const SnapshotDetails& snapshot, Timestamp taken) {
  Window window;
  window.from = taken;
  window.from_lsn = window.to_lsn = snapshot.stop_lsn;
  auto path = trace_path(index, snapshot, newest_descendant(index, snapshot));
  if (!path.ok()) return window;
  window.to_lsn = std::max(window.to_lsn, path->end);
  auto commit = path->last_commit();
  if (commit && commit->end_lsn > snapshot.stop_lsn) window.to = commit->time;
  return window;
}

}  // namespace lb::pg
