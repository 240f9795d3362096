#include "storage/repo/put_once.h"

#include <algorithm>

namespace lb::repo {

Status put_once(BlobStore& blobs, const std::string& key, ByteView bytes) {
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    auto put = blobs.put(key, bytes);
    if (put.ok()) return {};
    auto kind = put.error().kind();
    if (kind != ErrorKind::timeout && kind != ErrorKind::conflict) return put;
    auto there = blobs.get(key);
    if (there.ok()) {
      if (std::equal(there->begin(), there->end(), bytes.begin(), bytes.end())) return {};
      if (kind == ErrorKind::conflict) return put;
      return Error(ErrorKind::conflict, "another object has the name " + key);
    }
    bool absent = there.error().kind() == ErrorKind::not_found;
    if (!absent || kind == ErrorKind::conflict || attempt == attempts) return put;
  }
}

}  // namespace lb::repo
