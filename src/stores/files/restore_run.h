// RestoreRun: one restore into one folder. The calling thread goes through the rows and makes
// folders, links and special files; content is fetched in batches by several threads. A folder gets
// its mode and time when all that is in it is in place. Nothing is synced one by one: after a crash
// the restore is run again, and at its end one sync of each file system makes all of it durable.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "stores/files/content_sink.h"
#include "stores/files/interrupted.h"
#include "stores/files/row_stream.h"

namespace lb::files {

class RestoreRun {
 public:
  RestoreRun(World& world, repo::SnapshotReader& snapshot, const RestoreOptions& options,
             PathFilter filter, const std::vector<std::string>& deletions, std::stop_token stop);
  Result<RestoreOutcome> run();

 private:
  struct Folder {
    std::string path, full;
    Attributes attributes;
    bool untouched = false;   // it was there and only leads to what is restored
    bool hands_down = false;  // it gives its ACLs to what is made in it
    bool fresh = false;       // made by this run: nothing but what it puts there lies in it
  };
  struct Link {
    std::string path, first;
  };

  Status prepare_root();
  Status go_through(RowStream& rows);
  Status place(StreamedRow row);
  void leave_folders(const std::string& path);
  Status place_folder(StreamedRow row);
  Result<bool> make_way_for_folder(const std::string& full, const std::string& path);
  Status place_file(StreamedRow row);
  Result<bool> is_there(const StreamedRow& row, const std::string& full, const FileInfo& now);
  Result<bool> same_content(const repo::Row& row, const std::string& full);
  Result<bool> same_xattrs(const Attributes& attributes, const std::string& full);
  bool corrects(const std::string& path) const;
  Status place_link(StreamedRow row);
  Status place_other(const StreamedRow& row);
  Status make_other(const StreamedRow& row, const std::string& temporary);
  // False, and noted, when a folder with other things in it is in the way.
  Result<bool> clear_way(const std::string& full, const std::string& path,
                         std::optional<FileInfo>& now);
  Status queue_content(StreamedRow row, const std::string& full);
  Status flush();
  Status make_links();
  Status make_link(const Link& link);
  Status copy_of_link(const Link& link);
  Status finish_folders();
  Status delete_foreign();
  Status delete_one(const std::string& path);
  Status remove_entry(const std::string& full, FileKind kind);
  Status delete_below(const std::string& path);
  Status restore_times_above_deleted();
  Status check_folders_above(const std::string& path);
  Status sync();
  std::vector<std::string> warnings() const;
  std::string full_of(const std::string& path) const;
  bool in_fresh_folder(const std::string& path) const {
    return !folders_.empty() && folders_.back().fresh && is_within(path, folders_.back().path);
  }
  bool hands_down() const { return !folders_.empty() && folders_.back().hands_down; }

  World& world_;
  Files& files_;
  repo::SnapshotReader& snapshot_;
  const RestoreOptions& options_;
  const PathFilter filter_;
  const std::vector<std::string>& deletions_;
  const std::stop_token stop_;
  AttributeWriter attributes_;
  Meter meter_;
  std::optional<RestoreMark> mark_;

  std::vector<Folder> folders_;   // from the root down to where the rows are
  std::vector<Folder> finished_;  // to get their attributes after the next flush, innermost first
  std::vector<repo::Row> batch_;
  std::deque<Placement> placements_;  // of batch_
  std::uint64_t batch_bytes_ = 0;
  std::vector<Link> links_;
  std::map<std::string, std::string> stand_ins_;  // first names not restored -> the name that is
  std::map<std::uint64_t, std::unique_ptr<FileSystem>> devices_;  // those written to
  std::set<std::string> deleted_;
  std::optional<std::int64_t> root_mtime_ns_;
  std::vector<std::string> blocked_;   // not restored: something that stays is in the way
  std::vector<std::string> replaced_;  // what was no folder gave way to one
  std::vector<std::string> not_empty_;
  std::uint64_t incomplete_ = 0, specials_denied_ = 0, copied_links_ = 0;
};

}  // namespace lb::files
