// The File of SimFiles. Private to foundation/sys.
#pragma once

#include <memory>
#include <string>

#include "foundation/sys/sim_tree.h"

namespace lb {

class SimFile final : public File {
 public:
  SimFile(std::shared_ptr<SimTree> tree, std::shared_ptr<SimNode> node, std::string path,
          bool writable);
  Result<std::size_t> read_at(MutableBytes out, std::uint64_t offset) override;
  Status write_at(ByteView bytes, std::uint64_t offset) override;
  Status append(ByteView bytes) override;
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
  Status enter(bool for_writing = false);
  Status write_locked(ByteView bytes, std::uint64_t offset);

  std::shared_ptr<SimTree> tree_;  // shared with SimFiles and other open files
  std::shared_ptr<SimNode> node_;  // shared with the folders that name it
  std::string path_;
  bool writable_;
  bool sync_failed_ = false;
  std::uint64_t epoch_;
};

}  // namespace lb
