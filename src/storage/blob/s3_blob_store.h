// A BlobStore in a bucket of an S3 service. One object is one PUT with "If-None-Match: *", so what
// exists is never overwritten; the service stores it whole or not at all, and durably before it
// answers. Uses nothing in which services differ: no multipart (its conditional completion is
// ignored by some), no conditional delete, no tags of theirs. Thread-safe; as many requests run at
// once as there are threads that call, each over a kept connection.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/blob/blob_store.h"
#include "storage/blob/s3_client.h"

namespace lb {

// "s3://bucket/pre/fix": bucket and prefix, checked. invalid otherwise.
struct S3Address {
  std::string bucket, prefix;
};
Result<S3Address> parse_s3_address(std::string_view text);
// "https://host[:port]", without a slash at the end; a bare host gets https. invalid for a path.
Result<std::string> parse_s3_endpoint(std::string_view text);

class S3BlobStore final : public BlobStore {
 public:
  S3BlobStore(Http& http, Clock& clock, Random& random, S3Settings settings);

  Status put(const std::string& key, ByteView bytes) override;
  Status flush() override { return {}; }  // a put was answered only when it was durable
  Result<Buffer> get(const std::string& key) override;
  Status get_range_into(const std::string& key, std::uint64_t offset, MutableBytes out) override;
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override;
  Result<Buffer> get_tail(const std::string& key, std::uint64_t size) override;
  Result<BlobInfo> info(const std::string& key) override;
  Result<std::vector<BlobInfo>> list(const std::string& prefix,
                                     const std::string& after = {}) override;
  Status remove(const std::string& key) override;
  Status retain(const std::string& key, Timestamp until) override;
  Result<std::optional<Timestamp>> locked_until(const std::string& key) override;
  unsigned requests_at_once() const override { return 4; }
  std::string describe() const override { return client_.settings().describe(); }

  // The store's clock minus ours, as its last answer showed it.
  Micros skew() const { return client_.measured_skew(); }
  // The end of the object's lock, also of one that is over; nothing when it never had one.
  Result<std::optional<Timestamp>> retained_until(const std::string& key);
  // Puts a probe that is locked for a moment, reads the lock back, tries to delete the probe, and
  // removes it once it may. Ok: the service really refused. unsupported with the reason otherwise.
  Status prove_lock();

 private:
  Status put_once(const std::string& key, ByteView bytes, const NamedTexts& lock);
  Result<bool> is_ours(const std::string& key, std::size_t size, const std::string& mark);
  NamedTexts lock_headers(Timestamp until) const;
  std::string_view lock_mode() const;
  Result<std::optional<Timestamp>> lock_now(const std::string& key, const S3Answer& head,
                                            Micros slack) const;
  Result<S3Answer> head(const std::string& key, const std::string& what);
  Result<S3Answer> get_part(const std::string& key, std::uint64_t offset, std::uint64_t size,
                            MutableBytes room);
  Status remove_version(const std::string& key, const std::string& version);
  Status try_the_lock(const std::string& key, Timestamp until);
  Result<bool> list_page(const std::string& prefix, NamedTexts& query, std::vector<BlobInfo>& out);
  Error refused(const S3Answer& answer, const std::string& what) const {
    return client_.explain(answer, what);
  }

  Clock& clock_;
  Random& random_;
  S3Client client_;
};

}  // namespace lb
