// amcheck on real servers whose files are damaged on disk while they are stopped.
#include <gtest/gtest.h>

#include <fstream>

#include "recovery/check/checks_fixture.h"

namespace lb::check {
namespace {

using record::CheckState;

const plan::CheckAmcheck every{{}, true, true};

class Amcheck : public PostgresTest {
 protected:
  static std::unique_ptr<test::PostgresServer> start(bool checksums) {
    test::PostgresOptions options;
    options.checksums = checksums;
    options.settings = {{"lifeboat.run", run_marker}};
    return test::PostgresServer::start(options);
  }
};

constexpr const char* schema =
    "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i + 7000000 FROM"
    " generate_series(1, 200) i; CREATE INDEX t_v ON t (v);"
    "CREATE TABLE other AS SELECT generate_series(1, 10) AS id; CHECKPOINT";

// Stops the server, lets `change` alter one page of the relation, starts the server again.
template <typename Change>
void damage(const CopyBench& bench, const std::string& relation, std::size_t block, Change change) {
  auto path = cat(bench.server.data(), "/",
                  bench.value(cat("SELECT pg_relation_filepath('", relation, "')")));
  bench.server.stop();
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  std::string page(8192, '\0');
  file.seekg(static_cast<std::streamoff>(block * 8192));
  file.read(page.data(), 8192);
  ASSERT_TRUE(file.good());
  change(page);
  file.seekp(static_cast<std::streamoff>(block * 8192));
  file.write(page.data(), 8192);
  file.close();
  bench.server.start_again();
}

void put_int(std::string& page, std::int32_t from, std::int32_t to) {
  std::string old(reinterpret_cast<const char*>(&from), 4),
      fresh(reinterpret_cast<const char*>(&to), 4);
  auto at = page.find(old);
  ASSERT_NE(at, std::string::npos);
  page.replace(at, 4, fresh);
}

TEST_F(Amcheck, PassesOnSoundDataAndMakesTheExtension) {
  CopyBench bench;
  bench.sql(schema);
  auto result = bench.run_what(every);
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_GT(result.examined, 100u);  // the catalogs too
  EXPECT_EQ(bench.value("SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'"), "1");
  auto named = bench.run_what(plan::CheckAmcheck{{"t"}, false, true});
  EXPECT_EQ(named.state, CheckState::pass) << all_text(named);
  EXPECT_EQ(named.examined, 3u);  // the table and two indexes
  auto indexes = bench.run_what(plan::CheckAmcheck{{"t"}, false, false});
  EXPECT_EQ(indexes.examined, 2u);
}

TEST_F(Amcheck, FindsAnIndexOutOfOrder) {
  auto server = start(false);
  CopyBench bench(*server);
  bench.sql(schema);
  damage(bench, "t_v", 1, [](std::string& page) { put_int(page, 7000050, 9999999); });
  auto result = bench.run_what(every);
  EXPECT_EQ(result.state, CheckState::fail) << all_text(result);
  EXPECT_NE(result.reason.find("public.t_v"), std::string::npos);
  EXPECT_NE(all_text(result).find("public.t_v: item order invariant violated"), std::string::npos)
      << all_text(result);
}

TEST_F(Amcheck, FindsARowThatItsIndexDoesNotKnow) {
  auto server = start(false);
  CopyBench bench(*server);
  bench.sql(schema);
  damage(bench, "t", 0, [](std::string& page) { put_int(page, 7000050, 6999999); });
  auto result = bench.run_what(plan::CheckAmcheck{{"t"}, false, true});
  EXPECT_EQ(result.state, CheckState::fail) << all_text(result);
  EXPECT_NE(all_text(result).find("lacks matching index tuple"), std::string::npos);
}

TEST_F(Amcheck, FindsADamagedTablePage) {
  auto server = start(false);
  CopyBench bench(*server);
  bench.sql(schema);
  damage(bench, "other", 0, [](std::string& page) { page[24] = static_cast<char>(page[24] | 3); });
  auto result = bench.run_what(every);
  EXPECT_EQ(result.state, CheckState::fail) << all_text(result);
  EXPECT_NE(all_text(result).find("public.other: block 0 item 1"), std::string::npos)
      << all_text(result);
}

TEST_F(Amcheck, DamageThatChecksumsTellFailsEveryCheckThatMeetsIt) {
  auto server = start(true);
  CopyBench bench(*server);
  bench.sql(schema);
  damage(bench, "t", 0, [](std::string& page) { page[5000] = static_cast<char>(page[5000] ^ 1); });
  auto verified = bench.run_what(plan::CheckAmcheck{{"t"}, false, true});
  EXPECT_EQ(verified.state, CheckState::fail) << all_text(verified);
  EXPECT_NE(all_text(verified).find("invalid page in block 0"), std::string::npos);
  // The restored data is bad: that is a failure, not a check that could not run.
  auto counted = bench.run_what(plan::CheckSql{"SELECT sum(v) FROM t", equal_to("1")});
  EXPECT_EQ(counted.state, CheckState::fail) << all_text(counted);
  EXPECT_NE(counted.reason.find("the restored data is damaged"), std::string::npos);
}

TEST_F(Amcheck, AMissingFileOfATableFails) {
  auto server = start(true);
  CopyBench bench(*server);
  bench.sql(schema);
  auto path = cat(server->data(), "/", bench.value("SELECT pg_relation_filepath('t')"));
  server->stop();
  ASSERT_EQ(std::remove(path.c_str()), 0);
  server->start_again();
  auto result = bench.run_what(plan::CheckAmcheck{{"t"}, false, true});
  EXPECT_EQ(result.state, CheckState::fail) << all_text(result);
  auto counted = bench.run_what(plan::CheckSql{"SELECT sum(v) FROM t", equal_to("1")});
  EXPECT_EQ(counted.state, CheckState::fail) << all_text(counted);
}

TEST_F(Amcheck, CannotRunWithoutPrivilegeOrTable) {
  CopyBench bench;
  bench.sql(schema);
  bench.server.make_role("no_checker", "pw");
  bench.store().connection = bench.server.conninfo_as("no_checker", "pw", bench.database);
  auto denied = bench.run_what(every);
  EXPECT_EQ(denied.state, CheckState::error);
  EXPECT_NE(denied.reason.find("amcheck"), std::string::npos) << denied.reason;
  bench.store().connection = bench.server.conninfo(bench.database);
  EXPECT_EQ(bench.run_what(plan::CheckAmcheck{{"gone"}, false, true}).state, CheckState::error);
}

}  // namespace
}  // namespace lb::check
