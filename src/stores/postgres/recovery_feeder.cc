#include "stores/postgres/recovery_feeder.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

constexpr std::size_t window = 4;  // segments that wait in the spool
constexpr std::size_t segments_remembered =
    16;  // replay lags behind the scan by the window at most
constexpr Micros pause{5000};
constexpr std::string_view want_prefix = "want.", no_prefix = "no.";
constexpr const char* abort_mark = "abort";
constexpr const char* script_name = "fetch.sh";

// Exit 1 means "there is no such file"; above 125 the server gives up instead of ending recovery
// early.
std::string script_text(const std::string& spool) {
  return cat(
      "#!/bin/sh\n",
      "# Hands one file of the log to the recovering server. $1: its name, $2: where it goes.\n",
      "spool='", replace_all(spool, "'", "'\\''"), "'\n", "while :; do\n",
      "  if [ -f \"$spool/$1\" ]; then\n", "    rm -f \"$spool/want.$1\"\n",
      "    mv \"$spool/$1\" \"$2\" && exit 0\n", "    exit 200\n", "  fi\n",
      "  if [ -f \"$spool/no.$1\" ]; then rm -f \"$spool/want.$1\" \"$spool/no.$1\"; exit 1; fi\n",
      "  if [ -f \"$spool/abort\" ] || [ ! -d \"$spool\" ]; then exit 200; fi\n",
      "  [ -f \"$spool/want.$1\" ] || : > \"$spool/want.$1\" || exit 200\n", "  sleep 0.01\n",
      "done\n");
}

// "00000002.history" -> 2.
std::optional<std::uint32_t> timeline_of_history(const std::string& name) {
  if (name.size() != 16 || !name.ends_with(".history")) return std::nullopt;
  auto lsn = parse_lsn(cat("0/", name.substr(0, 8)));
  if (!lsn.ok()) return std::nullopt;
  return static_cast<std::uint32_t>(*lsn);
}

}  // namespace

RecoveryFeeder::RecoveryFeeder(World& world, repo::Repository& repository, Task task)
    : world_(world), repository_(repository), task_(std::move(task)) {}

RecoveryFeeder::~RecoveryFeeder() { stop(); }

Status RecoveryFeeder::start() {
  if (task_.target.needed.empty()) return Error(ErrorKind::internal, "a recovery without log");
  auto folder = LB_TRY(world_.files.info(task_.spool_folder));
  owner_ = {folder.uid, folder.gid};
  auto script = in_spool(script_name);
  (void)world_.files.remove(script).ok();  // of an earlier attempt
  auto text = script_text(task_.spool_folder);
  auto file = LB_TRY(world_.files.create(script, 0600));
  LB_TRY(file->append(view_of(text)));
  LB_TRY(file->close());
  auto info = LB_TRY(world_.files.info(script));
  change_owner_ = info.uid != owner_.uid;
  if (change_owner_) LB_TRY(world_.files.set_owner(script, owner_.uid, owner_.gid));
  auto first = task_.target.needed.front().name.segment * task_.segment_bytes;
  scanner_ = WalScanner::create(first, task_.segment_bytes,
                                {.commits = true, .aborts = true, .row_deltas = true});
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  return {};
}

std::string RecoveryFeeder::restore_command() const {
  return cat("/bin/sh '", replace_all(in_spool(script_name), "%", "%%"), "' %f \"%p\"");
}

std::optional<Error> RecoveryFeeder::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

std::uint64_t RecoveryFeeder::bytes_fed() const {
  std::lock_guard lock(mutex_);
  return bytes_fed_;
}

void RecoveryFeeder::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  auto entries = world_.files.list(task_.spool_folder);
  if (!entries.ok()) return;
  for (const auto& entry : *entries) (void)world_.files.remove(in_spool(entry.name)).ok();
}

void RecoveryFeeder::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    auto status = look(stop);
    if (!status.ok()) {
      {
        std::lock_guard lock(mutex_);
        failure_ = status.error();
      }
      // The server must not take our failure for the end of the log.
      (void)put_file(abort_mark, {}).ok();
      return;
    }
    world_.clock.sleep(pause, stop);
  }
}

Status RecoveryFeeder::look(std::stop_token stop) {
  auto entries = LB_TRY(world_.files.list(task_.spool_folder));
  std::size_t present = 0;
  for (const auto& entry : entries) {
    if (stop.stop_requested()) return {};
    if (entry.name.starts_with(want_prefix)) {
      LB_TRY(answer(entry.name.substr(want_prefix.size())));
    } else if (entry.name.size() == 24) {
      ++present;
    }
  }
  return prefetch(present);
}

