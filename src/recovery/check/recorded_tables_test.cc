#include "recovery/check/recorded_tables.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "recovery/check/recorded_point.h"

namespace {

// What is allocated in this program now, and was at most since the mark.
std::atomic<std::size_t> bytes_now{0}, bytes_most{0};

}  // namespace

void* operator new(std::size_t size) {
  void* room = std::malloc(size);
  if (room == nullptr) throw std::bad_alloc();
  const std::size_t now = bytes_now += ::malloc_usable_size(room);
  for (std::size_t most = bytes_most; now > most;) {
    if (bytes_most.compare_exchange_weak(most, now)) break;
  }
  return room;
}
void operator delete(void* room) noexcept {
  if (room != nullptr) bytes_now -= ::malloc_usable_size(room);
  std::free(room);
}
void operator delete(void* room, std::size_t) noexcept { operator delete(room); }

namespace lb::check {
namespace {

RecordedTable table(std::string schema, std::string name, std::int64_t rows) {
  return {std::move(schema), std::move(name), static_cast<std::uint32_t>(rows + 1), rows, false};
}

TEST(RecordedTables, AreFoundByTheirWholeName) {
  RecordedTables tables;
  tables.add(table("s", "bc", 1));
  tables.add(table("sb", "c", 2));
  tables.add({"s", "a", 0, std::nullopt, true});
  tables.add(table("", "sbc", 3));
  tables.sort();
  EXPECT_EQ(tables.find("s", "bc")->rows, 1);
  EXPECT_EQ(tables.find("sb", "c")->rows, 2);
  EXPECT_EQ(tables.find("sb", "c")->filenode, 3u);
  EXPECT_EQ(tables.find("", "sbc")->rows, 3);
  EXPECT_EQ(tables.find("s", "a")->rows, std::nullopt);
  EXPECT_TRUE(tables.find("s", "a")->unlogged);
  EXPECT_FALSE(tables.find("sbc", "").has_value());
  EXPECT_FALSE(tables.find("s", "b").has_value());
  EXPECT_FALSE(tables.find("t", "a").has_value());
  std::string order;
  for (std::size_t n = 0; n < tables.size(); ++n)
    order += cat(tables.at(n).schema, ".", tables.at(n).name, " ");
  EXPECT_EQ(order, ".sbc s.a s.bc sb.c ");
}

TEST(RecordedTables, AreReadFromThePoint) {
  const RecordedPoint point(
      R"({"at":"now","databases":[{"name":"a","oid":5,"snapshot":"1:2:","tables":[)"
      R"({"schema":"s","name":"t","oid":1,"filenode":7,"rows":40,"bytes":8192},)"
      R"({"schema":"s","name":"gone","oid":2,"filenode":null,"rows":null,"bytes":null},)"
      R"({"schema":"s","name":"u","oid":3,"filenode":9,"rows":1,"bytes":0,"unlogged":true}]},)"
      R"({"name":"empty","oid":6,"snapshot":"3:4:","tables":[]}]})");
  const auto databases = read_recorded(*point.snapshot).take();
  ASSERT_TRUE(databases && databases->size() == 2);
  const auto& [name, oid, snapshot, tables] = databases->front();
  EXPECT_EQ(cat(name, " ", oid, " ", snapshot, " ", tables.size()), "a 5 1:2: 3");
  EXPECT_EQ(tables.find("s", "t")->rows, 40);
  EXPECT_EQ(tables.find("s", "t")->filenode, 7u);
  EXPECT_EQ(tables.find("s", "gone")->rows, std::nullopt);
  EXPECT_TRUE(tables.find("s", "u")->unlogged);
  EXPECT_EQ(databases->back().name, "empty");
  EXPECT_EQ(databases->back().tables.size(), 0u);
  EXPECT_FALSE(read_recorded(*RecordedPoint("{\"databases\":[").snapshot).ok());
}

RecordedPoint point_with(int tables) {
  return RecordedPoint([&](const RecordedPoint::Put& put) {
    put(R"({"at":"now","databases":[{"name":"a","oid":5,"snapshot":"1:2:","tables":[)");
    for (int n = 0; n < tables; ++n) {
      put(cat(n > 0 ? "," : "", R"({"schema":"public","name":"some_table_)", n, R"(","oid":)", n,
              R"(,"filenode":)", n, R"(,"rows":1,"bytes":8192})"));
    }
    put("]}]}");
  });
}

// Beyond what is kept, which is a small part of what the record has in text.
TEST(RecordedTables, OfHundredThousandAreReadInAFewMegabytes) {
  constexpr int count = 100'000;
  const RecordedPoint point = point_with(count);
  const std::size_t before = bytes_now;
  bytes_most = before;
  const auto databases = read_recorded(*point.snapshot).take();
  const std::size_t most = bytes_most - before, kept = bytes_now - before;
  ASSERT_TRUE(databases && databases->front().tables.size() == count);
  EXPECT_EQ(databases->front().tables.find("public", "some_table_99999")->filenode, 99999u);
  const std::size_t text = point.snapshot->attachment("fingerprint").take()->size();
  EXPECT_GT(text, 8u << 20);
  EXPECT_LT(kept, 8u << 20);
  EXPECT_LT(most, 14u << 20) << "of " << text << " bytes of text";
}

}  // namespace
}  // namespace lb::check
