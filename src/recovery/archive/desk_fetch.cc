#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/archive/desk.h"
#include "storage/repo/keyring.h"
#include "stores/postgres/snapshot_details.h"

namespace lb::archive {

namespace {

using Kind = pg::ArchivedName::Kind;

constexpr int attempts = 5;

Status write_into(Files& files, const std::string& path, const FileSeen& seen,
                  const FetchedSegment& found) {
  const auto file = LB_TRY(files.open_write(path));
  const auto facts = LB_TRY(file->info());
  if (FileSeen{facts.device, facts.inode} != seen)
    return Error(ErrorKind::denied, cat("the agent finds another ", printable(path)))
        .with_hint("it was started in another container or mount namespace: stop it there");
  if (found.file) return found.file->replace(path);
  LB_TRY(file->write_at(found.bytes, 0));
  return file->close();
}

// Of the newest point of this system, else as the log itself says.
Result<std::uint64_t> segment_bytes_of(repo::Repository& repository, const std::string& log_id) {
  std::uint64_t found = 0;
  const auto snapshots = LB_TRY(repository.snapshots());
  for (const auto& snapshot : snapshots) {
    if (snapshot.meta.kind != "postgres") continue;
    const auto details = pg::decode_details(snapshot.meta.details);
    if (details.ok() && details->log_id == log_id) found = details->segment_bytes;
  }
  if (found != 0) return found;
  const auto infos = LB_TRY(repository.logs(log_id));
  if (infos.empty()) return std::uint64_t{16 << 20};  // nothing will be found anyway
  const auto bytes = LB_TRY(repository.get_log(infos.front().name));
  return pg::stated_segment_bytes(bytes);
}

}  // namespace

Result<FetchLine*> Desk::fetch_line_of(const Order& order) {
  std::unique_lock lock(mutex_);
  auto system = system_of(world_.files, order.data_folder);
  const auto identifier =
      LB_TRY(system.ok() ? std::move(system) : known_system(repository_, options_.store));
  auto& line = fetches_[identifier];
  if (line) return line.get();
  FetchLineOptions options;
  options.log_id = log_id_of(options_.store, identifier);
  options.system_identifier = identifier;
  options.segment_bytes = LB_TRY(segment_bytes_of(repository_, options.log_id));
  line = std::make_unique<FetchLine>(repository_, std::move(options));
  return line.get();
}

// A service that does not answer for a moment must not end a recovery.
Result<std::optional<FetchedSegment>> Desk::find(FetchLine& line, const pg::ArchivedName& name,
                                                 const std::string& folder) {
  const auto once = [&]() -> Result<std::optional<FetchedSegment>> {
    if (name.kind == Kind::segment)
      return line.get(name.timeline, name.segment(line.segment_bytes()), folder);
    auto history = LB_TRY(repository_.get_history(line.log_id(), name.timeline));
    if (!history) return std::optional<FetchedSegment>();
    return std::optional<FetchedSegment>(FetchedSegment{std::move(*history), nullptr});
  };
  for (int attempt = 1;; ++attempt) {
    auto found = once();
    if (found.ok() || retry_class(found.error().kind()) == RetryClass::never) return found;
    if (attempt == attempts || !world_.clock.sleep(Seconds(attempt), {})) return found;
  }
}

Result<Answer> Desk::fetch(const Order& order) {
  Answer missing;
  missing.outcome = Answer::Outcome::missing;
  const auto name = pg::parse_archived_name(order.name);
  const bool kept = name && (name->kind == Kind::segment || name->kind == Kind::history);
  if (!kept) return missing;
  if (!repository_.may_read()) return repo::may_not_read();
  auto* line = LB_TRY(fetch_line_of(order));
  const auto found =
      LB_TRY(find(*line, *name, path_parent(order.path)).context(cat("fetch ", order.name)));
  if (!found) return missing;
  LB_TRY(write_into(world_.files, order.path, order.file, *found));
  return Answer{};
}

}  // namespace lb::archive
