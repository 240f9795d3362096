// What a host with a key that may only write can do, and what it cannot.
#include <gtest/gtest.h>

#include "storage/blob/fault_blob_store.h"
#include "storage/repo/core.h"
#include "storage/repo/key_slots.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

class WriteOnly : public MemoryRepository {
 protected:
  WriteOnly() {
    KeySlots slots(blobs, clock, *random, repository->core()->keys);
    EXPECT_TRUE(slots.add("writer", keys::Grant::write, writer_key, {1, 8192}).ok());
    writer = open_writer(blobs);
  }
  std::unique_ptr<Repository> open_writer(BlobStore& store) {
    return open_repository(store, clock, *random, writer_key, small_budget).take();
  }
  std::string log() { return std::string(text_of(repository->get_log(name).take())); }

  Secret writer_key{std::string_view("for the host that backs up")};
  std::unique_ptr<Repository> writer;
  const LogName name{"db", 1, 7};
};

TEST_F(WriteOnly, ReadsNothingAndSaysWhichKeyIsNeeded) {
  auto old = back_up({{"a", "seen by the owner alone"}});
  ASSERT_TRUE(repository->put_record("journal", "1", view_of("text")).ok());
  ASSERT_TRUE(repository->put_log(name, view_of("log"), {}).ok());
  EXPECT_FALSE(writer->may_read());
  EXPECT_TRUE(repository->may_read());
  for (const auto& error : {writer->snapshots().error(), writer->snapshot(old.id).error(),
                            writer->get_record("journal", "1").error(),
                            writer->get_log(name).error(), writer->get_log_summary(name).error()}) {
    EXPECT_EQ(error.kind(), ErrorKind::denied) << error.text();
    EXPECT_EQ(error.exit_code(), ExitCode::wrong_key) << error.text();
  }
}

// Everything a stolen host could try: none of its keys, in any role, opens what is for readers.
TEST_F(WriteOnly, NoneOfItsKeysStandsInForThePrivateOne) {
  auto old = back_up({{"a", "seen by the owner alone"}});
  const auto& held = writer->core()->keys;
  for (const auto* other : {&held.id_key, &held.cut_key, &held.write_key}) {
    Keyring forged;
    forged.repository_id = held.repository_id;
    forged.public_key = held.public_key;
    forged.private_key = other->clone();
    for (auto* each : {&forged.id_key, &forged.cut_key, &forged.write_key})
      *each = held.write_key.clone();
    auto object = blobs.get(verdict_key(old.id)).take();
    EXPECT_EQ(open_object(forged, verdict_key(old.id), object).error().kind(), ErrorKind::corrupt);
  }
}

TEST_F(WriteOnly, BacksUpAndDeduplicatesWithoutAParent) {
  Content content{{"a", noise(1, 700'000)}, {"b", noise(2, 10'000)}};
  auto first = write_snapshot(*writer, "data", content, clock.now());
  ASSERT_TRUE(first.ok()) << first.error().text();
  clock.advance(Seconds(1));
  writer = open_writer(blobs);
  content["c"] = "new";
  auto second = write_snapshot(*writer, "data", content, clock.now());
  ASSERT_TRUE(second.ok()) << second.error().text();
  EXPECT_EQ(second->new_bytes, 3u);
  EXPECT_EQ(read(second->id), content);
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

// Each run tells its part from the segment's beginning, because it cannot read what is there.
TEST_F(WriteOnly, TailsOfSeveralRunsAddUp) {
  auto whole = noise(3, 5000);
  auto piece = [&](std::size_t from, std::size_t to) {
    return view_of(std::string_view(whole).substr(from, to - from));
  };
  ASSERT_TRUE(writer->put_log_tail(name, 0, piece(0, 1000), {}).ok());
  ASSERT_TRUE(writer->put_log_tail(name, 1000, piece(1000, 1500), view_of("1")).ok());
  EXPECT_EQ(log(), whole.substr(0, 1500));
  for (std::size_t run = 2; run < 5; ++run) {
    writer = open_writer(blobs);
    auto listed = writer->logs("db").take();
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].durable_bytes, 0u);
    ASSERT_TRUE(writer->put_log_tail(name, 0, piece(0, 200), view_of("shorter")).ok());
    EXPECT_GE(log().size(), 1500u) << "nothing durable is hidden";
    ASSERT_TRUE(writer->put_log_tail(name, 200, piece(200, 1000 * run), view_of("x")).ok());
    EXPECT_EQ(log(), whole.substr(0, 1000 * run));
  }
  EXPECT_EQ(text_of(repository->get_log_summary(name).take()), "x");
  ASSERT_TRUE(writer->put_log(name, view_of(whole), {}).ok());
  EXPECT_EQ(keys("w/").size(), 1u);
  EXPECT_EQ(log(), whole);
}

TEST_F(WriteOnly, AnAnswerThatIsLostIsRecognised) {
  FaultBlobStore faulty(blobs,
                        {.nth = 0, .fault = BlobFault::timed_out_applied, .only = BlobCall::put});
  auto host = open_writer(faulty);
  EXPECT_TRUE(host->put_log(name, view_of("log"), {}).ok());
  EXPECT_TRUE(faulty.fired());
  EXPECT_EQ(log(), "log");
}

TEST_F(WriteOnly, ASegmentThatIsThereIsKeptBesideAndCompared) {
  ASSERT_TRUE(repository->put_log(name, view_of("log"), {}).ok());
  const auto objects = [&] { return blobs.list("w/", {}).take().size(); };
  const auto verified = [&] { return repository->verify({.deep = true}, {}, {}).take(); };
  for (int turn = 0; turn < 3; ++turn) {
    ASSERT_TRUE(writer->put_log(name, view_of("log"), {}).ok()) << turn;
    EXPECT_EQ(objects(), 2u + static_cast<std::size_t>(turn));
  }
  EXPECT_EQ(log(), "log");
  EXPECT_TRUE(verified().clean());
  // A key that reads finds it the same, and tidies up.
  ASSERT_TRUE(open(blobs)->put_log(name, view_of("log"), {}).ok());
  EXPECT_EQ(objects(), 1u);
  // Of another server: what it was told to be durable is, and the two are not taken for one.
  ASSERT_TRUE(writer->put_log(name, view_of("lag"), {}).ok());
  EXPECT_EQ(log(), "log");
  const auto report = verified();
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_NE(report.findings[0].problem.find("two servers wrote one log"), std::string::npos);
}

TEST_F(WriteOnly, HistoriesAndRecordsArePutOnce) {
  ASSERT_TRUE(writer->put_history("db", 2, view_of("1 0/5000 why")).ok());
  ASSERT_TRUE(writer->put_history("db", 2, view_of("1 0/5000 why")).ok());
  EXPECT_EQ(text_of(*repository->get_history("db", 2).take()), "1 0/5000 why");
  ASSERT_TRUE(writer->put_record("journal", "1", view_of("text")).ok());
  EXPECT_EQ(writer->put_record("journal", "1", view_of("text")).error().kind(),
            ErrorKind::conflict);
  EXPECT_EQ(text_of(repository->get_record("journal", "1").take()), "text");
}

}  // namespace
}  // namespace lb::repo
