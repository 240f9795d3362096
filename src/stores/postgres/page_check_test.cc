#include "stores/postgres/page_check.h"

#include <fstream>
#include <random>
#include <sstream>

#include "stores/postgres/page_sums.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {
namespace {

using test::PostgresServer;

std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(RelationFile, KnowsForksSegmentsAndPlaces) {
  EXPECT_TRUE(relation_file("base/5/16384").relation);
  EXPECT_EQ(relation_file("base/5/16384.12").segment, 12u);
  EXPECT_TRUE(relation_file("base/5/16384_fsm").relation);
  EXPECT_TRUE(relation_file("base/5/16384_vm.1").relation);
  EXPECT_TRUE(relation_file("global/1262").relation);
  EXPECT_TRUE(relation_file("pg_tblspc/16500/PG_15_202209061/5/16384").relation);
  for (const char* other :
       {"base/5/PG_VERSION", "base/5/pg_filenode.map", "global/pg_control", "base/5/16384_x",
        "base/5/16384.", "base/5/16384.1x", "base/5/t3_16384", "pg_xact/0000", "pg_wal/000000010",
        "base/16384", "", "1", "pg_tblspc/16500", "base/5/16384.99999999999"}) {
    EXPECT_FALSE(relation_file(other).relation) << other;
  }
}

TEST(PageSums, AllWaysGiveTheSame) {
  std::mt19937 chance(7);
  Buffer memory(page_bytes + 1);
  for (std::size_t round = 0; round < 200; ++round) {
    for (auto& byte : memory) byte = static_cast<std::uint8_t>(chance());
    const std::uint8_t* page = memory.data() + round % 2;  // not aligned
    PageSums start, expected, without_sum;
    for (auto& sum : start) sum = static_cast<std::uint32_t>(chance());
    const auto ways = page_sums_ways();
    ways.back().mix(page, expected = start);
    memory[8 + round % 2] ^= 0xFF;  // the checksum field counts for nothing
    for (const auto& way : ways) {
      way.mix(page, without_sum = start);
      EXPECT_EQ(without_sum, expected) << way.name;
    }
    memory[10 + round % 2] ^= 1;
    for (const auto& way : ways) {
      way.mix(page, without_sum = start);
      EXPECT_NE(without_sum, expected) << way.name;
    }
  }
}

// The server's own pages are the reference: every one of them must carry the sum we compute.
TEST(PageCheck, AgreesWithTheServerOnEveryPageAndFindsEveryFlip) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start();
  server->sql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 20000) i");
  const std::string path = server->value("SELECT pg_relation_filepath('t')");
  server->stop();
  const std::string bytes = file_bytes(server->data() + "/" + path);
  ASSERT_GE(bytes.size(), 10 * page_bytes);
  for (std::uint32_t block = 0; block < bytes.size() / page_bytes; ++block) {
    const ByteView page = view_of(bytes).subspan(block * page_bytes, page_bytes);
    EXPECT_EQ(judge_page(page, block, 0), PageVerdict::good);
    EXPECT_NE(page_checksum(page, block), page_checksum(page, block + 1));
  }
  Buffer page(bytes.begin(), bytes.begin() + page_bytes);
  const Lsn end = page_lsn(page) + 1;
  for (std::size_t at = 16; at < page_bytes; at += 61) {
    page[at] ^= 0x10;
    EXPECT_EQ(judge_page(page, 0, end), PageVerdict::bad) << at;
    EXPECT_EQ(judge_page(page, 0, end - 1), PageVerdict::changed_since) << at;
    page[at] ^= 0x10;
  }
  Buffer zero(page_bytes, 0);
  EXPECT_EQ(judge_page(zero, 0, 1), PageVerdict::fresh);
  zero[8000] = 1;
  EXPECT_EQ(judge_page(zero, 0, 1), PageVerdict::bad);
}

}  // namespace
}  // namespace lb::pg
