// The proof of changed pages on a real server: every page of a main fork that differs between two
// clean stops is told by the log in between, or its relation is to be read whole.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <iostream>

#include "stores/postgres/busy_server.h"
#include "stores/postgres/changed_pages.h"
#include "stores/postgres/log_writer.h"
#include "stores/postgres/memory_repository.h"
#include "stores/postgres/waldump_log.h"

namespace lb::pg {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t segment = 1 << 20;
constexpr std::size_t page = 8192;
constexpr std::uint32_t space_default = 1663, space_global = 1664;

// All files of relations, by place: "1663/5/16384", "…/16384.1", "…/16384_init".
using Cluster = std::map<std::string, std::string>;

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void read_folder(const fs::path& folder, const std::string& place, Cluster& out) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (entry.is_regular_file() && name.find_first_not_of("0123456789._init") > name.size()) {
      out[place + name] = content(entry.path());
    }
  }
}

void read_databases(const fs::path& folder, std::uint32_t tablespace, Cluster& out) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (!entry.is_directory() || name.find_first_not_of("0123456789") < name.size()) continue;
    read_folder(entry.path(), cat(tablespace, "/", name, "/"), out);
  }
}

Cluster read_cluster(const std::string& data) {
  Cluster out;
  read_folder(data + "/global", cat(space_global, "/0/"), out);
  read_databases(data + "/base", space_default, out);
  for (const auto& space : fs::directory_iterator(data + "/pg_tblspc")) {
    const auto tablespace = parse_uint(space.path().filename().string()).take();
    for (const auto& version : fs::directory_iterator(space.path())) {
      read_databases(version.path(), static_cast<std::uint32_t>(tablespace), out);
    }
  }
  return out;
}

// One state of the stopped server, and where its log stood.
struct Stop {
  Cluster cluster;
  Lsn lsn = 0;
};

Stop stop_and_look(test::PostgresServer& server) {
  server.stop();
  Stop out{read_cluster(server.data()), 0};
  server.start_again();
  out.lsn = parse_lsn(server.value("SELECT redo_lsn FROM pg_control_checkpoint()")).take();
  return out;
}

// Puts the server's log into the repository as a receiver would.
class Archive {
 public:
  Archive(const test::PostgresServer& server, Lsn begin)
      : server_(server), writer_(repository, "db", segment, [](const std::string& trouble) {
          ADD_FAILURE() << trouble;
        }) {
    EXPECT_TRUE(writer_.begin(1, begin / segment * segment).ok());
  }
  void receive(Lsn until) {
    const auto at = writer_.received();
    auto log = whole_log(server_, at / segment, (until - 1) / segment, segment, writer_.timeline());
    const auto skipped = static_cast<std::size_t>(at % segment);
    const auto fresh = ByteView(log).subspan(skipped, until - at);
    EXPECT_TRUE(writer_.append(at, fresh).ok());
    EXPECT_TRUE(writer_.flush().ok());
  }
  // The server left its timeline at `at`.
  void follow(std::uint32_t timeline, Lsn at) {
    receive(at);
    const auto history = content(cat(server_.data(), "/pg_wal/0000000", timeline, ".history"));
    EXPECT_TRUE(repository.put_history("db", timeline, view_of(history)).ok());
    EXPECT_TRUE(writer_.begin(timeline, at / segment * segment).ok());
  }
  std::uint32_t timeline() const { return writer_.timeline(); }
  MemoryRepository repository;

 private:
  const test::PostgresServer& server_;
  LogWriter writer_;
};

