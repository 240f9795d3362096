#include "model/plan/sql_names.h"

#include <gtest/gtest.h>

namespace lb::plan {
namespace {

using Words = std::vector<std::string>;

TEST(SqlNames, StandBesideTheStatement) {
  struct Row {
    std::string sql, bound;
    Words names;
  };
  const Row rows[] = {
      {"SELECT 1", "SELECT 1", {}},
      {"SELECT * FROM t WHERE at > $failed_at", "SELECT * FROM t WHERE at > $1", {"failed_at"}},
      {"SELECT $a, $a+${b}", "SELECT $1, $2+$3", {"a", "a", "b"}},
      {"SELECT ${a}5", "SELECT $1 5", {"a"}},
      {"SELECT $a::int", "SELECT $1::int", {"a"}},
      {"SELECT t.a$b, x$y FROM t$", "SELECT t.a$b, x$y FROM t$", {}},
      {"SELECT 1 -- $a\n, $b", "SELECT 1 -- $a\n, $1", {"b"}},
      {"SELECT /* $a /* $b */ $c */ $d", "SELECT /* $a /* $b */ $c */ $1", {"d"}},
      {"SELECT /*/ $a */ $d", "SELECT /*/ $a */ $1", {"d"}},
      {"SELECT \"$a\" || $b", "SELECT \"$a\" || $1", {"b"}},
      {"SELECT $$ $a $$ || $b", "SELECT $$ $a $$ || $1", {"b"}},
      {"SELECT $t$ $$ $a $t$ || $b", "SELECT $t$ $$ $a $t$ || $1", {"b"}},
      {"SELECT 'it''s $a' || $b", "SELECT 'it''s $a' || $1", {"b"}},
      {"SELECT 'a\\' || $b", "SELECT 'a\\' || $1", {"b"}},
      {"SELECT E'a\\' || $a' || $b", "SELECT E'a\\' || $a' || $1", {"b"}},
      {"SELECT typE'a\\' || $b", "SELECT typE'a\\' || $1", {"b"}},
      {"SELECT 'open $a", "SELECT 'open $a", {}},
      {"SELECT $open$ $a", "SELECT $open$ $a", {}},
      {"SELECT $1", "SELECT $1", {}},
      {"SELECT 1$", "SELECT 1$", {}},
      {"SELECT $", "SELECT $", {}},
      {"SELECT $ü", "SELECT $ü", {}},
  };
  for (const auto& row : rows) {
    auto got = names_in_sql(row.sql);
    ASSERT_TRUE(got.ok()) << row.sql;
    EXPECT_EQ(got->sql, row.bound);
    EXPECT_EQ(got->names, row.names) << row.sql;
  }
}

TEST(SqlNames, InQuotesTheyAreText) {
  EXPECT_EQ(names_in_sql("SELECT '$a', \"${b}\", $$ $c $$, '$5', '$'")->quoted,
            (Words{"a", "b", "c"}));
  EXPECT_TRUE(names_in_sql("SELECT $a -- '$b'")->quoted.empty());
}

TEST(SqlNames, WhatCannotBeMeantIsRefused) {
  for (const char* sql : {"SELECT ${a", "SELECT ${}", "SELECT ${5}", "SELECT $1, $a"}) {
    auto got = names_in_sql(sql);
    ASSERT_FALSE(got.ok()) << sql;
    EXPECT_EQ(got.error().kind(), ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace lb::plan
