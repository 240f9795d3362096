// A point of a repository in memory with nothing but a fingerprint. For tests only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "storage/repo/test_repository.h"
#include "stores/postgres/snapshot_details.h"

namespace lb::check {

struct RecordedPoint {
  using Put = std::function<void(const std::string& text)>;
  // `write` gives the text in as many pieces as it likes.
  explicit RecordedPoint(const std::function<void(const Put&)>& write) {
    auto made = repo::init_repository(blobs, clock, *random, key, repo::cheap_keys);
    EXPECT_TRUE(made.ok()) << made.error().text();
    repository = repo::open_repository(blobs, clock, *random, key, repo::small_budget).take();
    auto writer = repository->begin("db", nullptr, {}).take();
    auto stream = writer->open_attachment(pg::attachment_fingerprint).take();
    write([&](const std::string& text) { EXPECT_TRUE(stream->write(view_of(text)).ok()); });
    EXPECT_TRUE(stream->finish().ok());
    snapshot = repository->snapshot(writer->commit({}).take().id).take();
  }
  explicit RecordedPoint(const std::string& text)
      : RecordedPoint([&](const Put& put) { put(text); }) {}

  Secret key{std::string_view("correct horse battery staple")};
  MemoryBlobStore blobs;
  SimClock clock{parse_time("2026-01-13T02:00:00Z").take()};
  std::unique_ptr<Random> random = seeded_random(1);
  std::unique_ptr<repo::Repository> repository;
  std::unique_ptr<repo::SnapshotReader> snapshot;
};

}  // namespace lb::check
