#include "stores/postgres/page_base.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/log_fetch.h"
#include "stores/postgres/log_path.h"
#include "stores/postgres/page_check.h"
#include "stores/postgres/wal_page.h"

namespace lb::pg {
namespace {

constexpr Micros patience = Seconds(20);  // with a log that does not grow
constexpr Micros look_again_min = std::chrono::milliseconds(20);
constexpr Micros look_again_max = std::chrono::milliseconds(400);

std::string why_no_pages(const BackupContext& context, const SourceOptions& options,
                         const ServerFacts& facts, const SnapshotDetails& now) {
  if (!context.repository.may_read()) return "this key may only write, not read the last backup";
  if (context.parent == nullptr) return "it is the first";
  if (!options.log_continuous) return "the plan keeps no continuous log (log: continuous)";
  const auto before = decode_details(context.parent->info().meta.details);
  if (!before.ok())
    return cat("what the last backup recorded cannot be read: ", before.error().text());
  if (before->system_identifier != now.system_identifier)
    return "the last one is of another system";
  if (before->server_version / 10000 != now.server_version / 10000)
    return "the server was upgraded to another major version";
  if (before->segment_bytes != now.segment_bytes) return "the size of log segments changed";
  if (before->checksums != facts.checksums) return "data checksums were switched";
  if (!facts.hints_logged)
    return "without data checksums or wal_log_hints the log does not name all changes";
  if (!facts.checksums && !before->hints_logged)
    return "wal_log_hints was off at the last one: the log since does not name all changes";
  // Pages of the last point would be ahead of where a copy of this server is believed consistent.
  if (facts.consistent_from && *facts.consistent_from < before->stop_lsn)
    return cat("this standby is at ", format_lsn(*facts.consistent_from),
               ", and the last one ends at ", format_lsn(before->stop_lsn));
  if (!before->bad_pages.empty()) return "the last one met damaged pages";
  return {};
}

// Until the last byte before `needed` is durable. False: it does not come.
Result<bool> wait_for_log(const BackupContext& context, const SnapshotDetails& now, Lsn needed) {
  Clock& clock = context.world.clock;
  const Lsn from = (needed - 1) / now.segment_bytes * now.segment_bytes;
  const Micros begun = clock.steady();
  Micros pause = look_again_min;
  for (;;) {
    const bool there = LB_TRY(
        log_covers(context.repository, now.log_id, now.segment_bytes, now.timeline, from, needed));
    if (there) return true;
    if (clock.steady() - begun > patience) return false;
    if (!clock.sleep(pause, context.stop))
      return Error(ErrorKind::cancelled, "stopped").with_exit(ExitCode::interrupted);
    pause = std::min(2 * pause, look_again_max);
  }
}

Result<ChangedPages> changes_since(const BackupContext& context, const SnapshotDetails& now,
                                   Lsn start) {
  const SnapshotDetails before = LB_TRY(decode_details(context.parent->info().meta.details));
  const LogIndex index = LB_TRY(read_log_index(context.repository, now.log_id, now.segment_bytes,
                                               before.start_lsn / now.segment_bytes));
  // The parent must lie on the line of descent, its end included.
  LB_TRY(trace_path(index, before, now.timeline));
  return read_changed_pages(context.repository, index, now.timeline, before.start_lsn, start);
}

}  // namespace

Lsn before_page_header(Lsn lsn, std::uint64_t segment_bytes) {
  if (lsn % segment_bytes == long_header_bytes) return lsn - long_header_bytes;
  const bool first_page = lsn % segment_bytes < page_bytes;
  return !first_page && lsn % page_bytes == short_header_bytes ? lsn - short_header_bytes : lsn;
}

PageBase judge_parent(const BackupContext& context, const SourceOptions& options,
                      const ServerFacts& facts, const SnapshotDetails& now) {
  PageBase base;
  base.why_not = why_no_pages(context, options, facts, now);
  if (!base.why_not.empty()) return base;
  const auto before = decode_details(context.parent->info().meta.details);
  base.before = before->since_full_read;
  base.compare = options.compare_every > 0 && base.before + 1 >= options.compare_every;
  return base;
}

Status read_changes(const BackupContext& context, const SnapshotDetails& now, Lsn start,
                    PageBase& base) {
  const Lsn needed = before_page_header(start, now.segment_bytes);
  // A standby that made no restartpoint since begins where the last one did.
  const SnapshotDetails before = LB_TRY(decode_details(context.parent->info().meta.details));
  bool there = start <= before.start_lsn;
  if (!there) there = LB_TRY(wait_for_log(context, now, needed));
  if (!there) {
    base.why_not = cat("the log up to ", format_lsn(start),
                       " did not come: does `lifeboat backup --follow` or `wal push` run?");
    return {};
  }
  auto changed = changes_since(context, now, start);
  if (!changed.ok() && changed.error().kind() == ErrorKind::cancelled) return changed.error();
  if (!changed.ok()) {
    base.why_not = cat("the log since the last one does not tell: ", changed.error().text());
    return {};
  }
  if (changed->unusable()) {
    base.why_not = *changed->unusable();
    return {};
  }
  if (!now.checksums && changed->hints_unlogged()) {
    base.why_not = "wal_log_hints was off meanwhile: the log does not name all changes";
    return {};
  }
  base.changed = std::move(changed).take();
  return {};
}

}  // namespace lb::pg
