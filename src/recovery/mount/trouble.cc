#include "recovery/mount/trouble.h"

#include "foundation/base/text.h"

namespace lb::mount {

namespace {

constexpr std::size_t named_max = 1000;

}  // namespace

void TroubleLog::report(const std::string& path, const Error& error) {
  std::lock_guard lock(mutex_);
  if (named_.size() > named_max || !named_.insert(path).second) return;
  if (named_.size() > named_max) {
    log_.warn(cat("more than ", named_max, " files cannot be read; no more of them are named"));
    return;
  }
  auto hint = error.hint().empty() ? std::string() : cat(" (", error.hint(), ")");
  log_.warn(cat(path, " cannot be read: ", error.text(), hint));
}

}  // namespace lb::mount