Status RecoveryFeeder::prefetch(std::size_t present) {
  for (; present < window && next_ < task_.target.needed.size(); ++present)
    LB_TRY(hand_over(next_));
  return {};
}

Status RecoveryFeeder::answer(const std::string& wanted) {
  auto there = LB_TRY(path_exists(world_.files, in_spool(wanted)));
  if (there) return {};
  if (auto timeline = timeline_of_history(wanted)) {
    auto history = LB_TRY(repository_.get_history(task_.log_id, *timeline).context(wanted));
    if (history) return put_file(wanted, *history);
  }
  for (std::size_t i = 0; i < task_.target.needed.size(); ++i) {
    if (name_of(i) == wanted) return hand_over(i);
  }
  return put_file(cat(no_prefix, wanted), {});
}

Status RecoveryFeeder::hand_over(std::size_t index) {
  auto bytes = LB_TRY(load(index).context(cat("WAL ", name_of(index))));
  // Scanning goes in order, also when the server first asks for a later one (its checkpoint's).
  while (scanned_ < index) {
    auto earlier = LB_TRY(load(scanned_).context(cat("WAL ", name_of(scanned_))));
    LB_TRY(scan(scanned_, earlier));
  }
  if (index == scanned_) LB_TRY(scan(index, bytes));
  next_ = std::max(next_, index + 1);
  return put_file(name_of(index), bytes);
}

// The bytes as the server must see them: whole, and zero from the end of the usable log on.
Result<Buffer> RecoveryFeeder::load(std::size_t index) {
  const auto& info = task_.target.needed[index];
  auto bytes = LB_TRY(repository_.get_log(info.name));
  if (bytes.size() > task_.segment_bytes)
    return Error(ErrorKind::corrupt, "the segment is too long");
  auto from = info.name.segment * task_.segment_bytes;
  auto usable = task_.target.log_end > from ? task_.target.log_end - from : 0;
  if (bytes.size() > usable) bytes.resize(usable);
  bytes.resize(task_.segment_bytes);
  return bytes;
}

Status RecoveryFeeder::scan(std::size_t index, ByteView bytes) {
  LB_TRY(scanner_->feed(bytes).context(cat("WAL ", name_of(index))));
  ends_.push_back(scanner_->take_commits());
  ++scanned_;
  if (ends_.size() > segments_remembered) {
    for (const auto& end : ends_.front()) {
      older_end_ = end;
      if (!end.aborted) older_commit_ = end;
    }
    ends_.pop_front();
  }
  std::lock_guard lock(mutex_);
  bytes_fed_ += bytes.size();
  return {};
}

Status RecoveryFeeder::put_file(const std::string& name, ByteView bytes) {
  auto temporary = in_spool(cat("tmp.", name));
  (void)world_.files.remove(temporary).ok();
  auto file = LB_TRY(world_.files.create(temporary, 0600));
  if (!bytes.empty()) LB_TRY(file->append(bytes));
  LB_TRY(file->close());
  if (change_owner_) LB_TRY(world_.files.set_owner(temporary, owner_.uid, owner_.gid));
  return world_.files.rename(temporary, in_spool(name));
}

std::string RecoveryFeeder::name_of(std::size_t index) const {
  const auto& name = task_.target.needed[index].name;
  return segment_name(name.timeline, name.segment, task_.segment_bytes);
}

std::optional<Commit> RecoveryFeeder::newest_commit(Lsn lsn) const {
  for (auto segment = ends_.rbegin(); segment != ends_.rend(); ++segment) {
    for (auto end = segment->rbegin(); end != segment->rend(); ++end) {
      if (end->end_lsn <= lsn && !end->aborted) return *end;
    }
  }
  return older_commit_ ? older_commit_ : task_.target.last_commit;
}

std::optional<Commit> RecoveryFeeder::newest_end(Lsn lsn) const {
  auto found = older_end_;
  for (auto segment = ends_.rbegin(); segment != ends_.rend(); ++segment) {
    auto end = std::find_if(segment->rbegin(), segment->rend(),
                            [lsn](const Commit& one) { return one.end_lsn <= lsn; });
    if (end == segment->rend()) continue;
    found = *end;
    break;
  }
  return found && found->lsn >= task_.target.start ? found : std::nullopt;
}

Result<std::map<RelationId, std::int64_t>> RecoveryFeeder::row_deltas(const std::string& snapshot,
                                                                      Lsn until) {
  if (scanner_->summary().end_lsn < until) {
    return Error(ErrorKind::unsupported,
                 "rows cannot be counted from the log: not all of it was scanned");
  }
  return scanner_->row_deltas(snapshot, until);
}

}  // namespace lb::pg
