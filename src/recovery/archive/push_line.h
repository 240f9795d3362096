// PushLine: the segments of one server on their way into its log. Several are read, sealed and
// stored at once, and while one is waited for those that the server will hand over next (its
// archive_status folder says which) are taken already. Nobody is told "done" before the segment is
// durable. Segments are scanned strictly in order, so that records across two are seen.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "foundation/flow/task_group.h"
#include "foundation/sys/files.h"
#include "stores/postgres/archived_file.h"
#include "stores/postgres/segment_scan.h"

namespace lb::archive {

struct PushLineOptions {
  std::string log_id;
  std::uint64_t system_identifier = 0;
  std::string wal_folder;     // the server's pg_wal
  std::size_t ahead_max = 6;  // segments taken before they are asked for
  unsigned workers = 2;       // segments at once
  std::function<void(const std::string&)> on_trouble;
};

class PushLine {
 public:
  PushLine(Files& files, repo::Repository& repository, PushLineOptions options);
  ~PushLine();

  // Returns when the file is durable in the log; what is to be said of it, empty if all is well.
  // `path`: the file as it is to be opened.
  Result<std::string> push(const pg::ArchivedName& name, const std::string& file_name,
                           const std::string& path);
  // Names of segments that are being stored, or are durable and not yet asked for.
  std::vector<std::string> uploading();

 private:
  struct Job {
    pg::ArchivedName name;
    std::string file_name, path;
    FileInfo seen;
    enum class State { waiting, running, ended } state = State::waiting;
    bool asked = false;  // somebody waits for it
    std::uint64_t ticket = 0;
    Status outcome;
    std::string trouble;  // of one that is stored all the same
  };
  using JobPtr = std::shared_ptr<Job>;  // shared: by the worker, who waits, and the list

  JobPtr enqueue(const pg::ArchivedName& name, const std::string& file_name,
                 const std::string& path, const FileInfo& seen, bool asked);
  JobPtr claim(const std::string& file_name, const FileInfo& seen);
  Result<std::string> wait_for(const JobPtr& job);
  void look_ahead(const std::string& after);
  Status work(const std::stop_token& stop);
  JobPtr next_job(const std::stop_token& stop);
  Status store(Job& job, Buffer& bytes, const std::stop_token& stop);
  Status read_segment(const Job& job, Buffer& bytes);
  Result<pg::ScannedSegment> scan(const Job& job, std::uint32_t first_timeline, ByteView bytes,
                                  const std::stop_token& stop);
  std::optional<Buffer> segment_before(std::uint32_t timeline, std::uint64_t segment,
                                       std::uint64_t segment_bytes);
  void scanned(std::uint64_t ticket);

  Files& files_;
  repo::Repository& repository_;
  const PushLineOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, JobPtr> jobs_;  // by file name
  std::uint64_t tickets_ = 0;
  std::set<std::uint64_t> to_scan_;  // tickets that were taken and not scanned yet
  pg::SegmentScan scan_;             // its turn is the lowest of to_scan_
  TaskGroup workers_;                // last: joins first
};

}  // namespace lb::archive
