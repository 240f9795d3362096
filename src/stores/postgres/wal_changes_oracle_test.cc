// The blocks, new files and cuts that the scanner tells, against pg_waldump on the log of a real
// server that did some forty kinds of things.
#include <gtest/gtest.h>

#include <charconv>

#include "stores/postgres/busy_server.h"
#include "stores/postgres/wal_reader.h"
#include "stores/postgres/waldump_log.h"

namespace lb::pg {
namespace {

constexpr std::uint64_t segment = 1 << 20;

struct Told {
  std::set<std::pair<ForkId, std::uint32_t>> blocks;
  std::set<RelationId> created;
  std::map<RelationId, std::uint32_t> limits;  // of the main fork
  std::set<std::uint32_t> spgist;              // filenodes of SP-GiST indexes
  std::uint64_t records = 0;
};

std::uint32_t number(std::string_view& text) {
  std::uint32_t value = 0;
  auto end = std::from_chars(text.data(), text.data() + text.size(), value).ptr;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// "1663/5/16384 blk 3" or "1663/5/16384 fork vm blk 0"
std::pair<ForkId, std::uint32_t> read_block(std::string_view text) {
  ForkId fork;
  fork.relation.tablespace = number(text);
  text.remove_prefix(1);
  fork.relation.database = number(text);
  text.remove_prefix(1);
  fork.relation.filenode = number(text);
  if (text.starts_with(" fork fsm")) fork.fork = fork_fsm;
  if (text.starts_with(" fork vm")) fork.fork = fork_vm;
  if (text.starts_with(" fork init")) fork.fork = fork_init;
  text.remove_prefix(text.find(" blk ") + 5);
  return {fork, number(text)};
}

// "base/5/16384", "global/1262", "pg_tblspc/16400/PG_15_202209061/5/16384", and a fork's suffix.
RelationId read_path(std::string_view path) {
  path = path.substr(0, path.find_first_of(" ;\n"));
  const auto parts = split(path, '/');
  auto part = [&](std::size_t at) {
    std::string_view text = parts.at(at);
    return number(text);
  };
  if (parts[0] == "global") return {1664, 0, part(1)};
  if (parts[0] == "base") return {1663, part(1), part(2)};
  return {part(1), part(3), part(4)};
}

void read_storage(std::string_view line, Told& told) {
  constexpr std::string_view create = "desc: CREATE ", truncate = "desc: TRUNCATE ";
  if (auto at = line.find(create); at != line.npos) {
    told.created.insert(read_path(line.substr(at + create.size())));
  }
  auto at = line.find(truncate);
  if (at == line.npos) return;
  const auto relation = read_path(line.substr(at + truncate.size()));
  line.remove_prefix(line.find(" to ") + 4);
  const auto limit = number(line);
  auto [known, fresh] = told.limits.emplace(relation, limit);
  if (!fresh) known->second = std::min(known->second, limit);
}

Told read_dump(const std::vector<std::string>& lines) {
  Told told;
  for (std::string_view line : lines) {
    ++told.records;
    if (line.starts_with("rmgr: Storage")) read_storage(line, told);
    const bool spgist = line.starts_with("rmgr: SPGist");
    for (auto at = line.find("blkref #"); at != line.npos; at = line.find("blkref #", at + 1)) {
      const auto block = read_block(line.substr(line.find("rel ", at) + 4));
      told.blocks.insert(block);
      if (spgist) told.spgist.insert(block.first.relation.filenode);
    }
  }
  return told;
}

Told told_by(const SegmentDetail& detail) {
  Told told;
  told.created = detail.created;
  for (const auto& [fork, changes] : detail.forks) {
    std::vector<std::uint32_t> blocks;
    changes.blocks.list(0, ~0u, blocks);
    for (auto block : blocks) told.blocks.emplace(fork, block);
    if (changes.limit && fork.fork == fork_main) told.limits[fork.relation] = *changes.limit;
  }
  return told;
}

SegmentDetail scan(ByteView log, Lsn start) {
  auto scanner = WalScanner::create(start, 0, {.detail = true});
  for (std::size_t from = 0; from < log.size(); from += 7001) {
    auto status = scanner->feed(log.subspan(from, std::min<std::size_t>(7001, log.size() - from)));
    EXPECT_TRUE(status.ok()) << status.error().text();
    if (!status.ok()) break;
  }
  return scanner->take_detail();
}

TEST(WalChangesOracle, BlocksFilesAndCutsAgreeWithTheServer) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  BusyServer busy(21);
  auto& server = busy.server();
  const auto redo = parse_lsn(server.value("SELECT redo_lsn FROM pg_control_checkpoint()")).take();
  busy.work_through_all();
  busy.work(40);
  server.sql("CHECKPOINT");
  const auto end = parse_lsn(server.value("SELECT pg_current_wal_flush_lsn()")).take();
  server.stop(test::StopMode::immediate);

  auto log = whole_log(server, redo / segment, (end - 1) / segment, segment);
  log.resize(end - redo / segment * segment);
  const auto ours = told_by(scan(log, redo / segment * segment));
  const auto theirs = read_dump(dump_log(server, redo / segment, end, segment));
  EXPECT_GT(theirs.records, 50'000u);
  for (const auto& block : theirs.blocks) EXPECT_TRUE(ours.blocks.contains(block));
  for (const auto& block : ours.blocks) {
    if (theirs.blocks.contains(block)) continue;
    // More is told of SP-GiST indexes alone: their first page.
    EXPECT_EQ(block.second, 0u);
    EXPECT_TRUE(theirs.spgist.contains(block.first.relation.filenode));
  }
  EXPECT_EQ(ours.created, theirs.created);
  EXPECT_EQ(ours.limits, theirs.limits);
  EXPECT_FALSE(ours.limits.empty());
  std::cout << theirs.records << " records, " << theirs.blocks.size() << " blocks, "
            << theirs.created.size() << " files made, " << theirs.limits.size() << " cut\n";
}

// What an operator would call accidents, each found by its transaction, and nothing else.
TEST(WalChangesOracle, AccidentsAreFound) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = test::PostgresServer::start(
      {.segment_mib = 1, .settings = {{"wal_keep_size", "1GB"}, {"autovacuum", "off"}}});
  server->sql("CREATE TABLE t AS SELECT g AS id, 'x' AS v FROM generate_series(1, 9000) g");
  server->sql("CREATE TABLE gone (id int); CREATE TABLE emptied AS SELECT 1 AS id");
  server->sql("CREATE DATABASE old");
  server->sql("CHECKPOINT");
  const auto begin =
      parse_lsn(server->value("SELECT redo_lsn FROM pg_control_checkpoint()")).take();
  auto filenode = [&](const char* table) {
    return static_cast<std::uint32_t>(
        std::stoul(server->value(cat("SELECT pg_relation_filenode('", table, "')"))));
  };
  const auto t = filenode("t"), gone = filenode("gone"), emptied = filenode("emptied");
  server->sql("DELETE FROM t WHERE id <= 100");
  server->sql("BEGIN; DELETE FROM t; ROLLBACK");
  for (const char* text : {"DELETE FROM t WHERE id <= 3000", "UPDATE t SET v = NULL",
                           "DROP TABLE gone", "TRUNCATE emptied"}) {
    server->sql(text);
  }
  server->sql("DROP DATABASE old");
  const auto end = parse_lsn(server->value("SELECT pg_current_wal_flush_lsn()")).take();
  server->stop(test::StopMode::immediate);
  auto log = whole_log(*server, begin / segment, (end - 1) / segment, segment);
  log.resize(end - begin / segment * segment);
  auto detail = scan(log, begin / segment * segment);
  std::erase_if(detail.suspects, [&](const Suspect& suspect) { return suspect.end_lsn <= begin; });
  ASSERT_EQ(detail.suspects.size(), 5u);
  EXPECT_EQ(detail.suspects[0].rows.at(0).relation.filenode, t);
  EXPECT_EQ(detail.suspects[0].rows.at(0).deleted, 2900u);
  EXPECT_EQ(detail.suspects[1].rows.at(0).updated, 6000u);
  EXPECT_EQ(detail.suspects[2].dropped.at(0).filenode, gone);
  EXPECT_TRUE(detail.suspects[2].created.empty());
  EXPECT_EQ(detail.suspects[3].dropped.at(0).filenode, emptied);
  EXPECT_EQ(detail.suspects[3].created.size(), 1u);
  EXPECT_EQ(detail.suspects[4].databases_dropped.size(), 1u);
  for (const auto& suspect : detail.suspects) {
    EXPECT_GT(suspect.time, detail.suspects[0].time - std::chrono::seconds(60));
    EXPECT_GT(suspect.end_lsn, suspect.lsn);
  }
}

}  // namespace
}  // namespace lb::pg
