#include "tests/harness/s3_bucket.h"

#include <stdexcept>

namespace lb::test {

S3Settings bucket_settings(const std::string& endpoint, const std::string& access_key,
                           const std::string& secret_key, const std::string& bucket) {
  S3Settings out;
  out.endpoint = endpoint;
  out.bucket = bucket;
  out.credentials.access_key = access_key;
  out.credentials.secret_key = Secret(std::string_view(secret_key));
  return out;
}

void make_bucket(S3Settings settings, const BucketOptions& options) {
  const auto clock = real_clock();
  const auto random = real_random();
  const auto http = real_http();
  settings.prefix.clear();
  S3Client client(*http, *clock, *random, std::move(settings));
  NamedTexts headers;
  if (options.object_lock) headers.emplace_back("x-amz-bucket-object-lock-enabled", "true");
  auto answer = client.call({.method = "PUT", .headers = headers});
  if (!answer.ok()) throw std::runtime_error(answer.error().text());
  if (!answer->good()) throw std::runtime_error(client.explain(*answer, "make a bucket").text());
}

}  // namespace lb::test
