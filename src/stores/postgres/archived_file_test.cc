#include "stores/postgres/archived_file.h"

#include <gtest/gtest.h>

#include "stores/postgres/segment_scan.h"
#include "stores/postgres/synthetic_wal.h"

namespace lb::pg {
namespace {

using Kind = ArchivedName::Kind;

TEST(ArchivedFile, NamesOfEveryKindAndNothingElse) {
  const auto segment = parse_archived_name("0000000A00000001000000FE");
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->kind, Kind::segment);
  EXPECT_EQ(segment->timeline, 10U);
  EXPECT_EQ(segment->segment(16 << 20), 256U + 254U);
  EXPECT_EQ(segment->segment(1 << 20), 4096U + 254U);
  EXPECT_EQ(parse_archived_name("000000010000000000000003.partial")->kind, Kind::partial);
  EXPECT_EQ(parse_archived_name("00000002.history")->kind, Kind::history);
  EXPECT_EQ(parse_archived_name("000000010000000000000003.00000028.backup")->kind, Kind::label);
  for (const char* name :
       {"", "00000002", "0000000A00000001000000F", "0000000a00000001000000FE", "RECOVERYXLOG",
        "000000000000000000000001", "000000010000000000000003.part", "00000002.history2",
        "000000010000000000000003.00000028.backups", "000000010000000000000003.0000002X.backup",
        "00000001000000000000000G"}) {
    EXPECT_FALSE(parse_archived_name(name)) << name;
  }
}

class ArchivedSegment : public testing::Test {
 protected:
  ArchivedSegment() {
    for (int i = 0; i < 300; ++i) wal.filler(8000);
    for (std::uint32_t xid = 700; xid < 720; ++xid) wal.commit(xid, Timestamp(Seconds(xid)));
  }
  ArchivedName named(std::uint32_t segment, std::uint32_t timeline = 1) {
    ArchivedName name;
    name.timeline = timeline;
    name.low = segment;
    return name;
  }
  SyntheticWal wal;
};

TEST_F(ArchivedSegment, IsTheOneItsNameSays) {
  const auto bytes = wal.segment(1);
  EXPECT_TRUE(check_segment(named(1), bytes, SyntheticWal::system_identifier).ok());
  EXPECT_TRUE(check_segment(named(1), bytes, 0).ok());
  EXPECT_TRUE(check_segment(named(1, 2), bytes, 0).ok()) << "begins with its parent's pages";
  const auto other_system = check_segment(named(1), bytes, 5);
  ASSERT_FALSE(other_system.ok());
  EXPECT_NE(other_system.error().text().find("database system"), std::string::npos);
  EXPECT_FALSE(check_segment(named(2), bytes, 0).ok());
  EXPECT_FALSE(check_segment(named(1), ByteView(bytes).first(bytes.size() / 2), 0).ok());
  EXPECT_FALSE(check_segment(named(1), Buffer(1 << 20), 0).ok());
  EXPECT_FALSE(check_segment(named(1), Buffer(10), 0).ok());
  SyntheticWal later(SyntheticWal::segment_bytes, 3);
  later.filler(100);
  EXPECT_FALSE(check_segment(named(1), later.segment(1), 0).ok()) << "timeline 3 named 1";
}

TEST_F(ArchivedSegment, TheControlFileNamesItsSystem) {
  Buffer control(512);
  ByteWriter(control).u64(1);
  EXPECT_FALSE(control_system_identifier(ByteView(control).first(512)).ok()) << "zero";
  control.clear();
  ByteWriter(control).u64(SyntheticWal::system_identifier);
  EXPECT_EQ(*control_system_identifier(control), SyntheticWal::system_identifier);
  EXPECT_FALSE(control_system_identifier(ByteView(control).first(7)).ok());
}

// Every commit is in exactly one summary: those that lie across two segments count where they end,
// also when the scan begins anew with the help of the segment before.
TEST_F(ArchivedSegment, SummariesOfSegmentsInARowMissNoRecord) {
  SyntheticWal busy;
  std::uint64_t written = 0;
  for (std::uint32_t xid = 700; busy.end() < 4 * SyntheticWal::segment_bytes; ++xid) {
    busy.commit(xid, Timestamp(Seconds(xid)), std::vector<std::uint32_t>(500, 1));
    ++written;
  }
  const auto count = [&](bool forget) {
    std::uint64_t commits = 0;
    std::optional<SegmentScan> scan;
    for (std::uint64_t n = 1; n <= 4; ++n) {
      if (!scan || forget) scan.emplace();
      const auto bytes = busy.segment(n);
      const auto before = [&]() -> std::optional<Buffer> {
        return n == 1 ? std::nullopt : std::optional<Buffer>(busy.segment(n - 1));
      };
      const auto read = scan->next(1, n, bytes, before);
      EXPECT_EQ(read.trouble, "");
      commits += decode_summary(read.summary)->commits;
    }
    return commits;
  };
  EXPECT_EQ(count(false), written);
  EXPECT_EQ(count(true), written);
}

TEST_F(ArchivedSegment, WhatCannotBeReadIsSaidAndTheNextOneBeginsAnew) {
  SegmentScan scan;
  auto spoiled = wal.segment(1);
  spoiled[300'000] ^= 1;
  const auto none = [] { return std::optional<Buffer>(); };
  const auto first = scan.next(1, 1, spoiled, none);
  EXPECT_NE(first.trouble.find("000000010000000000000001"), std::string::npos);
  EXPECT_TRUE(decode_summary(first.summary).ok());
  const auto second = scan.next(1, 2, wal.segment(2), none);
  EXPECT_EQ(second.trouble, "");
  EXPECT_GT(decode_summary(second.summary)->records, 0U);
}

TEST_F(ArchivedSegment, LogEndsWhereItsLastRecordEnds) {
  SyntheticWal little;
  little.filler(100);
  const auto end = little.end();
  auto bytes = little.segment(1);
  const auto used = log_bytes_in(bytes, SyntheticWal::segment_bytes);
  EXPECT_LE(SyntheticWal::segment_bytes + used, end + 8);
  EXPECT_GT(used, 100U);
  // What a recycled file still holds is no log.
  std::fill(bytes.begin() + 8192, bytes.end(), 0xAB);
  EXPECT_EQ(log_bytes_in(bytes, SyntheticWal::segment_bytes), used);
}

}  // namespace
}  // namespace lb::pg
