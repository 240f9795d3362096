#include "storage/blob/memory_blob_store.h"

#include "foundation/base/text.h"
#include "storage/blob/blob_key.h"

namespace lb {

namespace {
Error missing(const std::string& key) {
  return Error(ErrorKind::not_found, cat("object ", printable(key), " is not there"));
}
}  // namespace

Status MemoryBlobStore::put(const std::string& key, ByteView bytes) {
  LB_TRY(check_blob_key(key));
  auto state = state_.lock();
  auto [place, fresh] = state->objects.try_emplace(key);
  if (!fresh) return Error(ErrorKind::conflict, cat("object ", key, " exists already"));
  place->second.assign(bytes.begin(), bytes.end());
  state->unflushed.insert(key);
  return {};
}

Status MemoryBlobStore::flush() {
  state_.lock()->unflushed.clear();
  return {};
}

Result<Buffer> MemoryBlobStore::get(const std::string& key) {
  auto state = state_.lock();
  auto found = state->objects.find(key);
  if (found == state->objects.end()) return missing(key);
  return found->second;
}

Result<Buffer> MemoryBlobStore::get_range(const std::string& key, std::uint64_t offset,
                                          std::uint64_t size) {
  auto state = state_.lock();
  auto found = state->objects.find(key);
  if (found == state->objects.end()) return missing(key);
  const auto& bytes = found->second;
  if (offset > bytes.size() || size > bytes.size() - offset) {
    return Error(ErrorKind::corrupt, cat("object ", key, " is shorter than it must be"));
  }
  auto from = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  return Buffer(from, from + static_cast<std::ptrdiff_t>(size));
}

Result<BlobInfo> MemoryBlobStore::info(const std::string& key) {
  auto state = state_.lock();
  auto found = state->objects.find(key);
  if (found == state->objects.end()) return missing(key);
  return BlobInfo{key, found->second.size()};
}

Result<std::vector<BlobInfo>> MemoryBlobStore::list(const std::string& prefix,
                                                    const std::string& after) {
  auto state = state_.lock();
  std::vector<BlobInfo> out;
  for (auto at = state->objects.lower_bound(prefix); at != state->objects.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    if (at->first > after) out.push_back({at->first, at->second.size()});
  }
  return out;
}

Status MemoryBlobStore::remove(const std::string& key) {
  auto state = state_.lock();
  state->objects.erase(key);
  state->unflushed.erase(key);
  return {};
}

void MemoryBlobStore::crash() {
  auto state = state_.lock();
  for (const auto& key : state->unflushed) state->objects.erase(key);
  state->unflushed.clear();
}

void MemoryBlobStore::tamper(const std::string& key, Buffer bytes) {
  auto state = state_.lock();
  LB_ASSERT(state->objects.contains(key));
  state->objects[key] = std::move(bytes);
}

}  // namespace lb
