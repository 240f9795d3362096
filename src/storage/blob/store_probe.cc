#include "storage/blob/store_probe.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb {

namespace {

Error unfit(BlobStore& blobs, const std::string& why) {
  return Error(ErrorKind::unsupported, cat(blobs.describe(), ": ", why))
      .with_hint(
          "a repository here could lose data: use another service or a directory; some "
          "services fail only in buckets that keep versions");
}

Status must_not_overwrite(BlobStore& blobs, const std::string& key, ByteView first) {
  // Of another size: a service that compares nothing shows itself whatever it compares.
  auto again = blobs.put(key, view_of("overwritten"));
  if (again.ok()) {
    return unfit(blobs,
                 "the service overwrites an object although it was told to create it only "
                 "if it is absent: two hosts would destroy each other's backups");
  }
  if (again.error().kind() != ErrorKind::conflict) return again;
  auto kept = LB_TRY(blobs.get(key));
  if (text_of(kept) == text_of(first)) return {};
  return unfit(blobs, "the service says an object exists already and overwrites it all the same");
}

Status must_read_parts(BlobStore& blobs, const std::string& key, ByteView whole) {
  auto part = blobs.get_range(key, 3, 5);
  bool good = part.ok() && text_of(*part) == text_of(whole.subspan(3, 5));
  if (good) return {};
  // A refusal or silence is no judgement; a wrong part, or more than was asked for, is.
  auto no_judgement = {ErrorKind::unavailable, ErrorKind::timeout, ErrorKind::cancelled,
                       ErrorKind::denied};
  if (!part.ok() && std::find(no_judgement.begin(), no_judgement.end(), part.error().kind()) !=
                        no_judgement.end()) {
    return part.status();
  }
  return unfit(blobs, "the service does not give the part of an object that it is asked for");
}

Status must_list(BlobStore& blobs, const std::string& key, std::uint64_t size) {
  auto listed = LB_TRY(blobs.list(key));
  bool good = listed.size() == 1 && listed[0].key == key && listed[0].size == size;
  return good ? Status() : unfit(blobs, "the service does not list an object it has just stored");
}

Result<StoreTimes> examine(BlobStore& blobs, const Clock& clock, const std::string& key,
                           ByteView bytes) {
  StoreTimes out;
  auto start = clock.steady();
  LB_TRY(blobs.put(key, bytes));
  LB_TRY(blobs.flush());
  out.put = clock.steady() - start;
  LB_TRY(must_not_overwrite(blobs, key, bytes));
  start = clock.steady();
  LB_TRY(must_read_parts(blobs, key, bytes));
  out.get_range = clock.steady() - start;
  start = clock.steady();
  LB_TRY(must_list(blobs, key, bytes.size()));
  out.list = clock.steady() - start;
  return out;
}

}  // namespace

Result<StoreTimes> probe_store(BlobStore& blobs, const Clock& clock, Random& random) {
  auto bytes = random.bytes(64);
  auto key = cat("probe/", to_hex(random.bytes(16)));
  auto times = examine(blobs, clock, key, bytes);
  auto removed = blobs.remove(key);
  if (!times.ok()) return times;
  // Who may only add is a good backup host; and a lock is there to refuse.
  bool refused = !removed.ok() && removed.error().kind() == ErrorKind::denied;
  if (!removed.ok() && !refused) return std::move(removed).take_error();
  if (removed.ok() && blobs.info(key).ok()) {
    return unfit(blobs, "the service still has an object that was removed");
  }
  return times;
}

}  // namespace lb
