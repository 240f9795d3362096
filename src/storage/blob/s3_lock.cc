// The object lock of an S3BlobStore: retention when an object is put, extended later, and proven.
#include "foundation/base/text.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/md5.h"
#include "storage/blob/s3_blob_store.h"

namespace lb {

namespace {

constexpr Micros probe_lock = Seconds(6);
// A legal hold ends when somebody lifts it: it is looked at again after so long.
constexpr Micros hold_looked_at = std::chrono::hours(24);

Result<std::optional<Timestamp>> read_lock(const std::string& key, const S3Answer& head) {
  auto text = head.header("x-amz-object-lock-retain-until-date");
  if (text.empty()) return std::optional<Timestamp>();
  auto until = LB_TRY(parse_time(text).context(cat("the lock of ", key)));
  return std::optional<Timestamp>(until);
}

}  // namespace

std::string_view S3BlobStore::lock_mode() const {
  return client_.settings().governance ? "GOVERNANCE" : "COMPLIANCE";
}

NamedTexts S3BlobStore::lock_headers(Timestamp until) const {
  return {{"x-amz-object-lock-mode", std::string(lock_mode())},
          {"x-amz-object-lock-retain-until-date", format_time_seconds(until)}};
}

Status S3BlobStore::retain(const std::string& key, Timestamp until) {
  auto now = LB_TRY(retained_until(key));
  if (now && *now >= until) return {};  // never shortened
  auto body =
      cat("<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>", lock_mode(),
          "</Mode><RetainUntilDate>", format_time_seconds(until), "</RetainUntilDate></Retention>");
  auto proof = LB_TRY(md5(view_of(body)));
  auto answer = LB_TRY(client_.call({.method = "PUT",
                                     .key = key,
                                     .query = {{"retention", ""}},
                                     .headers = {{"content-md5", to_base64(proof)}},
                                     .body = view_of(body)}));
  if (answer.good()) return {};
  auto error = refused(answer, cat("extend the lock of ", key));
  if (error.kind() != ErrorKind::denied) return error;
  return std::move(error).with_hint(
      "the access key needs s3:PutObjectRetention to keep locks from ending");
}

Result<std::optional<Timestamp>> S3BlobStore::retained_until(const std::string& key) {
  // Asked of the object itself: some services have no answer for the retention alone.
  auto answer = LB_TRY(head(key, "look at the lock of"));
  return read_lock(key, answer);
}

Result<std::optional<Timestamp>> S3BlobStore::locked_until(const std::string& key) {
  auto answer = LB_TRY(head(key, "look at the lock of"));
  // Who asks because a deletion was refused asks a moment later.
  return lock_now(key, answer, Seconds(5));
}

// By the clock of the store, which is the one that counts.
Result<std::optional<Timestamp>> S3BlobStore::lock_now(const std::string& key, const S3Answer& head,
                                                       Micros slack) const {
  auto now = clock_.now() + client_.measured_skew();
  auto until = LB_TRY(read_lock(key, head));
  if (head.header("x-amz-object-lock-legal-hold") == "ON") {
    auto next_look = now + hold_looked_at;
    return std::optional(std::max(until.value_or(next_look), next_look));
  }
  bool over = !until || *until + slack <= now;
  return over ? std::nullopt : until;
}

Status S3BlobStore::prove_lock() {
  auto key = cat("probe/", to_hex(random_.bytes(16)));
  auto until = client_.now() + probe_lock;
  LB_TRY(put_once(key, view_of("locked for a moment\n"), lock_headers(until)));
  auto proven = try_the_lock(key, until);
  // Whatever came out, the probe is not left behind.
  auto left = until + Seconds(2) - client_.now();
  if (left > Micros(0) && !clock_.sleep(left, client_.settings().stop)) {
    return Error(ErrorKind::cancelled, "stopped while waiting for a lock to end");
  }
  auto removed = remove(key);
  return proven.ok() ? std::move(removed).context("remove the probe of the lock") : proven;
}

Status S3BlobStore::try_the_lock(const std::string& key, Timestamp until) {
  auto wrong = [&](const std::string& why) {
    return Error(ErrorKind::unsupported, cat(describe(), ": ", why))
        .with_hint(
            "the bucket needs object lock and versioning from its first day, and a service "
            "that enforces them; or leave immutable: out");
  };
  auto there = LB_TRY(head(key, "look at"));
  auto kept = there.header("x-amz-object-lock-retain-until-date");
  if (kept.empty()) return wrong("the service forgot the lock of an object");
  auto read = LB_TRY(parse_time(kept));
  if (read + Seconds(1) < until) return wrong("the service shortened the lock of an object");
  auto version = there.header("x-amz-version-id");
  if (version.empty()) return wrong("the bucket keeps no versions, without which no lock holds");
  auto removed = remove_version(key, version);
  if (removed.ok()) return wrong("a locked object could be deleted");
  if (removed.error().kind() != ErrorKind::denied) return removed;
  auto still = LB_TRY(get(key).context("read a locked object"));
  if (text_of(still) != "locked for a moment\n") return wrong("a locked object changed");
  return {};
}

}  // namespace lb
