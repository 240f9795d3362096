// A repository with everything in it and an empty copy, in memory. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "storage/copy/key_witness.h"
#include "storage/copy/sync.h"
#include "storage/repo/test_repository.h"

namespace lb::copy {

class CopyFixture : public repo::MemoryRepository {
 protected:
  CopyFixture() {
    first = {{"a", repo::noise(1, 300'000)}, {"b", repo::noise(2, 1000)}};
    second = first;
    second["c"] = repo::noise(3, 200'000);
    first_id = back_up(first).id;
    auto parent = repository->snapshot(first_id).take();
    second_id = back_up(second, parent.get()).id;
    for (std::uint64_t n = 4; n < 7; ++n) {
      EXPECT_TRUE(repository->put_log({"db", 1, n}, view_of(repo::noise(n, 3000)), {}).ok());
    }
    EXPECT_TRUE(repository->put_log_tail({"db", 1, 7}, 0, view_of("tail"), {}).ok());
    EXPECT_TRUE(repository->put_history("db", 2, view_of("1\t0/1\n")).ok());
    EXPECT_TRUE(repository->put_record("drill", "r1", view_of("record one")).ok());
    witness = std::make_unique<KeyWitness>(*repository->core());
  }

  Result<SyncReport> sync(BlobStore& to, bool with_key = true) {
    SyncOptions options;
    if (with_key) options.witness = witness.get();
    return sync_copy(blobs, to, options, {}, {});
  }
  SyncReport must_sync(BlobStore& to, bool with_key = true) {
    auto report = sync(to, with_key);
    EXPECT_TRUE(report.ok()) << report.error().text();
    return report.ok() ? *report : SyncReport{};
  }

  // What holds in a copy at every moment: what can be seen there is whole. `excused`: objects that
  // the source did not give; that a segment of a log or a point before another is missed is the
  // truth.
  void expect_whole(BlobStore& store, const std::string& where,
                    const std::vector<Trouble>& excused = {}) {
    auto listed = store.list("").take();
    if (listed.empty()) return;
    auto slots = store.list("k/").take();
    auto root = store.info("repo");
    auto verdicts = store.list("e/").take();
    if (!root.ok() || slots.empty()) {
      EXPECT_TRUE(verdicts.empty()) << where;
      return;
    }
    auto opened = open(store);
    ASSERT_NE(opened, nullptr) << where;
    auto report = opened->verify({}, {}, {});
    ASSERT_TRUE(report.ok()) << where << report.error().text();
    for (const auto& finding : report->findings) {
      EXPECT_TRUE(std::any_of(excused.begin(), excused.end(),
                              [&](const Trouble& trouble) {
                                bool of_the_chain = trouble.key.starts_with("e/") &&
                                                    finding.object.starts_with("e/");
                                return trouble.key == finding.object || of_the_chain;
                              }))
          << where << repo::describe(*report);
    }
    for (const auto& verdict : verdicts) {
      auto id = verdict.key.substr(2);
      auto content = repo::read_snapshot(*opened, id);
      ASSERT_TRUE(content.ok()) << where << content.error().text();
      EXPECT_EQ(*content, id == first_id ? first : second) << where;
    }
  }

  Buffer damaged(const std::string& object, std::size_t at) {
    auto bytes = blobs.get(object).take();
    bytes[at] ^= 1;
    return bytes;
  }

  repo::Content first, second;
  std::string first_id, second_id;
  std::unique_ptr<KeyWitness> witness;
  MemoryBlobStore copy;
};

}  // namespace lb::copy
