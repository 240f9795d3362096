#include "storage/blob/blob_store.h"

#include "foundation/base/text.h"

namespace lb {

Result<Buffer> BlobStore::get_tail(const std::string& key, std::uint64_t size) {
  auto there = LB_TRY(info(key));
  auto wanted = std::min(size, there.size);
  return get_range(key, there.size - wanted, wanted);
}

Status BlobStore::retain(const std::string& key, Timestamp) {
  return Error(ErrorKind::unsupported, cat(describe(), " cannot lock objects (", key, ")"));
}

}  // namespace lb
