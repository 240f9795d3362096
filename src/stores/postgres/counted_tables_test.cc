#include "stores/postgres/counted_tables.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "stores/postgres/fingerprint_testing.h"
#include "stores/postgres/memory_repository.h"

namespace lb::pg {
namespace {

CountedTable table(std::uint32_t oid, std::optional<std::int64_t> rows, bool carried = false) {
  CountedTable out;
  out.oid = oid;
  out.filenode = oid + 1;
  out.rows = rows;
  out.bytes = 8192;
  out.carried = carried;
  return out;
}

// A point with this fingerprint; with none when it is empty.
std::unique_ptr<repo::SnapshotReader> recorded(const std::string& text) {
  MemoryRepository repository;
  auto writer = repository.begin("db", nullptr, {}).take();
  const Status attached =
      text.empty() ? Status() : writer->attach(attachment_fingerprint, view_of(text));
  EXPECT_TRUE(attached.ok());
  return repository.snapshot(writer->commit({}).take().id).take();
}

TEST(CountedTables, AreWrittenAsTheFingerprintRecordsThem) {
  CountedTables tables;
  tables.add("public", "a", table(10, 3));
  auto dropped = table(20, std::nullopt);
  dropped.filenode.reset();
  dropped.unlogged = true;
  tables.add("odd \"s", "", dropped);
  std::string text = "[" + text_of(tables);
  EXPECT_EQ(text + "]",
            R"([{"schema":"public","name":"a","oid":10,"filenode":11,"rows":3,"bytes":8192},)"
            R"({"schema":"odd \"s","name":"","oid":20,"filenode":null,"rows":null,"bytes":8192,)"
            R"("unlogged":true}])");
}

// As many as need several blocks, each with its own schema, name and numbers.
TEST(CountedTables, ManyKeepTheirNamesAndOrder) {
  constexpr std::uint32_t count = 20'000;
  const auto schema_of = [](std::uint32_t n) { return n < 9000 ? "public" : cat("s", n / 7); };
  const auto name_of = [](std::uint32_t n) { return std::string(n % 61, 'x') + cat(n); };
  CountedTables tables;
  for (std::uint32_t n = 0; n < count; ++n)
    tables.add(schema_of(n), name_of(n), table(n + 1, n, true));
  EXPECT_EQ(tables.carried(), count);
  ASSERT_TRUE(tables.settle({{2, 41}}).ok());
  std::string text = "[" + text_of(tables);
  const auto list = parse_json(text + "]").take();
  ASSERT_EQ(list.items().size(), count);
  for (std::uint32_t n = 0; n < count; ++n) {
    const Json& each = list.items()[n];
    ASSERT_EQ(each["schema"].string(), schema_of(n));
    ASSERT_EQ(each["name"].string(), name_of(n));
    ASSERT_EQ(each["oid"].integer(), n + 1);
    ASSERT_EQ(each["filenode"].integer(), n + 2);
    ASSERT_EQ(each["rows"].integer(), n == 0 ? 41 : n);
  }
}

TEST(CountedTables, CarriedOnesHaveWhatTheLogAdded) {
  CountedTables tables;
  tables.add("s", "a", table(10, 3, true));
  tables.add("s", "b", table(20, 5, true));
  tables.add("s", "c", table(30, 7));
  EXPECT_EQ(tables.carried(), 2u);
  ASSERT_TRUE(tables.settle({{11, -3}, {31, 100}}).ok());
  EXPECT_EQ(tables.carried(), 0u);
  std::string rows;
  ASSERT_TRUE(tables
                  .for_each([&](std::string_view schema, std::string_view name,
                                CountedTable& each) -> Status {
                    rows += cat(schema, ".", name, "=", *each.rows, " ");
                    return {};
                  })
                  .ok());
  EXPECT_EQ(rows, "s.a=0 s.b=5 s.c=7 ");
}

TEST(CountedTables, MoreTakenAwayThanThereWereIsOfNoUse) {
  CountedTables tables;
  tables.add("s", "a", table(10, 3, true));
  auto settled = tables.settle({{11, -4}});
  ASSERT_FALSE(settled.ok());
  EXPECT_EQ(settled.error().kind(), ErrorKind::unsupported);
}

TEST(KnownRows, CountOnlyWhileTheFileIsTheSame) {
  KnownRows known;
  for (std::uint32_t oid : {30u, 10u, 20u}) known.add(oid, oid + 1, oid * 100);
  known.sort();
  EXPECT_EQ(known.find(20, 21), 2000);
  EXPECT_EQ(known.find(20, 22), std::nullopt) << "rewritten";
  EXPECT_EQ(known.find(25, 26), std::nullopt);
}

TEST(Fingerprint, ItsTextIsReadBack) {
  Fingerprint print;
  print.json = Json::object().set("at", "now").set("lsn", "0/1");
  auto first = Json::object().set("name", "a").set("oid", 5).set("snapshot", "1:2:");
  auto second = Json::object().set("name", "b").set("oid", 6).set("snapshot", "");
  print.json.set("databases", Json::array().push(first).push(second));
  print.tables.resize(2);
  print.tables[0].add("s", "t", table(10, 3));
  print.tables[0].add("s", "uncounted", table(20, std::nullopt));
  print.tables[1].add("s", "t", table(10, 4));
  auto json = parse_json(text_of(print));
  ASSERT_TRUE(json.ok()) << json.error().text();
  EXPECT_EQ(json->dump(), text_of(print)) << "as the codec itself would write it";
  EXPECT_EQ((*json)["databases"].items()[0]["tables"].items()[0]["rows"].integer(), 3);
  const auto counted = read_counted(*recorded(text_of(print))).take();
  ASSERT_TRUE(counted.has_value());
  EXPECT_EQ(counted->json["databases"].items()[0]["tables"].dump(), "[]");
  EXPECT_EQ(counted->rows.at(5).find(10, 11), 3);
  EXPECT_EQ(counted->rows.at(5).find(20, 21), std::nullopt);
  EXPECT_FALSE(counted->rows.contains(6)) << "nobody knows what that count had seen";
  EXPECT_FALSE(read_counted(*recorded("{")).ok());
  EXPECT_FALSE(read_counted(*recorded({})).take().has_value()) << "nothing was recorded";
  Fingerprint none;
  none.json = Json::object().set("at", "now").set("databases", Json::array());
  EXPECT_EQ(text_of(none), R"({"at":"now","databases":[]})");
}

}  // namespace
}  // namespace lb::pg
