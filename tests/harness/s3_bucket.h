// Buckets on the throwaway services, which the product itself never makes.
#pragma once

#include <string>

#include "storage/blob/s3_client.h"

namespace lb::test {

struct BucketOptions {
  bool object_lock = false;
};

S3Settings bucket_settings(const std::string& endpoint, const std::string& access_key,
                           const std::string& secret_key, const std::string& bucket);
// Throws std::runtime_error.
void make_bucket(S3Settings settings, const BucketOptions& options = {});

}  // namespace lb::test
