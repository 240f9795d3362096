// The mirror against a real repository, sealed and all, whose object store fails at every call in
// turn.
#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/blob/memory_blob_store.h"
#include "storage/state/journal.h"
#include "storage/state/test_world.h"

namespace lb::state {
namespace {

using record::JournalEntry;

// Hands every call on to the store it points at. A key takes long to derive on purpose: so one
// repository is opened once, and what it stands on is exchanged.
class Switch final : public BlobStore {
 public:
  BlobStore* to = nullptr;
  Status put(const std::string& key, ByteView bytes) override { return to->put(key, bytes); }
  Status flush() override { return to->flush(); }
  Result<Buffer> get(const std::string& key) override { return to->get(key); }
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override {
    return to->get_range(key, offset, size);
  }
  Result<BlobInfo> info(const std::string& key) override { return to->info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    return to->list(prefix, after);
  }
  Status remove(const std::string& key) override { return to->remove(key); }
  std::string describe() const override { return "a switch"; }
};

class MirrorFaults : public testing::Test {
 protected:
  void SetUp() override {
    const Secret key{std::string_view("correct horse battery staple")};
    empty_ = std::make_unique<MemoryBlobStore>();
    store_.to = empty_.get();
    auto made = repo::init_repository(store_, *test_.clock, *test_.random, key);
    ASSERT_TRUE(made.ok()) << made.error().text();
    auto opened = repo::open_repository(store_, *test_.clock, *test_.random, key);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    repository_ = std::move(opened).take();
  }

  // The repository as it was made, without any record.
  std::unique_ptr<MemoryBlobStore> fresh_store() {
    auto out = std::make_unique<MemoryBlobStore>();
    const auto objects = empty_->list("", "").take();
    for (const auto& object : objects) {
      EXPECT_TRUE(out->put(object.key, empty_->get(object.key).take()).ok());
    }
    EXPECT_TRUE(out->flush().ok());
    return out;
  }

  // What another host that knows nothing yet reads from the repository.
  std::vector<std::string> read_elsewhere();

  TestWorld test_;
  Switch store_;
  std::unique_ptr<MemoryBlobStore> empty_;
  std::unique_ptr<repo::Repository> repository_;
  int hosts_ = 0;
};

std::unique_ptr<Journal> open_journal(TestWorld& test, const std::string& name) {
  auto journal = Journal::open(test.world, test.folder / (name + "/journal.sqlite"));
  if (!journal.ok()) ADD_FAILURE() << journal.error().text();
  return journal.ok() ? std::move(journal).take() : nullptr;
}

void add(Journal& journal, const std::string& text) {
  JournalEntry entry;
  entry.act = "test";
  entry.text = text;
  auto added = journal.add(std::move(entry));
  EXPECT_TRUE(added.ok()) << added.error().text();
}

std::vector<std::string> texts(Journal& journal) {
  std::vector<std::string> out;
  auto entries = journal.entries(1000);
  EXPECT_TRUE(entries.ok());
  for (const auto& entry : *entries) out.push_back(entry.text);
  return out;
}

std::vector<std::string> MirrorFaults::read_elsewhere() {
  auto fresh = open_journal(test_, cat("host", ++hosts_));
  auto mirrored = fresh->mirror(*repository_);
  EXPECT_TRUE(mirrored.ok()) << mirrored.error().text();
  return texts(*fresh);
}

TEST_F(MirrorFaults, FailureOfEveryCallLosesAndRepeatsNothing) {
  for (const auto fault : {BlobFault::fail, BlobFault::timed_out_applied, BlobFault::timed_out}) {
    for (std::uint64_t nth = 0;; ++nth) {
      auto blobs = fresh_store();
      store_.to = blobs.get();
      auto there = open_journal(test_, cat("host", ++hosts_));
      add(*there, "there 1");
      ASSERT_TRUE(there->mirror(*repository_).ok());
      auto here = open_journal(test_, cat("host", ++hosts_));
      add(*here, "here 1");
      add(*here, "here 2");
      FaultPlan plan;
      plan.nth = nth;
      plan.fault = fault;
      FaultBlobStore faulty(*blobs, plan);
      store_.to = &faulty;
      auto mirrored = here->mirror(*repository_);
      // A put whose answer was lost is looked for, so only a plain failure must be told.
      EXPECT_TRUE(mirrored.ok() || faulty.fired()) << nth;
      if (fault == BlobFault::fail) {
        EXPECT_EQ(mirrored.ok(), !faulty.fired()) << nth;
      }
      store_.to = blobs.get();
      blobs->crash();  // what the store never promised to keep is gone
      ASSERT_TRUE(here->mirror(*repository_).ok());
      EXPECT_EQ(read_elsewhere(), (std::vector<std::string>{"there 1", "here 1", "here 2"})) << nth;
      EXPECT_EQ(texts(*here).size(), 3u);
      if (!faulty.fired()) {
        EXPECT_GE(nth, 4u);  // list, get, put, flush have each failed once
        break;
      }
    }
  }
}

TEST_F(MirrorFaults, AFlippedByteInAnyRecordIsNamedAndTheRestComesThrough) {
  auto sound = fresh_store();
  store_.to = sound.get();
  auto journal = open_journal(test_, "here");
  for (const char* text : {"one", "two", "three"}) {
    add(*journal, text);
    ASSERT_TRUE(journal->mirror(*repository_).ok());
  }
  record::DrillRecord drill;
  drill.id = repository_->fresh_id();
  drill.system = "s";
  drill.drill = "full";
  drill.verdict = record::Verdict::pass;
  ASSERT_TRUE(put_drill(*repository_, drill).ok());
  const auto objects = sound->list("r/", "").take();
  ASSERT_EQ(objects.size(), 4u);
  for (const auto& object : objects) {
    const auto good = sound->get(object.key).take();
    auto bad = good;
    bad[bad.size() / 2] ^= 1;
    sound->tamper(object.key, bad);
    // The drill log first: reading elsewhere adds the notes of that host to the repository.
    auto log = drills(*repository_);
    ASSERT_TRUE(log.ok()) << log.error().text();
    ASSERT_EQ(log->size(), 1u);
    const bool is_drill = object.key.find("drill") != std::string::npos;
    EXPECT_EQ(log->front().verdict,
              is_drill ? record::Verdict::inconclusive : record::Verdict::pass);
    std::size_t entries = 0, named = 0;
    for (const auto& text : read_elsewhere()) {
      const bool names = text.find("is damaged and was passed over") != std::string::npos;
      (names ? named : entries) += 1;
    }
    EXPECT_EQ(entries, is_drill ? 3u : 2u);
    EXPECT_EQ(named > 0, hosts_ > 1 || !is_drill);
    sound->tamper(object.key, good);
  }
}

}  // namespace
}  // namespace lb::state
