// Names in the SQL of runbooks: which have a value by then, and where one would be taken for text.
#include <gtest/gtest.h>

#include "model/plan/mistakes.h"
#include "model/plan/plan_testing.h"

namespace lb::plan {
namespace {

using testing::lines;
using testing::read;
using testing::small_plan;
using Lines = std::vector<std::string>;

Lines mistakes_of(const std::string& runbooks) {
  return lines(read(cat(small_plan, "runbooks:\n", runbooks)).mistakes);
}
std::string query(const std::string& sql) {
  return cat("      - query: {store: db, sql: \"", sql, "\"}\n");
}

TEST(NamesInQueries, HaveAValueByThen) {
  EXPECT_EQ(
      mistakes_of(cat(
          "  r:\n    parameters: {who: text}\n    steps:\n", "      - ask: {failed_at: time}\n",
          "      - choose: {store: db, before: $failed_at}\n",
          "      - query: {store: db, sql: SELECT 1, save: count}\n",
          "      - {run: date, save: today}\n", "      - {provision: make, save: {host: HOST}}\n",
          query("SELECT $failed_at, $point, $point_db, $count, $today, $host"),
          query("SELECT ${who} -- $nobody"))),
      Lines{});
  EXPECT_EQ(mistakes_of(cat("  r:\n    steps:\n", query("SELECT $failed_at"),
                            "      - ask: {failed_at: time}\n", query("SELECT $failed_att"))),
            (Lines{"16:33: sql: $failed_at has no value by then",
                   "18:33: sql: $failed_att has no value by then"}));
  EXPECT_EQ(read(cat(small_plan, "runbooks:\n  r:\n    steps:\n      - ask: {since: time}\n",
                     query("SELECT $sinc")))
                .mistakes.at(0)
                .suggestion,
            "did you mean 'since'?");
}

TEST(NamesInQueries, ARunbookThatIsUsedSeesWhatItsUserKnows) {
  const auto inner = cat("  inner:\n    parameters: {who: text}\n    steps:\n",
                         query("SELECT $who, $since"), "      - ask: {later: text}\n");
  const std::string use = "      - {use: inner, with: {who: x}}\n";
  EXPECT_EQ(mistakes_of(cat(inner, "  outer:\n    steps:\n      - ask: {since: time}\n", use,
                            query("SELECT $later"))),
            Lines{});
  EXPECT_EQ(
      mistakes_of(cat(inner, "  outer:\n    steps:\n", use, use, query("SELECT $who"))),
      (Lines{"17:33: sql: $since has no value by then", "23:33: sql: $who has no value by then"}));
  EXPECT_EQ(mistakes_of("  r:\n    steps:\n      - parallel:\n          - query: {store: db, sql: "
                        "SELECT $who}\n"),
            Lines{"17:37: sql: $who has no value by then"});
}

TEST(NamesInQueries, InQuotesIsAMistakeWhenTheNameHasAValue) {
  EXPECT_EQ(mistakes_of(cat("  r:\n    steps:\n      - ask: {since: time}\n",
                            query("SELECT '$since', '$other', $$ ${since} $$"))),
            (Lines{"17:33: sql: $since stands in quotes, where it is text"}));
  EXPECT_EQ(
      mistakes_of(cat("  r:\n    steps:\n      - ask: {since: time}\n", query("SELECT ${since"),
                      query("SELECT $1, $since"))),
      (Lines{"17:33: sql has '${since' without '}'", "18:33: sql has numbers ($1) beside names"}));
}

}  // namespace
}  // namespace lb::plan