// "1663/5/16384.2": the relation and the first block of this file.
std::optional<std::pair<RelationId, std::uint32_t>> relation_of(const std::string& place) {
  const auto parts = split(place, '/');
  const auto name = split(parts[2], '.');
  if (name[0].find('_') != std::string::npos) return std::nullopt;
  auto number = [](std::string_view text) {
    return static_cast<std::uint32_t>(parse_uint(text).take());
  };
  const RelationId relation{number(parts[0]), number(parts[1]), number(name[0])};
  return std::pair(relation, name.size() > 1 ? number(name[1]) * 131'072 : 0);
}

struct Counts {
  std::uint64_t changed = 0, missed = 0, told = 0, whole = 0, truncated = 0, unlogged = 0,
                hints = 0;
};

bool is_unlogged(const Cluster& a, const Cluster& b, const RelationId& relation) {
  const auto init =
      cat(relation.tablespace, "/", relation.database, "/", relation.filenode, "_init");
  return a.contains(init) || b.contains(init);
}

void compare_file(const std::string& place, const std::string& before, const std::string& after,
                  std::span<const std::uint32_t> told, std::uint32_t first, Counts& counts) {
  std::size_t at = 0;
  for (std::size_t block = 0; (block + 1) * page <= std::min(before.size(), after.size());
       ++block) {
    const auto number = first + static_cast<std::uint32_t>(block);
    while (at < told.size() && told[at] < number) ++at;
    if (std::memcmp(&before[block * page], &after[block * page], page) == 0) continue;
    ++counts.changed;
    if (at < told.size() && told[at] == number) continue;
    if (is_unlogged_hint(view_of(std::string_view(after).substr(block * page, page)))) {
      ++counts.hints;
      continue;
    }
    ++counts.missed;
    ADD_FAILURE() << place << " block " << number << " changed unseen";
  }
}

Counts compare(const Cluster& a, const Cluster& b, const ChangedPages& pages) {
  Counts counts;
  for (const auto& [place, after] : b) {
    const auto before = a.find(place);
    const auto file = relation_of(place);
    if (before == a.end() || !file) continue;
    const auto& [relation, first] = *file;
    if (is_unlogged(a, b, relation)) {
      ++counts.unlogged;
      continue;
    }
    if (pages.whole(relation)) {
      ++counts.whole;
      continue;
    }
    const auto blocks =
        static_cast<std::uint32_t>(std::min(before->second.size(), after.size()) / page);
    const auto told = pages.blocks({relation, fork_main}, first, blocks);
    EXPECT_EQ(pages.any({relation, fork_main}) || told.empty(), true) << place;
    counts.told += told.size();
    if (after.size() < before->second.size()) ++counts.truncated;
    compare_file(place, before->second, after, told, first, counts);
  }
  return counts;
}

ChangedPages read_pages(Archive& archive, Lsn from, Lsn until) {
  const auto index = read_log_index(archive.repository, "db", segment).take();
  const auto reads = archive.repository.log_reads();
  auto pages = read_changed_pages(archive.repository, index, archive.timeline(), from, until);
  EXPECT_TRUE(pages.ok()) << (pages.ok() ? "" : pages.error().text());
  // Nothing was scanned but the segment that is not whole, and the one before it for the record
  // that may lie across their border; the same where the timeline was left.
  EXPECT_LE(archive.repository.log_reads() - reads, archive.timeline() == 1 ? 2 : 4);
  return std::move(pages).take();
}

void expect_proven(const Stop& before, const Stop& after, const ChangedPages& pages,
                   std::uint64_t least) {
  EXPECT_FALSE(pages.unusable()) << *pages.unusable();
  const auto counts = compare(before.cluster, after.cluster, pages);
  EXPECT_EQ(counts.missed, 0u);
  EXPECT_GE(counts.changed, least);
  EXPECT_LE(counts.told, 2 * counts.changed) << "so many would be a full backup";
  std::cout << "pages changed " << counts.changed << ", told " << counts.told << ", missed "
            << counts.missed << "; files of whole relations " << counts.whole << ", shortened "
            << counts.truncated << ", unlogged " << counts.unlogged << ", hints " << counts.hints
            << "; memory " << pages.memory_bytes() << " bytes\n";
}

class ChangedPagesProof : public testing::TestWithParam<int> {};

TEST_P(ChangedPagesProof, EveryPageThatChangedIsTold) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  const bool checksums = GetParam() != 3;
  BusyServer busy(static_cast<std::uint64_t>(GetParam()), checksums);
  std::cout << "PostgreSQL " << busy.version() << ", seed " << GetParam()
            << (checksums ? ", checksums\n" : ", wal_log_hints\n");
  std::vector<Stop> stops{stop_and_look(busy.server())};
  Archive archive(busy.server(), stops[0].lsn);
  for (int round = 0; round < 2; ++round) {
    if (round == 0) busy.work_through_all();
    busy.work(45);
    stops.push_back(stop_and_look(busy.server()));
    archive.receive(stops.back().lsn);
    auto pages = read_pages(archive, stops[stops.size() - 2].lsn, stops.back().lsn);
    expect_proven(stops[stops.size() - 2], stops.back(), pages, 100);
    if (HasFailure()) return;
  }
  // And over all rounds at once.
  expect_proven(stops.front(), stops.back(),
                read_pages(archive, stops.front().lsn, stops.back().lsn), 100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChangedPagesProof, testing::Values(1, 2, 3));

// Recovery of its own data directory puts a server on a new timeline, as a promotion does. Where
// the old one was left is the end of its log.
Lsn promote(test::PostgresServer& server) {
  server.stop();
  std::ofstream(server.data() + "/recovery.signal");
  server.set("restore_command", "false");
  server.start_again();
  while (server.value("SELECT pg_is_in_recovery()") != "f") {
  }
  const auto history = content(server.data() + "/pg_wal/00000002.history");
  return parse_lsn(split(history, '\t').at(1)).take();
}

TEST(ChangedPagesTimelines, ARangeGoesOnAcrossAPromotion) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  BusyServer busy(7);
  const auto before = stop_and_look(busy.server());
  Archive archive(busy.server(), before.lsn);
  busy.work(25);
  archive.follow(2, promote(busy.server()));
  busy.work(25);
  const auto after = stop_and_look(busy.server());
  archive.receive(after.lsn);
  expect_proven(before, after, read_pages(archive, before.lsn, after.lsn), 100);
}

// Where the log does not hold what changed, it is said.
TEST(ChangedPagesLimits, MinimalLogMakesTheRangeUnusable) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = test::PostgresServer::start(
      {.segment_mib = 1, .settings = {{"wal_keep_size", "1GB"}, {"wal_log_hints", "on"}}});
  const auto begin = stop_and_look(*server).lsn;
  Archive archive(*server, begin);
  server->sql("CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) g");
  const auto middle = stop_and_look(*server).lsn;
  server->set("wal_level", "minimal");
  server->set("max_wal_senders", "0");
  server->set("wal_log_hints", "off");
  server->restart();
  server->sql("CREATE TABLE unseen AS SELECT g FROM generate_series(1, 100000) g");
  server->set("wal_level", "replica");
  const auto end = stop_and_look(*server).lsn;
  archive.receive(end);
  EXPECT_FALSE(read_pages(archive, begin, middle).unusable());
  EXPECT_FALSE(read_pages(archive, begin, middle).hints_unlogged());
  EXPECT_TRUE(read_pages(archive, begin, end).unusable());
  EXPECT_TRUE(read_pages(archive, begin, end).hints_unlogged());
}

}  // namespace
}  // namespace lb::pg
