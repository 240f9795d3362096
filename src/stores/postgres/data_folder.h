// DataFolder: the data directory of a running cluster as a backup reads it: where it lies on this
// host, or through the server's own file functions, so that nothing need be installed there. Both
// are thread-safe; a DataFile belongs to one thread. Paths are those below the data directory.
// not_found: the file went meanwhile, as files of a living cluster do. Private to stores/postgres.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/sys/files.h"
#include "stores/postgres/source.h"

namespace lb::pg {

struct DataEntry {
  std::string name;
  FileAttributes::Kind kind = FileAttributes::Kind::file;
  std::uint64_t size = 0;
  std::uint32_t mode = 0600;
  std::int64_t mtime = 0;  // seconds
};

class DataFile {
 public:
  virtual ~DataFile() = default;
  // Gives the ranges in order, each whole or, at the end of the file, shorter; the bytes may be
  // changed and live until `take` returns.
  using Take = std::function<Status(const DataRange& asked, MutableBytes bytes)>;
  virtual Status read(std::span<const DataRange> ranges, const Take& take) = 0;
};

class DataFolder {
 public:
  virtual ~DataFolder() = default;
  // Sorted by the bytes of the names. "" is the data directory itself. Links lead where they lead:
  // their entries are listed by path as if they were folders.
  virtual Result<std::vector<DataEntry>> list(const std::string& path) = 0;
  virtual Result<std::unique_ptr<DataFile>> open(const std::string& path) = 0;
};

std::unique_ptr<DataFolder> local_data_folder(Files& files, std::string path);
// denied: the role may not read the server's files.
std::unique_ptr<DataFolder> remote_data_folder(const Secret& conninfo);

// The whole of a small file; exhausted when it has more bytes.
Result<Buffer> read_data_file(DataFolder& folder, const std::string& path, std::size_t bytes_max);

}  // namespace lb::pg
