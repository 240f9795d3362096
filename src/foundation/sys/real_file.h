// The File of real_files(): one descriptor, positioned I/O. Private to foundation/sys.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <memory>
#include <string>

#include "foundation/sys/descriptor.h"
#include "foundation/sys/files.h"

namespace lb {

FileKind kind_of_mode(mode_t mode);
FileInfo info_of(const struct stat& raw);
timespec time_of_nanos(std::int64_t nanos);
Error path_error(int errno_value, std::string_view what, const std::string& path);

// What a file's reads leave in the page cache.
enum class ReadCache {
  kept,    // as the kernel likes
  passing  // no more than was there before, where the kernel can do that
};

class RealFile final : public File {
 public:
  RealFile(Descriptor descriptor, std::string path, ReadCache cache = ReadCache::kept);
  Result<std::size_t> read_at(MutableBytes out, std::uint64_t offset) override;
  std::unique_ptr<MappedBytes> map() override;
  Status write_at(ByteView bytes, std::uint64_t offset) override;
  Status append(ByteView bytes) override;
  Status append_direct(ByteView bytes) override;
  void write_behind(DataRange range) override;
  Status end_behind() override;
  Status sync() override;
  Status truncate(std::uint64_t size) override;
  Result<FileInfo> info() override;
  Result<std::vector<DataRange>> data_ranges() override;
  Status set_mode(std::uint32_t mode) override;
  Status set_owner(std::uint32_t uid, std::uint32_t gid) override;
  Status set_mtime(std::int64_t mtime_ns) override;
  Status close() override;

 private:
  Error failed(std::string_view what) const;
  ssize_t read_piece(MutableBytes out, std::uint64_t offset);

  Descriptor descriptor_;
  std::string path_;
  std::atomic<bool> sync_failed_ = false;
  std::atomic<ReadCache> cache_;
};

}  // namespace lb
