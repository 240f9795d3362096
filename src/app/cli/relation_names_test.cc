#include "app/cli/relation_names.h"

#include <gtest/gtest.h>

namespace lb::cli {
namespace {

constexpr const char* fingerprint = R"({"databases": [
  {"name": "shop", "oid": 5, "tables": [
    {"schema": "public", "name": "notes", "filenode": 16385},
    {"schema": "old", "name": "notes.2020", "filenode": 16400}]},
  {"name": "other", "oid": 7, "tables": [{"schema": "public", "name": "x", "filenode": 16385}]}]})";

TEST(RelationNames, TellWhoseFileItIs) {
  auto names = RelationNames::parse(view_of(fingerprint));
  for (const char* file :
       {"base/5/16385", "base/5/16385.1", "base/5/16385_vm", "base/5/16385_fsm.2"})
    EXPECT_EQ(names.table_of(file), "shop public.notes") << file;
  EXPECT_EQ(names.table_of("base/7/16385"), "other public.x");
  for (const char* file : {"base/5/1638", "base/5", "PG_VERSION", "", "global/16385", "base/5/x"})
    EXPECT_EQ(names.table_of(file), "") << file;
}

TEST(RelationNames, TellWhereATableLies) {
  auto names = RelationNames::parse(view_of(fingerprint));
  for (const char* table : {"notes", "public.notes", "shop public.notes"})
    EXPECT_EQ(names.file_of(table), "base/5/16385") << table;
  EXPECT_EQ(names.file_of("old.notes.2020"), "base/5/16400");
  EXPECT_EQ(names.file_of("nothing"), "");
}

TEST(RelationNames, OddRecordsNameNothing) {
  for (const char* text :
       {"", "{", "[]", "{\"databases\": 3}", "{\"databases\": [{\"tables\": [1]}]}"})
    EXPECT_EQ(RelationNames::parse(view_of(text)).file_of("notes"), "") << text;
}

}  // namespace
}  // namespace lb::cli
