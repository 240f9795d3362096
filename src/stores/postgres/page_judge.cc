#include "stores/postgres/page_judge.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::pg {

PageJudge::PageJudge(DataFolder& folder, Lsn backup_start, std::uint32_t blocks_per_segment)
    : folder_(folder), backup_start_(backup_start), blocks_per_segment_(blocks_per_segment) {}

Status PageJudge::check(const std::string& path, const RelationFile& file, std::uint64_t offset,
                        MutableBytes bytes) {
  const auto first = static_cast<std::uint32_t>(offset / page_bytes);
  const std::uint32_t base = file.segment * blocks_per_segment_ + first;
  for (std::uint32_t n = 0; (n + 1) * page_bytes <= bytes.size(); ++n) {
    const MutableBytes page = bytes.subspan(n * page_bytes, page_bytes);
    if (judge_page(page, base + n, backup_start_) != PageVerdict::bad) continue;
    const std::uint64_t at = offset + std::uint64_t{n} * page_bytes;
    const std::lock_guard lock(mutex_);
    const Second second = read_again(path, at, base + n, page);
    if (second == Second::good || second == Second::gone) continue;
    const std::string note =
        second == Second::unreadable ? " (could not be read a second time)" : "";
    bad_.push_back(cat(path, " block ", base + n, note));
  }
  return {};
}

PageJudge::Second PageJudge::read_again(const std::string& path, std::uint64_t offset,
                                        std::uint32_t block, MutableBytes page) {
  if (!may_read_) return Second::unreadable;
  const DataRange range{offset, page_bytes};
  Buffer bytes;
  auto got = [&]() -> Status {
    const std::unique_ptr<DataFile> file = LB_TRY(folder_.open(path));
    return file->read({&range, 1}, [&](const DataRange&, MutableBytes read) -> Status {
      bytes.assign(read.begin(), read.end());
      return {};
    });
  }();
  // No such file: the relation was dropped meanwhile, and replay drops it too.
  if (!got.ok() && got.error().kind() == ErrorKind::not_found) return Second::gone;
  if (!got.ok()) {
    may_read_ = got.error().kind() != ErrorKind::denied;
    return Second::unreadable;
  }
  if (bytes.size() < page_bytes) return Second::gone;
  const PageVerdict verdict = judge_page(bytes, block, backup_start_);
  if (verdict == PageVerdict::bad) return Second::bad;
  if (verdict == PageVerdict::good && page_lsn(bytes) < backup_start_) {
    std::copy(bytes.begin(), bytes.end(), page.begin());
  }
  return Second::good;
}

std::vector<std::string> PageJudge::bad_pages() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> sorted = bad_;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace lb::pg
