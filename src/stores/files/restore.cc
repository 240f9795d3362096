// The restore of the files store as the engine sees it.
#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "stores/files/restore_run.h"

namespace lb::files {

namespace {

constexpr std::uint64_t block_bytes = 4096;

// What was confirmed must be what will be deleted, to the last name.
Status check_deletions(World& world, repo::SnapshotReader& snapshot, const RestoreOptions& options,
                       const std::vector<std::string>& confirmed) {
  if (options.mode == RestoreMode::merge) {
    if (confirmed.empty()) return {};
    return Error(ErrorKind::invalid, "a merging restore deletes nothing");
  }
  auto now = LB_TRY(plan_deletions(world, snapshot, options));
  if (now == confirmed) return {};
  return Error(ErrorKind::conflict,
               cat("the folder ", printable(options.folder), " changed since the list of ",
                   confirmed.size(), " files to delete was shown; now there are ", now.size()))
      .with_hint("ask again for the list and confirm it")
      .with_exit(ExitCode::refused);
}

}  // namespace

Result<RestoreOutcome> restore(World& world, repo::SnapshotReader& snapshot,
                               const RestoreOptions& options,
                               const std::vector<std::string>& deletions, std::stop_token stop) {
  auto filter = LB_TRY(PathFilter::make(options.only));
  LB_TRY(check_deletions(world, snapshot, options, deletions));
  return RestoreRun(world, snapshot, options, std::move(filter), deletions, stop).run();
}

Result<SpaceNeed> space_needed(repo::SnapshotReader& snapshot) {
  const auto& info = snapshot.info();
  auto details = parse_json(info.meta.details);
  auto count = [&](const char* name) {
    return details.ok() ? static_cast<std::uint64_t>((*details)[name].integer()) : info.rows;
  };
  // The last block of every file is partly empty, and a folder fills at least one.
  auto blocks = details.ok() ? count("files") + count("folders") : info.rows;
  return SpaceNeed{info.logical_bytes + blocks * block_bytes, info.rows};
}

}  // namespace lb::files
