#include "storage/blob/blob_store.h"

#include "foundation/base/text.h"

namespace lb {

Status BlobStore::retain(const std::string& key, Timestamp) {
  return Error(ErrorKind::unsupported, cat(describe(), " cannot lock objects (", key, ")"));
}

}  // namespace lb
