#include "storage/blob/fault_blob_store.h"

#include "foundation/base/text.h"

namespace lb {

namespace {

Error error_of(BlobFault fault, const std::string& what) {
  switch (fault) {
    case BlobFault::full:
      return Error(ErrorKind::exhausted, cat(what, ": no space left"));
    case BlobFault::timed_out_applied:
    case BlobFault::timed_out:
      return Error(ErrorKind::timeout, cat(what, ": no answer in time"));
    default:
      return Error(ErrorKind::unavailable, cat(what, ": the store does not answer"));
  }
}

bool spoils_bytes(BlobFault fault) {
  return fault == BlobFault::flip || fault == BlobFault::truncate;
}

Result<Buffer> spoil(Result<Buffer> got, BlobFault fault) {
  if (!got.ok() || got->empty()) return got;
  if (fault == BlobFault::truncate) got->resize(got->size() / 2);
  if (fault == BlobFault::flip) (*got)[got->size() / 2] ^= 1;
  return got;
}

}  // namespace

std::optional<BlobFault> FaultBlobStore::next(BlobCall call, const std::string& key) {
  if (plan_.only && *plan_.only != call) return std::nullopt;
  if (!key.starts_with(plan_.prefix)) return std::nullopt;
  if (plan_.before) plan_.before(key);
  auto number = calls_.fetch_add(1);
  if (number != plan_.nth && !(plan_.lasting && number > plan_.nth)) return std::nullopt;
  fired_ = true;
  return plan_.fault;
}

Status FaultBlobStore::put(const std::string& key, ByteView bytes) {
  auto fault = next(BlobCall::put, key);
  if (!fault) return inner_.put(key, bytes);
  if (*fault == BlobFault::timed_out_applied) LB_TRY(inner_.put(key, bytes));
  return error_of(*fault, cat("put ", key));
}

Status FaultBlobStore::flush() {
  auto fault = next(BlobCall::flush, {});
  if (!fault) return inner_.flush();
  if (*fault == BlobFault::timed_out_applied) LB_TRY(inner_.flush());
  return error_of(*fault, "flush");
}

Result<Buffer> FaultBlobStore::get(const std::string& key) {
  auto fault = next(BlobCall::get, key);
  if (!fault) return inner_.get(key);
  if (!spoils_bytes(*fault)) return error_of(*fault, cat("get ", key));
  return spoil(inner_.get(key), *fault);
}

Result<Buffer> FaultBlobStore::get_range(const std::string& key, std::uint64_t offset,
                                         std::uint64_t size) {
  auto fault = next(BlobCall::get_range, key);
  if (!fault) return inner_.get_range(key, offset, size);
  if (*fault == BlobFault::flip) return spoil(inner_.get_range(key, offset, size), *fault);
  // The contract promises exactly `size` bytes: a store that is cut short says so.
  if (*fault == BlobFault::truncate) {
    return Error(ErrorKind::corrupt, cat("object ", key, " is shorter than it must be"));
  }
  return error_of(*fault, cat("get ", key));
}

Result<BlobInfo> FaultBlobStore::info(const std::string& key) {
  if (auto fault = next(BlobCall::info, key)) return error_of(*fault, cat("look at ", key));
  return inner_.info(key);
}

Result<std::vector<BlobInfo>> FaultBlobStore::list(const std::string& prefix,
                                                   const std::string& after) {
  if (auto fault = next(BlobCall::list, prefix)) return error_of(*fault, cat("list ", prefix));
  return inner_.list(prefix, after);
}

Status FaultBlobStore::remove(const std::string& key) {
  auto fault = next(BlobCall::remove, key);
  if (!fault) return inner_.remove(key);
  if (*fault == BlobFault::timed_out_applied) LB_TRY(inner_.remove(key));
  return error_of(*fault, cat("remove ", key));
}

Status CountingBlobStore::put(const std::string& key, ByteView bytes) {
  counts_.with([&](auto& counts) {
    ++counts.puts;
    counts.put_bytes += bytes.size();
  });
  return inner_.put(key, bytes);
}

Status CountingBlobStore::flush() {
  ++counts_.lock()->flushes;
  return inner_.flush();
}

Result<Buffer> CountingBlobStore::get(const std::string& key) {
  auto got = inner_.get(key);
  counts_.with([&](auto& counts) {
    ++counts.gets;
    counts.got_bytes += got.ok() ? got->size() : 0;
  });
  return got;
}

Result<Buffer> CountingBlobStore::get_range(const std::string& key, std::uint64_t offset,
                                            std::uint64_t size) {
  counts_.with([&](auto& counts) {
    ++counts.gets;
    counts.got_bytes += size;
  });
  return inner_.get_range(key, offset, size);
}

Result<std::vector<BlobInfo>> CountingBlobStore::list(const std::string& prefix,
                                                      const std::string& after) {
  ++counts_.lock()->lists;
  return inner_.list(prefix, after);
}

Status CountingBlobStore::remove(const std::string& key) {
  ++counts_.lock()->removes;
  return inner_.remove(key);
}

}  // namespace lb
