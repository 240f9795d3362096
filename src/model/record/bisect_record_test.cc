#include "model/record/bisect_record.h"

#include <gtest/gtest.h>

namespace lb::record {
namespace {

TEST(BisectRecordTest, EveryFieldComesBack) {
  BisectProbe probe;
  probe.words = "LSN 0/5A on point 06FQ";
  probe.answer = "good";
  probe.reason = "2 checks passed";
  probe.at = *parse_time("2026-01-13T02:14:05.123456Z");
  probe.started = *parse_time("2026-01-14T00:00:00Z");
  probe.took = Seconds(3);
  probe.stores = {{"db", "postgres", "06FQ", probe.at, "0/5A", probe.at}};
  BisectRecord record;
  record.id = "06FQ0KZ4";
  record.system = "shop";
  record.started_by = "ada";
  record.host = "h";
  record.version = "lifeboat 1";
  record.run = "06FQ";
  record.subject = "db";
  record.check = "integrity";
  record.stores = {"db"};
  record.started = probe.started;
  record.ended = probe.started + Seconds(9);
  record.clean = probe;
  record.clean_words = "2026-01-13T02:14:05.123456Z";
  record.first_bad = probe;
  record.first_bad->answer = "bad";
  record.transaction = "transaction 771";
  record.narrowed = true;
  record.reason = "clean at";
  record.warnings = {"left out"};
  record.probes = {probe, *record.first_bad};
  auto json = encode(record);
  auto back = decode_bisect(json);
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(encode(*back).dump(), json.dump());
  EXPECT_EQ(back->clean->at, probe.at);
  EXPECT_EQ(back->probes.at(1).answer, "bad");
  EXPECT_EQ(back->probes.at(0).stores.at(0).lsn, "0/5A");
  auto one = decode_bisect_probe(encode(probe));
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->words, probe.words);
}

TEST(BisectRecordTest, NothingCleanStaysNothing) {
  BisectRecord record;
  record.id = "06FQ0KZ4";
  auto back = decode_bisect(encode(record));
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_FALSE(back->clean);
  EXPECT_FALSE(back->first_bad);
}

TEST(BisectRecordTest, AnotherSchemaIsDamageNotAGuess) {
  EXPECT_EQ(decode_bisect(*parse_json(R"({"schema": "lifeboat.drill/1"})")).error().kind(),
            ErrorKind::corrupt);
  EXPECT_FALSE(decode_bisect(*parse_json(R"({"schema": "lifeboat.bisect/1"})")).ok());
}

}  // namespace
}  // namespace lb::record
