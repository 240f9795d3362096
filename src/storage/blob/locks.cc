#include "storage/blob/locks.h"

#include <algorithm>
#include <mutex>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "foundation/flow/task_group.h"

namespace lb {

namespace {

constexpr unsigned requests_at_once = 8;  // small ones: what counts is how long an answer takes
constexpr std::uint64_t file_bytes_max = 1 << 30;
constexpr std::uint8_t file_version = 1;

}  // namespace

Result<std::optional<Timestamp>> remove_or_leave(BlobStore& blobs, const std::string& key) {
  auto removed = blobs.remove(key);
  if (removed.ok()) return std::optional<Timestamp>();
  if (removed.error().kind() != ErrorKind::denied) return std::move(removed).take_error();
  auto until = blobs.locked_until(key);
  if (until.ok() && until->has_value()) return until;
  return std::move(removed).take_error();
}

Status learn_locks(BlobStore& blobs, const std::vector<std::string>& keys, LockEnds& known,
                   std::stop_token stop) {
  std::vector<std::string> unknown;
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(unknown),
               [&](const auto& key) { return !known.contains(key); });
  std::mutex mutex;
  return for_each_parallel(unknown.size(), requests_at_once, stop, [&](std::size_t i) -> Status {
    auto until = blobs.locked_until(unknown[i]);
    if (!until.ok() && until.error().kind() == ErrorKind::not_found) return {};
    LB_TRY(until.status());
    std::lock_guard lock(mutex);
    known[unknown[i]] = until->value_or(Timestamp{});
    return {};
  });
}

std::vector<std::string> locks_due(const std::vector<std::string>& keys, const LockEnds& known,
                                   const LockWishes& wishes) {
  std::vector<std::string> out;
  for (const auto& key : keys) {
    auto there = known.find(key);
    if (there != known.end() && there->second < wishes.now + wishes.margin) out.push_back(key);
  }
  return out;
}

Result<LockReport> keep_locked(BlobStore& blobs, const std::vector<std::string>& keys,
                               const LockWishes& wishes, LockEnds& known, std::stop_token stop) {
  LB_TRY(learn_locks(blobs, keys, known, stop));
  auto due = locks_due(keys, known, wishes);
  // The store keeps whole seconds.
  auto until = Timestamp(std::chrono::floor<Seconds>(wishes.now + wishes.period));
  LockReport out;
  std::mutex mutex;
  auto extend = [&](std::size_t i) -> Status {
    auto extended = blobs.retain(due[i], until);
    if (!extended.ok() && extended.error().kind() == ErrorKind::not_found) return {};
    LB_TRY(std::move(extended));
    std::lock_guard lock(mutex);
    known[due[i]] = until;
    ++out.extended;
    return {};
  };
  LB_TRY(for_each_parallel(due.size(), requests_at_once, stop, extend));
  for (const auto& key : keys) {
    auto there = known.find(key);
    if (there == known.end()) continue;
    ++out.objects;
    out.first_end = std::min(out.first_end.value_or(there->second), there->second);
  }
  return out;
}

Status save_lock_ends(Files& files, const std::string& path, const std::string& place,
                      const LockEnds& known, Timestamp now) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.u8(file_version);
  out.text(place);
  for (const auto& [key, until] : known) {
    if (until <= now) continue;
    out.text(key);
    out.signed_varint(to_micros(until));
  }
  out.raw(sha256(bytes));
  LB_TRY(make_directories(files, path_parent(path), 0700));
  return write_durably(files, path, bytes);
}

LockEnds load_lock_ends(Files& files, const std::string& path, const std::string& place) {
  auto bytes = read_file(files, path, file_bytes_max);
  if (!bytes.ok() || bytes->size() < sizeof(Digest)) return {};
  auto body = ByteView(*bytes).first(bytes->size() - sizeof(Digest));
  auto digest = sha256(body);
  if (!std::equal(digest.begin(), digest.end(), bytes->end() - sizeof(Digest))) return {};
  ByteReader in(body);
  auto version = in.u8();
  auto of = in.text(1 << 16);
  if (!version.ok() || *version != file_version || !of.ok() || *of != place) return {};
  LockEnds out;
  while (!in.done()) {
    auto key = in.text(1 << 16);
    auto until = in.signed_varint();
    if (!key.ok() || !until.ok()) return {};
    out.emplace(std::move(key).take(), from_micros(*until));
  }
  return out;
}

}  // namespace lb
