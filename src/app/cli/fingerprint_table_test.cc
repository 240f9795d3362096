#include "app/cli/fingerprint_table.h"

#include <gtest/gtest.h>

namespace lb::cli {
namespace {

TEST(FingerprintTable, AlignsTheTablesOfEachDatabase) {
  auto text = fingerprint_table(R"({"at": "noon", "databases": [
    {"name": "shop", "oid": 5, "bytes": 1000, "tables": [
      {"schema": "public", "name": "größe", "rows": 12},
      {"schema": "old", "name": "x", "rows": null}]},
    {"name": "empty", "oid": 6, "bytes": 10, "tables": []},
    {"name": "other", "oid": 7, "bytes": 20, "tables": [
      {"schema": "public", "name": "x", "rows": 7}]}]})");
  ASSERT_TRUE(text.ok()) << text.error().text();
  EXPECT_EQ(*text,
            "\ndatabase shop, 1000 B, 2 tables, counted at noon\n"
            "  public.größe            12\n"
            "  old.x         not readable\n"
            "\ndatabase empty, 10 B, 0 tables, counted at noon\n"
            "\ndatabase other, 20 B, 1 tables, counted at noon\n"
            "  public.x  7\n");
}

TEST(FingerprintTable, WhatIsNoFingerprintIsSaidToBeNone) {
  for (const char* text : {"", "{", R"({"databases": [{"tables": [{"name": "x"}]}]})"}) {
    auto shown = fingerprint_table(text);
    ASSERT_FALSE(shown.ok()) << text;
    EXPECT_EQ(shown.error().kind(), ErrorKind::invalid) << text;
  }
}

}  // namespace
}  // namespace lb::cli
