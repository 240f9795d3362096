// FileSaver: saves the content and attributes of one file after another. A file that changes under
// the reader is read once more, then kept as read and reported; one that cannot be read is reported
// and leaves the rest alone. Small files are gathered and stored together. One thread each.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "stores/files/findings.h"
#include "stores/files/link_table.h"
#include "stores/files/meter.h"
#include "stores/files/owner_names.h"
#include "stores/files/store.h"

namespace lb::files {

// What all threads of one backup share.
struct SaveContext {
  Files& files;
  repo::SnapshotWriter& writer;
  const OwnerNames& names;
  Findings& findings;
  LinkTable& links;
  Meter& meter;
  std::stop_token stop;
  std::atomic<std::uint64_t> read_files = 0;
};

struct FileJob {
  std::string path, full;
  FileInfo info;
  LinkTable::FirstName first;  // null: the file has one name
};

Attributes attributes_of(const FileInfo& info, const OwnerNames& names);
// Attributes that cannot be read are noted, not fatal.
void read_xattrs(SaveContext& context, const std::string& path, const std::string& full,
                 Attributes& out);

class FileSaver {
 public:
  explicit FileSaver(SaveContext& context);
  Status save(const FileJob& job);  // an error ends the backup: the repository failed, or a stop
  Status flush();                   // stores what is gathered; after the last file

 private:
  // another: saved, but the name leads to another file by now than when it was walked past.
  enum class Outcome { saved, another, changed, unread };
  Result<Outcome> attempt(const FileJob& job, bool last);
  Result<Outcome> unread(const FileJob& job, Error error);
  // The content of a small file, behind what is gathered; bytes taken.
  Result<std::uint64_t> read_small(File& file, std::uint64_t size, std::optional<Error>& trouble);
  // Bytes taken; a failed read is put into `trouble`, a failed write is the error.
  Result<std::uint64_t> copy(File& file, const FileInfo& before, repo::ContentStream& stream,
                             std::optional<Error>& trouble);
  Result<bool> copy_range(File& file, DataRange range, repo::ContentStream& stream,
                          std::uint64_t& at, std::optional<Error>& trouble);

  SaveContext& context_;
  Buffer buffer_;
  Buffer small_;                          // contents of small files, one after another
  std::size_t small_used_ = 0;            // by `gathered_`
  std::vector<repo::WholeRow> gathered_;  // their rows
};

}  // namespace lb::files
