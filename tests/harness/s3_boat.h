// S3Boat: the base of tests in which the program keeps its repository in a bucket of a throwaway
// Ceph: a fresh bucket for each test, the plan and the environment that lead there, and a look into
// the bucket from outside. Skips with the reason where no Ceph can be started.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "storage/blob/s3_blob_store.h"
#include "tests/harness/ceph_server.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/s3_bucket.h"

namespace lb::test {

// False after two minutes.
template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

// Bytes that neither compress nor repeat.
inline std::string random_text(std::size_t size, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::string out(size, '\0');
  for (std::size_t at = 0; at < size; at += 8) {
    auto word = engine();
    std::memcpy(out.data() + at, &word, std::min<std::size_t>(8, size - at));
  }
  return out;
}

// A plan whose repository cannot be deleted for a time, with credentials from ONE and TWO.
inline std::string immutable_plan(const std::string& place, const std::string& endpoint,
                                  const std::string& period = "1h") {
  return "version: 1\nsystem: test\nrepository:\n  at: \"s3://" + place +
         "\"\n  immutable: " + period + "\n  retain: {hourly: 1h}\n  s3: {endpoint: \"" + endpoint +
         "\", style: path, access_key: env:ONE, secret_key: env:TWO}\n"
         "  key: env:LIFEBOAT_KEY\nstores:\n  data: {files: ./data, every: hourly}\n";
}

class S3Boat : public testing::Test {
 protected:
  explicit S3Boat(const std::string& binary) : boat(binary) {}
  void SetUp() override {
    if (const auto reason = CephServer::missing()) GTEST_SKIP() << *reason;
    auto& ceph = CephServer::shared();
    static int count = 0;
    bucket = "boat-" + std::to_string(++count);
    make_bucket(settings("main"));
    boat.environment()["AWS_ACCESS_KEY_ID"] = ceph.access_key();
    boat.environment()["AWS_SECRET_ACCESS_KEY"] = ceph.secret_key();
    boat.environment()["AWS_ENDPOINT_URL"] = ceph.endpoint();
  }
  S3Settings settings(const std::string& place) const {
    auto& ceph = CephServer::shared();
    auto out = bucket_settings(ceph.endpoint(), ceph.access_key(), ceph.secret_key(), bucket);
    out.prefix = place;
    return out;
  }
  std::string address(const std::string& place) const { return "s3://" + bucket + "/" + place; }
  std::unique_ptr<S3BlobStore> open(const std::string& place) {
    return std::make_unique<S3BlobStore>(*http, *clock, *random, settings(place));
  }
  std::vector<BlobInfo> objects(const std::string& place, const std::string& prefix) {
    return open(place)->list(prefix).take();
  }
  // One bit of an object, in its middle.
  void flip(const std::string& place, const std::string& key) {
    auto store = open(place);
    auto bytes = store->get(key).take();
    bytes[bytes.size() / 2] ^= 1;
    ASSERT_TRUE(store->remove(key).ok());
    ASSERT_TRUE(store->put(key, bytes).ok());
  }

  Lifeboat boat;
  std::string bucket;
  std::unique_ptr<Http> http = real_http();
  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<Random> random = real_random();
};

}  // namespace lb::test
