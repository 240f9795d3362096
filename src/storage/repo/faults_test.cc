// Every call of the store goes wrong in turn. Afterwards, also after a power cut, the repository is
// clean, what was committed reads back byte for byte, and the caller was told the truth.
#include <gtest/gtest.h>

#include "foundation/sys/sim_files.h"
#include "storage/blob/directory_blob_store.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

const LogName segment{"db-1", 1, 5};

struct Outcome {
  Result<SnapshotInfo> snapshot = Error(ErrorKind::cancelled, "not reached");
  Status tail = Error(ErrorKind::cancelled, "not reached");
  Status log = Error(ErrorKind::cancelled, "not reached");
  Status record = Error(ErrorKind::cancelled, "not reached");
};

class Faults : public MemoryRepository {
 protected:
  Faults() {
    old_content = {{"a", noise(1, 300'000)}, {"b", noise(2, 1000)}, {"empty", ""}};
    new_content = old_content;
    new_content["c"] = noise(3, 400'000);
    old_id = back_up(old_content).id;
  }

  Outcome work(BlobStore& store) {
    Outcome out;
    auto opened = open_repository(store, clock, *random, key, small_budget);
    if (!opened.ok()) return out;
    auto& repo = **opened;
    out.snapshot = [&]() -> Result<SnapshotInfo> {
      auto parent = LB_TRY(repo.snapshot(old_id));
      return write_snapshot(repo, "data", new_content, clock.now(), parent.get());
    }();
    out.tail = repo.put_log_tail(segment, 0, view_of("tail"), view_of("t"));
    out.log = repo.put_log(segment, view_of("tail and more"), view_of("s"));
    out.record = repo.put_record("drill", "r1", view_of("record"));
    return out;
  }

  // What must hold whatever happened.
  void check(BlobStore& store, const Outcome& outcome, const std::string& where) {
    auto repo = open(store);
    ASSERT_NE(repo, nullptr) << where;
    auto report = repo->verify({}, {}, {});
    ASSERT_TRUE(report.ok()) << where << report.error().text();
    EXPECT_TRUE(report->clean()) << where << describe(*report);
    EXPECT_EQ(read_snapshot(*repo, old_id).value(), old_content) << where;
    auto listed = repo->snapshots().take();
    for (const auto& info : listed) {
      if (info.id == old_id) continue;
      EXPECT_EQ(read_snapshot(*repo, info.id).value(), new_content) << where << "never half a one";
    }
    if (outcome.snapshot.ok()) {
      EXPECT_EQ(read_snapshot(*repo, outcome.snapshot->id).value(), new_content) << where;
    } else {
      EXPECT_NE(outcome.snapshot.error().kind(), ErrorKind::internal) << where;
    }
    if (outcome.log.ok()) {
      EXPECT_EQ(text_of(repo->get_log(segment).value()), "tail and more") << where;
    } else if (outcome.tail.ok()) {
      EXPECT_TRUE(text_of(repo->get_log(segment).value()).starts_with("tail")) << where;
    }
    if (outcome.record.ok()) {
      EXPECT_EQ(text_of(repo->get_record("drill", "r1").value()), "record") << where;
    }
    auto again = write_snapshot(*repo, "data", new_content, clock.now());
    ASSERT_TRUE(again.ok()) << where << again.error().text();
    EXPECT_EQ(read_snapshot(*repo, again->id).value(), new_content) << where;
  }

  std::unique_ptr<MemoryBlobStore> copy() {
    auto out = std::make_unique<MemoryBlobStore>();
    for (const auto& key_there : keys()) {
      EXPECT_TRUE(out->put(key_there, blobs.get(key_there).value()).ok());
    }
    EXPECT_TRUE(out->flush().ok());
    return out;
  }

  Content old_content, new_content;
  std::string old_id;
};

TEST_F(Faults, FailureOfEveryCallOfTheStore) {
  for (auto fault : {BlobFault::fail, BlobFault::full, BlobFault::timed_out_applied,
                     BlobFault::timed_out, BlobFault::flip, BlobFault::truncate}) {
    for (std::uint64_t nth = 0;; ++nth) {
      auto where = cat("fault ", static_cast<int>(fault), " call ", nth, ": ");
      auto store = copy();
      FaultBlobStore faulty(
          *store, {.nth = nth, .fault = fault, .requests_at_once = nth % 2 == 0 ? 1u : 4u});
      auto outcome = work(faulty);
      store->crash();
      check(*store, outcome, where);
      if (HasFatalFailure()) return;
      if (!faulty.fired()) {
        EXPECT_TRUE(outcome.snapshot.ok() && outcome.tail.ok() && outcome.log.ok() &&
                    outcome.record.ok());
        EXPECT_GT(nth, 20u);
        break;
      }
    }
  }
}

TEST_F(Faults, AStoreThatIsGoneFromAnyCallOnIsNotCalledDamaged) {
  for (std::uint64_t nth = 0;; ++nth) {
    auto store = copy();
    FaultBlobStore faulty(*store, {.nth = nth, .fault = BlobFault::fail, .lasting = true});
    auto outcome = work(faulty);
    if (!faulty.fired()) break;
    for (const auto* status : {&outcome.tail, &outcome.log, &outcome.record}) {
      if (!status->ok()) {
        EXPECT_NE(status->error().exit_code(), ExitCode::damaged) << nth;
      }
    }
    if (!outcome.snapshot.ok()) {
      EXPECT_NE(outcome.snapshot.error().exit_code(), ExitCode::damaged) << nth;
    }
    store->crash();
    check(*store, outcome, cat("gone from call ", nth, ": "));
    if (HasFatalFailure()) return;
  }
}

TEST_F(Faults, AVerdictWhoseAnswerIsLostIsRecognisedAsOurs) {
  FaultBlobStore faulty(blobs, {.fault = BlobFault::timed_out_applied,
                                .lasting = true,
                                .only = BlobCall::put,
                                .prefix = "e/"});
  auto outcome = work(faulty);
  EXPECT_TRUE(faulty.fired());
  ASSERT_TRUE(outcome.snapshot.ok()) << outcome.snapshot.error().text();
  EXPECT_EQ(read(outcome.snapshot->id), new_content);
}

TEST_F(Faults, AFullStoreIsSaidSo) {
  FaultBlobStore faulty(
      blobs, {.fault = BlobFault::full, .lasting = true, .only = BlobCall::put, .prefix = "p/"});
  auto outcome = work(faulty);
  ASSERT_FALSE(outcome.snapshot.ok());
  EXPECT_EQ(outcome.snapshot.error().exit_code(), ExitCode::no_space);
  EXPECT_EQ(repository->snapshots()->size(), 1u);
}

TEST_F(Faults, AnInitThatFailsAnywhereCanBeRepeated) {
  for (auto fault : {BlobFault::fail, BlobFault::timed_out, BlobFault::timed_out_applied}) {
    for (std::uint64_t nth = 0;; ++nth) {
      MemoryBlobStore store;
      FaultBlobStore faulty(store, {.nth = nth, .fault = fault});
      auto first = init_repository(faulty, clock, *random, key, cheap_keys);
      store.crash();
      if (!first.ok()) {
        auto second = init_repository(store, clock, *random, key, cheap_keys);
        EXPECT_TRUE(second.ok() || second.error().kind() == ErrorKind::conflict) << nth;
      }
      EXPECT_NE(open(store), nullptr) << nth;
      if (!faulty.fired()) {
        EXPECT_TRUE(first.ok());
        break;
      }
    }
  }
}

// The same on a simulated disk: each system call fails in turn, then the power goes.
class DiskFaults : public Faults {
 protected:
  std::unique_ptr<BlobStore> disk(SimFiles& files) {
    auto opened = open_directory_blobs(files, clock, *random, "/repo", MissingFolder::create);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return std::move(opened).take();
  }
  void fill(SimFiles& files) {
    auto store = disk(files);
    for (const auto& name : keys()) ASSERT_TRUE(store->put(name, blobs.get(name).value()).ok());
    ASSERT_TRUE(store->flush().ok());
  }
};

TEST_F(DiskFaults, FailureOfEverySystemCallAndAPowerCut) {
  for (std::uint64_t nth = 0;; nth += 1 + nth / 40) {
    SimFiles files;
    fill(files);
    Outcome outcome;
    bool fired = false;
    {
      auto store = disk(files);
      files.fail_call(nth);
      outcome = work(*store);
      fired = files.fault_fired();
    }
    auto chance = seeded_random(nth);
    files.crash(nth % 2 == 0 ? nullptr : chance.get());
    auto store = disk(files);
    check(*store, outcome, cat("system call ", nth, ": "));
    if (HasFatalFailure()) return;
    if (!fired) {
      EXPECT_TRUE(outcome.snapshot.ok() && outcome.log.ok() && outcome.record.ok());
      break;
    }
  }
}

TEST_F(DiskFaults, AFullDiskLeavesNoTornObject) {
  for (std::uint64_t room : {0u, 1000u, 50'000u, 200'000u, 380'000u}) {
    SimFiles files;
    fill(files);
    std::uint64_t used = 0;
    for (const auto& name : keys()) used += blobs.get(name)->size();
    auto store = disk(files);
    files.set_space(used + room);
    auto outcome = work(*store);
    ASSERT_FALSE(outcome.record.ok() && outcome.snapshot.ok()) << room;
    if (!outcome.snapshot.ok()) {
      EXPECT_EQ(outcome.snapshot.error().exit_code(), ExitCode::no_space)
          << room << outcome.snapshot.error().text();
    }
    files.set_space(~0ull);
    check(*store, outcome, cat("room for ", room, ": "));
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace lb::repo
