#include "stores/postgres/commit_after.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/log_path.h"

namespace lb::pg {

Result<std::optional<Commit>> first_commit_from(const LogIndex& index,
                                                const SnapshotDetails& snapshot,
                                                std::uint32_t timeline, Lsn from,
                                                repo::Repository& repository) {
  auto path = LB_TRY(trace_path(index, snapshot, timeline));
  auto first = from / index.segment_bytes;
  std::unique_ptr<WalScanner> scanner;
  for (const auto* part : path.parts) {
    const auto& name = part->info.name;
    if (name.segment < first) continue;
    if (!scanner) {
      scanner = WalScanner::create(name.segment * index.segment_bytes, index.segment_bytes,
                                   {.commits = true});
    }
    auto label = cat("WAL ", segment_name(name.timeline, name.segment, index.segment_bytes));
    auto bytes = LB_TRY(repository.get_log(name).context(label));
    LB_TRY(scanner->feed(bytes).context(label));
    for (const auto& commit : scanner->take_commits()) {
      if (commit.lsn >= from && commit.end_lsn <= path.end) return std::optional(commit);
    }
    if (scanner->reached_end()) break;
  }
  return std::optional<Commit>();
}

Result<std::vector<Commit>> commits_between(const LogIndex& index, const SnapshotDetails& snapshot,
                                            std::uint32_t timeline, Lsn from, Lsn to,
                                            repo::Repository& repository) {
  constexpr std::size_t commits_max = 2'000'000;
  auto path = LB_TRY(trace_path(index, snapshot, timeline));
  std::unique_ptr<WalScanner> scanner;
  std::vector<Commit> out;
  for (const auto* part : path.parts) {
    const auto& name = part->info.name;
    auto begins = name.segment * index.segment_bytes;
    if (begins + index.segment_bytes <= from || begins >= to) continue;
    if (!scanner) scanner = WalScanner::create(begins, index.segment_bytes, {.commits = true});
    auto label = cat("WAL ", segment_name(name.timeline, name.segment, index.segment_bytes));
    auto bytes = LB_TRY(repository.get_log(name).context(label));
    LB_TRY(scanner->feed(bytes).context(label));
    for (const auto& commit : scanner->take_commits()) {
      if (commit.lsn >= from && commit.end_lsn <= std::min(to, path.end)) out.push_back(commit);
    }
    if (out.size() > commits_max)
      return Error(ErrorKind::exhausted, cat("more than ", commits_max, " commits in ", label));
    if (scanner->reached_end()) break;
  }
  return out;
}

}  // namespace lb::pg
