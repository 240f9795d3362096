#include "recovery/archive/push_line.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::archive {

namespace {

// Above this a segment is stored alone, and none before it is asked for: memory stays bounded.
constexpr std::uint64_t large_segment_bytes = 64 << 20;
constexpr std::uint64_t segment_bytes_max = 1 << 30;
constexpr std::string_view ready = ".ready";

bool same_file(const FileInfo& a, const FileInfo& b) {
  return a.device == b.device && a.inode == b.inode && a.size == b.size && a.mtime_ns == b.mtime_ns;
}

}  // namespace

PushLine::PushLine(Files& files, repo::Repository& repository, PushLineOptions options)
    : files_(files), repository_(repository), options_(std::move(options)) {
  for (unsigned n = 0; n < options_.workers; ++n)
    workers_.run([this](const std::stop_token& stop) { return work(stop); });
}

PushLine::~PushLine() {
  workers_.stop();
  (void)workers_.wait();  // outcomes are those of the jobs
}

PushLine::JobPtr PushLine::enqueue(const pg::ArchivedName& name, const std::string& file_name,
                                   const std::string& path, const FileInfo& seen, bool asked) {
  auto job = std::make_shared<Job>();
  job->name = name;
  job->file_name = file_name;
  job->path = path;
  job->seen = seen;
  job->asked = asked;
  job->ticket = ++tickets_;
  jobs_[file_name] = job;
  changed_.notify_all();
  return job;
}

// The job that takes this very file already; none when it failed, so that it is tried anew.
PushLine::JobPtr PushLine::claim(const std::string& file_name, const FileInfo& seen) {
  const auto found = jobs_.find(file_name);
  if (found == jobs_.end()) return nullptr;
  const auto job = found->second;
  const bool failed = job->state == Job::State::ended && !job->outcome.ok();
  if (failed || !same_file(job->seen, seen)) return nullptr;
  job->asked = true;
  return job;
}

Result<std::string> PushLine::push(const pg::ArchivedName& name, const std::string& file_name,
                                   const std::string& path) {
  const auto seen = LB_TRY(files_.info(path).context("look at the segment"));
  if (seen.kind != FileKind::regular || seen.size > segment_bytes_max)
    return Error(ErrorKind::invalid, cat(printable(path), " is no log segment"));
  JobPtr job;
  {
    std::unique_lock lock(mutex_);
    job = claim(file_name, seen);
    if (!job) job = enqueue(name, file_name, path, seen, true);
  }
  if (seen.size <= large_segment_bytes) look_ahead(file_name);
  return wait_for(job);
}

Result<std::string> PushLine::wait_for(const JobPtr& job) {
  std::unique_lock lock(mutex_);
  const bool ended =
      changed_.wait(lock, workers_.token(), [&] { return job->state == Job::State::ended; });
  if (!ended) return Error(ErrorKind::cancelled, "the agent was stopped");
  // What was taken ahead and never asked for is durable, and of no more use here.
  std::erase_if(jobs_, [&](const auto& entry) {
    return entry.second == job ||
           (entry.first < job->file_name && entry.second->state == Job::State::ended);
  });
  if (!job->outcome.ok()) return job->outcome.error();
  return job->trouble;
}

// The server hands its files over by name, oldest first, and only those with a ".ready" beside.
void PushLine::look_ahead(const std::string& after) {
  {
    std::unique_lock lock(mutex_);
    const auto taken = std::count_if(jobs_.begin(), jobs_.end(),
                                     [](const auto& entry) { return !entry.second->asked; });
    if (static_cast<std::size_t>(taken) > options_.ahead_max / 2) return;
  }
  const auto entries = files_.list(path_join(options_.wal_folder, "archive_status"));
  if (!entries.ok()) return;  // by hand, from elsewhere: nothing follows
  std::size_t room = options_.ahead_max;
  for (const auto& entry : *entries) {
    if (!entry.name.ends_with(ready) || room == 0) continue;
    const auto name = entry.name.substr(0, entry.name.size() - ready.size());
    const auto parsed = pg::parse_archived_name(name);
    const bool segment = parsed && parsed->kind == pg::ArchivedName::Kind::segment;
    if (!segment || name <= after) continue;
    --room;
    const auto path = path_join(options_.wal_folder, name);
    const auto seen = files_.info(path);
    if (!seen.ok() || seen->kind != FileKind::regular || seen->size > large_segment_bytes) continue;
    std::unique_lock lock(mutex_);
    if (!jobs_.contains(name)) enqueue(*parsed, name, path, *seen, false);
  }
}

