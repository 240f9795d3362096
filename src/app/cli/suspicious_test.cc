#include "app/cli/suspicious.h"

#include <gtest/gtest.h>

namespace lb::cli {
namespace {

constexpr const char* fingerprint = R"({"databases": [
  {"name": "shop", "oid": 5, "tables": [
    {"schema": "public", "name": "orders", "filenode": 16385},
    {"schema": "public", "name": "items", "filenode": 16390}]}]})";

const pg::RelationId orders{1663, 5, 16385}, items{1663, 5, 16390}, index_of_orders{1663, 5, 16388};
using Deeds = std::vector<std::string>;

class Suspicious : public testing::Test {
 protected:
  Deeds deeds() const { return deeds_of(suspect, RelationNames::parse(view_of(fingerprint))); }
  pg::Suspect suspect;
};

TEST_F(Suspicious, NamesWhatWasDropped) {
  suspect.dropped = {orders, index_of_orders};
  suspect.dropped_count = 2;
  EXPECT_EQ(deeds(), Deeds{"dropped shop public.orders and 1 more file"});
  suspect.dropped = {orders, items};
  EXPECT_EQ(deeds(), Deeds{"dropped shop public.items, shop public.orders"});
  suspect.dropped = {index_of_orders};
  suspect.dropped_count = 4000;
  EXPECT_EQ(deeds(), Deeds{"dropped 4,000 files"});
}

TEST_F(Suspicious, TellsAnEmptiedTableFromADroppedOne) {
  suspect.dropped = {orders};
  suspect.dropped_count = suspect.created_count = 1;
  suspect.created = {{1663, 5, 20'000}};
  EXPECT_EQ(deeds(), Deeds{"emptied, rewrote or replaced shop public.orders"});
}

TEST_F(Suspicious, CountsRows) {
  suspect.rows = {{orders, 12'000, 0}, {items, 5, 2000}, {{1663, 9, 1}, 0, 1500}};
  suspect.databases_dropped = {{1663, 16'400}};
  EXPECT_EQ(deeds(),
            (Deeds{"dropped or moved database 16400", "deleted 12,000 rows of shop public.orders",
                   "deleted 5 rows of shop public.items", "changed 2,000 rows of shop public.items",
                   "changed 1,500 rows of file base/9/1"}));
}

TEST_F(Suspicious, SaysWhatItDoesNotKnow) {
  Suspicions all;
  all.looked_at = 12;
  EXPECT_EQ(to_text(all, "db"), "nothing suspicious\nlooked through 12 segments\n");
  all.unknown = 3;
  EXPECT_NE(to_text(all, "db").find("of 3 it is not fully known"), std::string::npos);
  suspect.lsn = 0x16B3748;
  all.found.push_back({1, suspect, {"deleted 9,999 rows of x"}});
  const auto text = to_text(all, "db");
  EXPECT_NE(text.find("0/16B3748"), std::string::npos) << text;
  EXPECT_NE(text.find("lifeboat restore db --to FOLDER --before LSN"), std::string::npos);
  EXPECT_EQ(to_json(all)["suspicious"].items().size(), 1u);
  EXPECT_EQ(to_json(all)["segments_unknown"].integer(), 3);
}

}  // namespace
}  // namespace lb::cli
