#include "recovery/archive/line_rule.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::archive {

pg::Lsn stored_end(const std::vector<repo::LogInfo>& infos, std::uint32_t timeline,
                   std::uint64_t segment_bytes) {
  pg::Lsn end = 0;
  for (const auto& info : infos) {
    if (info.name.timeline != timeline) continue;
    const auto bytes = info.complete ? segment_bytes : info.durable_bytes;
    end = std::max(end, info.name.segment * segment_bytes + bytes);
  }
  return end;
}

Status judge_line(const std::vector<repo::LogInfo>& infos, std::uint64_t segment_bytes,
                  std::uint32_t timeline, const std::vector<pg::LogIndex::Switch>& switches,
                  const std::vector<Admission>& admissions) {
  if (switches.empty()) return {};
  const auto& last = switches.back();
  const auto end = stored_end(infos, last.parent, segment_bytes);
  if (end <= last.at) return {};
  const bool admitted = std::any_of(admissions.begin(), admissions.end(),
                                    [&](const auto& one) { return one.timeline >= timeline; });
  if (admitted) return {};
  return Error(ErrorKind::denied,
               cat("timeline ", timeline, " left timeline ", last.parent, " at ",
                   pg::format_lsn(last.at), ", but the log of that one is stored up to ",
                   pg::format_lsn(end), ": this is another history than the one archived"))
      .with_hint(
          "a clone or a test restore must not archive: set archive_mode = off there. After a "
          "failover that lost the end of the old timeline, run lifeboat wal admit on the host "
          "that is the primary now")
      .with_exit(ExitCode::refused);
}

}  // namespace lb::archive
