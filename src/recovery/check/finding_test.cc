#include "recovery/check/finding.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "recovery/check/redactor.h"

namespace lb::check {
namespace {

using record::CheckState;

TEST(Evidence, KeepsFiftyLinesAndCountsTheRest) {
  Evidence evidence;
  for (int i = 0; i < 60; ++i) evidence.add(cat("line ", i));
  auto lines = evidence.lines();
  ASSERT_EQ(lines.size(), Evidence::lines_max);
  EXPECT_EQ(lines[48], "line 48");
  EXPECT_EQ(lines[49], "and 11 more");
}

TEST(Evidence, ShowsWhatIsWrongBeforeWhatIsRight) {
  Evidence evidence;
  for (int i = 0; i < 100; ++i) evidence.add(cat("row ", i, " holds"));
  evidence.problem("row 100 is wrong");
  auto lines = evidence.lines();
  ASSERT_EQ(lines.size(), Evidence::lines_max);
  EXPECT_EQ(lines[0], "row 100 is wrong");
  EXPECT_EQ(lines[1], "row 0 holds");
  EXPECT_EQ(lines[49], "and 52 more");
}

TEST(Evidence, ShortensAtACharacterBoundary) {
  EXPECT_EQ(shortened("short", 10), "short");
  EXPECT_EQ(shortened("0123456789", 8), "01234…");
  EXPECT_EQ(shortened("aaaé9999", 7), "aaa…");  // the cut would split the é
}

TEST(Finding, KeepsTheWorstStateAndItsFirstReason) {
  Finding finding;
  finding.error("cannot");
  finding.error("cannot either");
  EXPECT_EQ(finding.state, CheckState::error);
  EXPECT_EQ(finding.reason, "cannot");
  finding.fail("wrong");
  finding.fail("wrong too");
  finding.error("cannot again");
  EXPECT_EQ(finding.state, CheckState::fail);
  EXPECT_EQ(finding.reason, "wrong");
}

TEST(Redactor, RemovesSecretsInEveryForm) {
  Redactor redactor;
  redactor.add("p\"ss w0rd");
  EXPECT_EQ(redactor.clean("sent p\"ss w0rd"), "sent [secret]");
  EXPECT_EQ(redactor.clean("body {\"x\":\"p\\\"ss w0rd\"}"), "body {\"x\":\"[secret]\"}");
  EXPECT_EQ(redactor.clean("?x=p%22ss%20w0rd&y"), "?x=[secret]&y");
  EXPECT_EQ(redactor.clean("nothing here"), "nothing here");
}

TEST(Redactor, TakesShortSecretsOnlyAsWholeWords) {
  Redactor redactor;
  redactor.add("7");
  redactor.add("");
  EXPECT_EQ(redactor.clean("pin 7, 17 rows in 7s"), "pin [secret], 17 rows in 7s");
}

TEST(Redactor, TakesTheLongerOfTwoOverlappingSecrets) {
  Redactor redactor;
  redactor.add("token");
  redactor.add("token-and-more");
  EXPECT_EQ(redactor.clean("x token-and-more y"), "x [secret] y");
}

// What is kept of a long output begins anywhere, also in the middle of a secret.
TEST(Redactor, TakesTheRestOfASecretAtTheBeginningOfWhatIsKept) {
  Redactor redactor;
  redactor.add("tok-4711-abcdef");
  EXPECT_EQ(redactor.clean_end("-abcdef then tok-4711-abcdef"), "[secret] then [secret]");
  EXPECT_EQ(redactor.clean_end("tok-4711-abcdef"), "[secret]");
  EXPECT_EQ(redactor.clean_end("plain"), "plain");
}

TEST(Redactor, KnowsNamesThatHoldSecrets) {
  for (auto name :
       {"access_token", "Password", "Authorization", "Set-Cookie", "X-Api-Key", "key"}) {
    EXPECT_TRUE(looks_secret(name)) << name;
  }
  for (auto name : {"title", "keyboard", "author", "id", ""})
    EXPECT_FALSE(looks_secret(name)) << name;
}

}  // namespace
}  // namespace lb::check
