// PageJudge: checks the relation pages of a base backup as they pass. A page that fails is read
// again from the server before it counts; what fails twice is named. Thread-safe. Private to
// stores/postgres.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "stores/postgres/data_folder.h"
#include "stores/postgres/page_check.h"

namespace lb::pg {

class PageJudge {
 public:
  // `blocks_per_segment`: of one file of a large relation, 131072 unless the server was built
  // otherwise.
  // `folder` is where pages are read again; it must outlive the judge.
  PageJudge(DataFolder& folder, Lsn backup_start, std::uint32_t blocks_per_segment);

  // `bytes` begin at `offset` of the file, a page border. A page whose second reading is good
  // replaces the first in place. A page cut short at the end of a growing file is left to replay.
  Status check(const std::string& path, const RelationFile& file, std::uint64_t offset,
               MutableBytes bytes);

  std::vector<std::string> bad_pages() const;  // "base/5/16384 block 12", sorted

 private:
  enum class Second { good, bad, gone, unreadable };
  Second read_again(const std::string& path, std::uint64_t offset, std::uint32_t block,
                    MutableBytes page);

  DataFolder& folder_;
  Lsn backup_start_;
  std::uint32_t blocks_per_segment_;
  mutable std::mutex mutex_;
  bool may_read_ = true;
  std::vector<std::string> bad_;
};

}  // namespace lb::pg
