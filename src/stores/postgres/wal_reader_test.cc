#include "stores/postgres/wal_reader.h"

#include <gtest/gtest.h>

#include "stores/postgres/synthetic_wal.h"
#include "stores/postgres/wal_crc.h"
#include "stores/postgres/wal_page.h"

namespace lb::pg {
namespace {

const RelationId table{1663, 16384, 20001};
const RelationId other{1663, 16384, 20002};

Timestamp at(int seconds) { return from_micros(1'768'000'000'000'000 + seconds * 1'000'000LL); }

// Everything a scan yields, comparable.
struct Scanned {
  bool ok = false;
  std::string error;
  Buffer summary;
  std::vector<Lsn> commits;
  std::map<RelationId, std::int64_t> rows;
  bool ended = false;
  bool operator==(const Scanned&) const = default;
};

Scanned scan(ByteView bytes, std::size_t slice, Lsn start,
             const std::string& snapshot = "100:100:") {
  auto scanner =
      WalScanner::create(start, 0, {.commits = true, .aborts = false, .row_deltas = true});
  Scanned out;
  out.ok = true;
  for (std::size_t from = 0; from < bytes.size() && out.ok; from += slice) {
    auto status = scanner->feed(bytes.subspan(from, std::min(slice, bytes.size() - from)));
    out.ok = status.ok();
    if (!out.ok) {
      out.error = status.error().text();
      EXPECT_EQ(status.error().kind(), ErrorKind::corrupt) << out.error;
    }
  }
  out.summary = encode(scanner->summary());
  for (const auto& commit : scanner->commits()) out.commits.push_back(commit.lsn);
  auto rows = scanner->row_deltas(snapshot, ~Lsn{0});
  if (rows.ok()) out.rows = *rows;
  out.ended = scanner->reached_end();
  return out;
}

LogSummary summary_of(const Scanned& scanned) { return decode_summary(scanned.summary).take(); }

// Two segments with everything the scanner knows; records cross pages and the segment boundary.
SyntheticWal rich_log() {
  SyntheticWal wal;
  wal.running(100, 100);
  wal.insert(100, table);
  wal.insert_with_image(100, table);
  wal.filler(20'000);
  wal.commit(100, at(1));
  wal.multi_insert(102, table, 40);
  wal.erase(103, table);
  wal.erase(104, table);
  wal.abort(104, at(2), {});
  wal.commit(102, at(3), {103});
  wal.restore_point("before release", at(4));
  wal.filler(1'100'000);
  wal.insert(105, other);
  wal.commit(105, at(5));
  return wal;
}

TEST(WalCrc, KnownAnswerAndHardwareAgreesWithTheTable) {
  EXPECT_EQ(crc32c_end(crc32c_add(crc32c_begin(), view_of("123456789"))), 0xE3069283u);
  Buffer bytes(1000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * i);
  for (std::size_t size = 0; size < 100; ++size) {
    auto part = ByteView(bytes).subspan(size, size * 3);
    EXPECT_EQ(crc32c_add(7, part), crc32c_add_portable(7, part));
  }
}

TEST(WalScanner, ReadsCommitsRowsAndRestorePoints) {
  auto wal = rich_log();
  auto scanned = scan(wal.bytes(), wal.bytes().size(), wal.start());
  ASSERT_TRUE(scanned.ok) << scanned.error;
  auto summary = summary_of(scanned);
  EXPECT_EQ(summary.records, 14u);
  EXPECT_EQ(summary.commits, 3u);
  EXPECT_EQ(summary.first_commit->xid, 100u);
  EXPECT_EQ(summary.last_commit->xid, 105u);
  EXPECT_EQ(*summary.min_commit_time, at(1));
  EXPECT_EQ(*summary.max_commit_time, at(5));
  EXPECT_EQ(summary.end_lsn, wal.end());
  EXPECT_EQ(summary.last_commit->end_lsn, wal.end());
  EXPECT_EQ(summary.system_identifier, SyntheticWal::system_identifier);
  EXPECT_EQ(summary.timeline, 1u);
  ASSERT_EQ(summary.restore_points.size(), 1u);
  EXPECT_EQ(summary.restore_points[0].name, "before release");
  EXPECT_EQ(scanned.rows.at(table), 2 + 40 - 1);
  EXPECT_EQ(scanned.rows.at(other), 1);
  EXPECT_FALSE(scanned.ended);
}

TEST(WalScanner, AnyCutOfTheFeedGivesTheSame) {
  auto wal = rich_log();
  auto whole = scan(wal.bytes(), wal.bytes().size(), wal.start());
  ASSERT_TRUE(whole.ok);
  for (std::size_t slice = 1; slice < 200; slice += 2) {
    ASSERT_EQ(scan(wal.bytes(), slice, wal.start()), whole) << "slices of " << slice;
  }
  for (std::size_t slice : {8191u, 8192u, 8193u, 65537u, 1048576u}) {
    ASSERT_EQ(scan(wal.bytes(), slice, wal.start()), whole) << "slices of " << slice;
  }
}

TEST(WalScanner, ZerosEndTheLog) {
  auto wal = rich_log();
  auto last = wal.segment(2);
  for (std::size_t slice : {1ul, 3ul, 4096ul, last.size()}) {
    auto scanned = scan(last, slice, 2 * SyntheticWal::segment_bytes);
    EXPECT_TRUE(scanned.ok) << scanned.error;
    EXPECT_TRUE(scanned.ended);
    EXPECT_EQ(summary_of(scanned).end_lsn, wal.end());
    EXPECT_EQ(summary_of(scanned).commits, 1u);
  }
}

TEST(WalScanner, BytesAfterALengthOfZeroAreDamage) {
  auto wal = rich_log();
  auto bytes = wal.bytes();
  bytes[40] = bytes[41] = bytes[42] = bytes[43] = 0;
  auto scanned = scan(bytes, bytes.size(), wal.start());
  EXPECT_FALSE(scanned.ok);
  EXPECT_NE(scanned.error.find("0/100028"), std::string::npos) << scanned.error;
}

TEST(WalScanner, BeginsInsideARecordFromTheSegmentBefore) {
  auto wal = rich_log();
  auto second = Buffer(wal.bytes().begin() + SyntheticWal::segment_bytes, wal.bytes().end());
  auto scanned = scan(second, 777, 2 * SyntheticWal::segment_bytes);
  ASSERT_TRUE(scanned.ok) << scanned.error;
  EXPECT_EQ(summary_of(scanned).records, 2u);
  EXPECT_EQ(summary_of(scanned).last_commit->xid, 105u);
}

TEST(WalScanner, BeginsAtARecordInsideAPage) {
  SyntheticWal wal;
  wal.filler(100);
  auto start = wal.commit(7, at(1));
  wal.filler(10'000);
  auto bytes = ByteView(wal.bytes()).subspan(start - wal.start());
  auto scanner = WalScanner::create(start, SyntheticWal::segment_bytes,
                                    {.commits = true, .aborts = false, .row_deltas = false});
  ASSERT_TRUE(scanner->feed(bytes).ok());
  ASSERT_EQ(scanner->commits().size(), 1u);
  EXPECT_EQ(scanner->commits()[0].lsn, start);
  EXPECT_EQ(scanner->summary().end_lsn, wal.end());
}

TEST(WalScanner, ASwitchSkipsToTheNextSegment) {
  SyntheticWal wal;
  wal.commit(7, at(1));
  wal.switch_segment();
  wal.commit(8, at(2));
  for (std::size_t slice : {1ul, 1001ul, wal.bytes().size()}) {
    auto scanned = scan(wal.bytes(), slice, wal.start());
    ASSERT_TRUE(scanned.ok) << scanned.error;
    EXPECT_EQ(scanned.commits.size(), 2u);
    EXPECT_FALSE(scanned.ended);
  }
  auto first = scan(wal.segment(1), 5000, wal.start());
  EXPECT_EQ(summary_of(first).end_lsn, 2 * SyntheticWal::segment_bytes);
  EXPECT_FALSE(first.ended);
}

TEST(WalScanner, ARecordGivenUpInACrashIsDropped) {
  SyntheticWal wal;
  wal.commit(7, at(1));
  wal.abandoned_record(50'000);
  wal.commit(8, at(2));
  for (std::size_t slice : {1ul, 999ul, wal.bytes().size()}) {
    auto scanned = scan(wal.bytes(), slice, wal.start());
    ASSERT_TRUE(scanned.ok) << scanned.error;
    EXPECT_EQ(scanned.commits.size(), 2u);
    EXPECT_EQ(summary_of(scanned).records, 2u);
  }
}

TEST(WalScanner, FollowsATimelineForwardsOnly) {
  SyntheticWal wal;
  wal.commit(7, at(1));
  wal.set_timeline(3);
  wal.filler(10'000);
  auto forwards = scan(wal.bytes(), 4096, wal.start());
  EXPECT_TRUE(forwards.ok) << forwards.error;
  EXPECT_EQ(summary_of(forwards).timeline, 3u);
  wal.set_timeline(2);
  wal.filler(10'000);
  auto backwards = scan(wal.bytes(), 4096, wal.start());
  EXPECT_FALSE(backwards.ok);
  EXPECT_NE(backwards.error.find("timeline goes back"), std::string::npos);
}

TEST(WalScanner, TakesASummaryPerSegmentAndSeesTheCommitBetween) {
  SyntheticWal wal;
  wal.filler(static_cast<std::size_t>(SyntheticWal::segment_bytes) - 128 * 24 - 16 - 24 - 2 - 4 -
             60);
  auto crossing = wal.commit(7, at(1));
  wal.commit(8, at(2));
  ASSERT_LT(crossing, 2 * SyntheticWal::segment_bytes);
  ASSERT_GT(wal.end(), 2 * SyntheticWal::segment_bytes + 100);
  auto scanner = WalScanner::create(wal.start(), 0, {});
  ByteView bytes(wal.bytes());
  ASSERT_TRUE(scanner->feed(bytes.first(SyntheticWal::segment_bytes)).ok());
  auto first = scanner->take_summary();
  ASSERT_TRUE(scanner->feed(bytes.subspan(SyntheticWal::segment_bytes)).ok());
  auto second = scanner->take_summary();
  EXPECT_EQ(first.commits, 0u);
  EXPECT_EQ(second.commits, 2u);
  EXPECT_EQ(second.first_commit->lsn, crossing);
  EXPECT_EQ(second.first_lsn, 2 * SyntheticWal::segment_bytes);
  EXPECT_EQ(second.system_identifier, first.system_identifier);
}

TEST(WalScanner, AFlippedByteIsDamageWithItsPlace) {
  SyntheticWal wal;
  wal.running(100, 100);
  wal.insert(100, table);
  wal.commit(100, at(1), {101, 102});
  wal.filler(9'000);
  wal.commit(103, at(2));
  auto good = scan(wal.bytes(), wal.bytes().size(), wal.start());
  ASSERT_TRUE(good.ok);
  std::size_t unseen = 0;
  for (std::size_t i = 0; i < wal.bytes().size(); ++i) {
    auto bytes = wal.bytes();
    bytes[i] ^= static_cast<std::uint8_t>(1u << (i % 8));
    auto scanned = scan(bytes, 513, wal.start());
    if (scanned.ok) {
      // Padding, the system identifier (nothing to compare it with), or the last record said to be
      // longer.
      ++unseen;
      auto less = summary_of(scanned).commits < summary_of(good).commits;
      EXPECT_TRUE(less || scanned.rows == good.rows) << i;
    } else {
      EXPECT_NE(scanned.error.find("0/1"), std::string::npos) << scanned.error;
    }
  }
  EXPECT_LT(unseen, 60u);
}

TEST(WalScanner, AForeignPageAndAForeignSystemAreRefused) {
  auto wal = rich_log();
  auto later = scan(wal.bytes(), 100'000, wal.start() + SyntheticWal::segment_bytes);
  EXPECT_FALSE(later.ok);
  EXPECT_NE(later.error.find("it says it belongs at 0/100000"), std::string::npos) << later.error;
  auto bytes = wal.bytes();
  bytes[SyntheticWal::segment_bytes + 24] ^= 1;
  auto foreign = scan(bytes, 100'000, wal.start());
  EXPECT_FALSE(foreign.ok);
  EXPECT_NE(foreign.error.find("another database system"), std::string::npos) << foreign.error;
}

TEST(WalScanner, OtherBlockSizesAreUnsupported) {
  auto wal = rich_log();
  auto bytes = wal.bytes();
  bytes[37] = 0x40;  // 16 KiB
  auto scanner = WalScanner::create(wal.start(), 0, {});
  auto status = scanner->feed(bytes);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind(), ErrorKind::unsupported);
}

TEST(WalScanner, AMissingSegmentIsNoticed) {
  SyntheticWal wal;
  for (int i = 0; i < 40; ++i) wal.filler(100'000);
  Buffer bytes = wal.segment(1);
  auto third = wal.segment(3);
  bytes.insert(bytes.end(), third.begin(), third.end());
  auto scanned = scan(bytes, 65'536, wal.start());
  EXPECT_FALSE(scanned.ok);
  EXPECT_NE(scanned.error.find("0/200000"), std::string::npos) << scanned.error;
}

TEST(LogSummary, SurvivesEncodingAndRefusesDamage) {
  auto wal = rich_log();
  auto bytes = scan(wal.bytes(), wal.bytes().size(), wal.start()).summary;
  auto again = decode_summary(bytes);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(encode(*again), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_summary(ByteView(bytes).first(size)).ok()) << size;
  }
  bytes.push_back(0);
  EXPECT_FALSE(decode_summary(bytes).ok());
  EXPECT_TRUE(decode_summary(encode(LogSummary{})).ok());
}

}  // namespace
}  // namespace lb::pg
