#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "model/plan/plan_testing.h"

namespace lb::plan {
namespace {

using testing::lines;
using testing::read;
using testing::small_plan;

TEST(MistakesOfDrills, OfWhatLooksForEncryptedContentInADrill) {
  auto of = [](const std::string& check, const std::string& restore) {
    auto text = replace_all(small_plan, "{files: {count: recorded}}", check);
    text += cat("drills: {d: {restore: ", restore, ", into: sandbox, checks: [files]}}\n");
    return lines(read(text).mistakes);
  };
  using Lines = std::vector<std::string>;
  for (const char* restore : {"db", "media", "[db, media]"})
    EXPECT_EQ(of("{entropy: all}", restore), Lines{}) << restore;
  EXPECT_EQ(of("{entropy: [media]}", "media"), Lines{});
  EXPECT_EQ(of("{entropy: [letters]}", "[db, media]"), Lines{}) << "a folder of the only tree";
  EXPECT_EQ(of("{entropy: [letters]}", "db").size(), 1u);
  EXPECT_EQ(of("{entropy: [db]}", "media"),
            Lines{"13:54: check 'entropy db' of suite 'files' asks store 'db', which the drill "
                  "does not restore"});
  EXPECT_EQ(of("{entropy: all, store: db}", "media").size(), 1u);
}

TEST(MistakesOfDrills, OfChecksInsideADrill) {
  auto base = replace_all(small_plan, "stores:\n", "stores:\n  db2: {postgres: env:TWO}\n");
  auto out = read(base + "drills: {d: {restore: [db, db2], into: sandbox, checks: [db]}}\n");
  ASSERT_EQ(lines(out.mistakes),
            std::vector<std::string>{
                "14:58: check 'tables users' of suite 'db' does not say which store it asks"});
  EXPECT_EQ(out.mistakes[0].suggestion, "the drill restores db2 and db: add store: to the check");
  auto other = replace_all(base, "{tables: [users]}", "{tables: [users], store: db2}");
  EXPECT_EQ(
      lines(read(other + "drills: {d: {restore: db, into: sandbox, checks: [db]}}\n").mistakes),
      std::vector<std::string>{"14:51: check 'tables users' of suite 'db' asks store 'db2', which "
                               "the drill does not restore"});
  auto http = replace_all(small_plan, "{tables: [users]}", "{http: GET /health}");
  http = replace_all(http, ", url: \"http://localhost:8000\"", "");
  EXPECT_EQ(
      lines(read(http + "drills: {d: {restore: db, into: sandbox, checks: [db]}}\n").mistakes),
      std::vector<std::string>{
          "13:51: check 'GET /health' of suite 'db' asks a path, and target 'sandbox' has no url"});
}

TEST(MistakesOfDrills, OfServicesAndStoresThatADrillDoesNotHave) {
  auto base =
      replace_all(small_plan, "  sandbox: {",
                  "  other: {start: {api: ./api}, url: \"http://localhost:1\"}\n  sandbox: {");
  auto drilled = [&](const std::string& check, const std::string& into) {
    return lines(read(cat(replace_all(base, "{tables: [users]}", check),
                          "drills: {d: {restore: db, into: ", into, ", checks: [db]}}\n"))
                     .mistakes);
  };
  using Lines = std::vector<std::string>;
  for (const char* check : {"{logs: api}", "{connect: api}", "{connect: db}", "{cron: all}"})
    EXPECT_EQ(drilled(check, "other"), Lines{}) << check;
  EXPECT_EQ(drilled("{logs: api}", "sandbox"),
            Lines{"14:51: check 'logs api' of suite 'db' asks service 'api', which target "
                  "'sandbox' does not start"});
  EXPECT_EQ(drilled("{connect: api}", "sandbox").size(), 1U);
  EXPECT_EQ(drilled("{connect: media}", "other"),
            Lines{"14:49: check 'connect media' of suite 'db' asks store 'media', which the drill "
                  "does not restore"});
  // Neither asks a database.
  EXPECT_EQ(lines(read(cat(replace_all(base, "{tables: [users]}", "{logs: api}, {connect: media}"),
                           "drills: {d: {restore: media, into: other, checks: [db]}}\n"))
                      .mistakes),
            Lines{});
}

}  // namespace
}  // namespace lb::plan