std::vector<std::string> PushLine::uploading() {
  std::unique_lock lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [name, job] : jobs_) {
    if (job->state != Job::State::ended) out.push_back(name);
  }
  return out;
}

PushLine::JobPtr PushLine::next_job(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  JobPtr found;
  const auto look = [&] {
    found = nullptr;
    for (const auto& [name, job] : jobs_) {
      if (job->state != Job::State::waiting) continue;
      if (!found || job->ticket < found->ticket) found = job;
    }
    return found != nullptr;
  };
  if (!changed_.wait(lock, stop, look)) return nullptr;
  found->state = Job::State::running;
  to_scan_.insert(found->ticket);
  return found;
}

Status PushLine::work(const std::stop_token& stop) {
  Buffer bytes;  // kept from segment to segment
  while (const auto job = next_job(stop)) {
    auto outcome = store(*job, bytes, stop).context(cat("archive ", job->file_name));
    scanned(job->ticket);
    std::unique_lock lock(mutex_);
    job->outcome = std::move(outcome);
    job->state = Job::State::ended;
    changed_.notify_all();
  }
  return {};
}

Status PushLine::store(Job& job, Buffer& bytes, const std::stop_token& stop) {
  LB_TRY(read_segment(job, bytes));
  const auto header = LB_TRY(pg::check_segment(job.name, bytes, options_.system_identifier));
  const auto read = LB_TRY(scan(job, header.timeline, bytes, stop));
  job.trouble = read.trouble;
  if (!read.trouble.empty() && options_.on_trouble) options_.on_trouble(read.trouble);
  const repo::LogName name{options_.log_id, job.name.timeline, job.name.segment(bytes.size())};
  return pg::put_segment(repository_, name, bytes, read);
}

Status PushLine::read_segment(const Job& job, Buffer& bytes) {
  const auto file = LB_TRY(files_.open_read(job.path));
  const auto facts = LB_TRY(file->info());
  if (!same_file(facts, job.seen))
    return Error(ErrorKind::conflict, "the segment was exchanged while it was taken");
  bytes.resize(facts.size);
  const auto got = LB_TRY(file->read_at(bytes, 0));
  if (got == bytes.size()) return {};
  return Error(ErrorKind::corrupt, "the segment became shorter while it was read");
}

// Lower tickets were taken by other workers before, so that waiting for them ends.
Result<pg::ScannedSegment> PushLine::scan(const Job& job, std::uint32_t first_timeline,
                                          ByteView bytes, const std::stop_token& stop) {
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return *to_scan_.begin() == job.ticket; }))
      return Error(ErrorKind::cancelled, "the agent was stopped");
  }
  const auto segment = job.name.segment(bytes.size());
  auto read = scan_.next(job.name.timeline, segment, bytes, [&]() -> std::optional<Buffer> {
    return segment_before(first_timeline, segment, bytes.size());
  });
  scanned(job.ticket);
  return read;
}

void PushLine::scanned(std::uint64_t ticket) {
  std::unique_lock lock(mutex_);
  to_scan_.erase(ticket);
  changed_.notify_all();
}

// From the server, which mostly has it still, or from the repository. Not having it only means
// that a record at the beginning of the next one is not seen.
std::optional<Buffer> PushLine::segment_before(std::uint32_t timeline, std::uint64_t segment,
                                               std::uint64_t segment_bytes) {
  const auto name = pg::segment_name(timeline, segment - 1, segment_bytes);
  auto local = read_file(files_, path_join(options_.wal_folder, name), segment_bytes);
  const auto parsed = pg::parse_archived_name(name);
  if (local.ok() && parsed && pg::check_segment(*parsed, *local, options_.system_identifier).ok()) {
    return std::move(local).take();
  }
  if (!repository_.may_read()) return std::nullopt;
  auto stored = repository_.get_log({options_.log_id, timeline, segment - 1});
  return stored.ok() ? std::optional<Buffer>(std::move(stored).take()) : std::nullopt;
}

}  // namespace lb::archive
