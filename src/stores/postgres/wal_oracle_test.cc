// The scanner against pg_waldump on the log of a real server that did a bit of everything.
#include <gtest/gtest.h>

#include <regex>

#include "stores/postgres/wal_reader.h"
#include "stores/postgres/waldump_log.h"

namespace lb::pg {
namespace {

using test::PostgresServer;
constexpr std::uint64_t segment = 1 << 20;

void do_a_bit_of_everything(PostgresServer& server) {
  server.run_tool({"pgbench", "-i", "-s", "1", "-q", "postgres"});
  server.run_tool({"pgbench", "-c", "2", "-t", "200", "postgres"});
  server.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
  server.sql("INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, 5000) g");
  server.sql(
      "BEGIN; DELETE FROM t WHERE id < 9; SAVEPOINT a; DELETE FROM t; ROLLBACK TO a;"
      " SAVEPOINT b; INSERT INTO t VALUES (-1); RELEASE b; COMMIT");
  server.sql("INSERT INTO t SELECT g FROM generate_series(1, 50) g ON CONFLICT DO NOTHING");
  server.sql("SELECT pg_create_restore_point('first'), pg_create_restore_point('second')");
  server.sql("BEGIN; INSERT INTO t VALUES (-2); PREPARE TRANSACTION 'a'");
  server.sql("BEGIN; INSERT INTO t VALUES (-3); PREPARE TRANSACTION 'b'");
  server.sql("COMMIT PREPARED 'a'");
  server.sql("ROLLBACK PREPARED 'b'");
  server.sql("SELECT pg_switch_wal()");
  server.sql("SELECT pg_logical_emit_message(true, 'x', repeat('y', 3000000))");  // spans segments
  for (const char* text : {"CREATE DATABASE second_one", "DROP TABLE pgbench_history",
                           "VACUUM FULL t", "TRUNCATE t"}) {
    server.sql(text);
  }
  server.sql("CHECKPOINT");
}

struct Dumped {
  std::uint64_t records = 0;
  std::vector<std::pair<std::string, std::uint32_t>> commits;  // LSN and transaction
};

// "rmgr: Transaction … tx: 731, lsn: 0/01234567, …, desc: COMMIT_PREPARED 730: …"
Dumped dump(PostgresServer& server, std::uint64_t first, Lsn end) {
  Dumped out;
  const std::regex line_form(
      "rmgr: Transaction .*tx: +([0-9]+), lsn: ([0-9A-F/]+),.*desc: COMMIT(_PREPARED ([0-9]+))?[ "
      ":].*");
  for (const auto& line : dump_log(server, first, end, segment)) {
    ++out.records;
    std::smatch parts;
    if (line.find("desc: COMMIT") == std::string::npos || !std::regex_match(line, parts, line_form))
      continue;
    auto transaction = parts[4].matched ? parts[4].str() : parts[1].str();
    out.commits.emplace_back(format_lsn(*parse_lsn(parts[2].str())), std::stoul(transaction));
  }
  return out;
}

TEST(WalOracle, RecordsCommitsAndRowsAgreeWithTheServer) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start(
      {.segment_mib = 1,
       .settings = {{"wal_keep_size", "1GB"}, {"max_prepared_transactions", "5"}}});
  auto first =
      parse_lsn(server->value("SELECT redo_lsn FROM pg_control_checkpoint()")).take() / segment;
  do_a_bit_of_everything(*server);
  auto end = parse_lsn(server->value("SELECT pg_current_wal_flush_lsn()")).take();
  server->stop(test::StopMode::immediate);
  auto log = whole_log(*server, first, (end - 1) / segment, segment);
  log.resize(end - first * segment);

  auto scanner = WalScanner::create(first * segment, 0,
                                    {.commits = true, .aborts = false, .row_deltas = true});
  for (std::size_t from = 0; from < log.size(); from += 7001) {
    auto status =
        scanner->feed(ByteView(log).subspan(from, std::min<std::size_t>(7001, log.size() - from)));
    ASSERT_TRUE(status.ok()) << status.error().text();
  }
  auto oracle = dump(*server, first, end);
  EXPECT_EQ(scanner->summary().records, oracle.records);
  EXPECT_EQ(scanner->summary().end_lsn, end);
  ASSERT_EQ(scanner->commits().size(), oracle.commits.size());
  for (std::size_t i = 0; i < oracle.commits.size(); ++i) {
    EXPECT_EQ(format_lsn(scanner->commits()[i].lsn), oracle.commits[i].first);
    EXPECT_EQ(scanner->commits()[i].xid, oracle.commits[i].second);
  }
  ASSERT_EQ(scanner->summary().restore_points.size(), 2u);
  EXPECT_EQ(scanner->summary().restore_points[1].name, "second");
}

}  // namespace
}  // namespace lb::pg
