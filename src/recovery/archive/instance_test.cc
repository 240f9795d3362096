#include "recovery/archive/instance.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "foundation/base/text.h"
#include "foundation/sys/test_folder.h"
#include "recovery/archive/line_rule.h"

namespace lb::archive {
namespace {

const std::string one(32, 'a'), two(32, 'b');

TEST(Instance, TokenIsThatOfTheFolderAndNotOfACopyOrAnotherPlace) {
  TestFolder folder;
  const auto files = real_files();
  std::filesystem::create_directory(folder / "data");
  std::filesystem::create_directory(folder / "copy");
  const auto token = instance_token(*files, folder / "data", "host");
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(token->size(), 32U);
  EXPECT_EQ(*instance_token(*files, folder / "data", "host"), *token);
  EXPECT_NE(*instance_token(*files, folder / "copy", "host"), *token);
  std::filesystem::rename(folder / "data", folder / "moved");
  EXPECT_NE(*instance_token(*files, folder / "moved", "host"), *token) << "another path";
  std::filesystem::rename(folder / "copy", folder / "data");
  EXPECT_NE(*instance_token(*files, folder / "data", "host"), *token) << "another folder there";
  EXPECT_FALSE(instance_token(*files, folder / "none", "host").ok());
}

TEST(Instance, NamesOfAdmissionsAreReadBackAndOthersLeftOut) {
  const Admission admission{7, 3, one};
  const auto name = record_name(admission);
  EXPECT_EQ(name, cat("00000007-00000003-", one));
  const auto read = parse_admissions({"x", name, cat(name, "-"), "00000007-00000003-abc",
                                      cat("0000007-00000003-", one), record_name({2, 1, two})});
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].number, 2U);
  EXPECT_EQ(read[1].number, 7U);
  EXPECT_EQ(read[1].timeline, 3U);
  EXPECT_EQ(read[1].token, one);
}

TEST(Instance, OnlyTheNewestMayWriteAndNobodyOfTwoAtOnce) {
  EXPECT_EQ(standing_of({}, one), Standing::nobody);
  EXPECT_EQ(standing_of({{1, 1, one}}, one), Standing::admitted);
  EXPECT_EQ(standing_of({{1, 1, one}}, two), Standing::another);
  EXPECT_EQ(standing_of({{1, 1, one}, {2, 1, two}}, one), Standing::another);
  EXPECT_EQ(standing_of({{1, 1, one}, {2, 1, two}}, two), Standing::admitted);
  EXPECT_EQ(standing_of({{1, 1, one}, {1, 1, two}}, one), Standing::disputed);
  EXPECT_EQ(standing_of({{1, 1, one}, {1, 1, two}, {2, 1, one}}, one), Standing::admitted);
  EXPECT_EQ(standing_of({{1, 1, one}, {2, 1, two}, {3, 1, one}}, one), Standing::admitted);
}

TEST(Instance, AnAdmittedTimelineSaysNothingOfWhoMayPush) {
  EXPECT_EQ(standing_of({{1, 2, no_instance()}}, one), Standing::nobody);
  EXPECT_EQ(standing_of({{1, 1, one}, {2, 2, no_instance()}}, one), Standing::admitted);
  EXPECT_EQ(standing_of({{1, 1, one}, {2, 2, no_instance()}}, two), Standing::another);
}

TEST(LineRule, ATimelineMayNotBeginBeforeTheEndOfItsParentsLog) {
  constexpr std::uint64_t size = 1 << 20;
  const std::vector<repo::LogInfo> infos = {
      {{"db-1", 1, 2}, true, 0}, {{"db-1", 1, 3}, false, 5000}, {{"db-1", 2, 9}, true, 0}};
  EXPECT_EQ(stored_end(infos, 1, size), 3 * size + 5000);
  EXPECT_EQ(stored_end(infos, 3, size), 0U);
  const auto judge = [&](pg::Lsn at, const std::vector<Admission>& admissions) {
    return judge_line(infos, size, 2, {{2, 1, at}}, admissions);
  };
  EXPECT_TRUE(judge(3 * size + 5000, {}).ok());
  EXPECT_TRUE(judge(4 * size, {}).ok());
  const auto early = judge(3 * size + 4992, {});
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().exit_code(), ExitCode::refused);
  EXPECT_NE(early.error().text().find("0/301388"), std::string::npos) << early.error().text();
  EXPECT_NE(early.error().hint().find("wal admit"), std::string::npos);
  EXPECT_FALSE(judge(2 * size, {{1, 1, one}}).ok());
  EXPECT_TRUE(judge(2 * size, {{1, 1, one}, {2, 2, two}}).ok());
  EXPECT_TRUE(judge_line(infos, size, 1, {}, {}).ok());
}

}  // namespace
}  // namespace lb::archive
