#include "stores/files/unchanged.h"

#include <algorithm>

namespace lb::files {

namespace {
// The coarsest clock of a file system in use (FAT: two seconds).
constexpr std::int64_t granularity_ns = 2'000'000'000;
}  // namespace

bool is_unchanged(const FileInfo& now, const Attributes& then, std::uint64_t size,
                  Timestamp started) {
  bool same = then.complete && then.hard_link_to.empty() && now.kind == then.kind &&
              now.mtime_ns == then.mtime_ns && now.ctime_ns == then.ctime_ns &&
              now.inode == then.inode && (now.kind != FileKind::regular || now.size == size);
  if (!same) return false;
  auto trusted_before = to_micros(started) * 1000 - granularity_ns;
  return std::max(then.mtime_ns, then.ctime_ns) < trusted_before;
}

}  // namespace lb::files
