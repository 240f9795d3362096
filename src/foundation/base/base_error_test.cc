#include <gtest/gtest.h>

#include <cerrno>

#include "foundation/base/result.h"

namespace lb {
namespace {

Error sample() { return Error(ErrorKind::corrupt, "digest differs"); }

TEST(Error, PrintsTheOutermostContextFirst) {
  auto error = sample().context("read pack x").context("restore db");
  EXPECT_EQ(error.text(), "restore db: read pack x: digest differs");
  EXPECT_EQ(error.message(), "digest differs");
}

TEST(Error, KeepsTheFirstHintAndTheLastNativeCode) {
  auto error =
      sample().with_hint("a").with_hint("b").with_left("l").with_left("m").with_native("1");
  error = std::move(error).with_native("2");
  EXPECT_EQ(error.hint(), "a");
  EXPECT_EQ(error.left(), "l");
  EXPECT_EQ(error.native(), "2");
}

TEST(Error, ExitCodeFollowsTheKindUnlessSaid) {
  EXPECT_EQ(sample().exit_code(), ExitCode::damaged);
  EXPECT_EQ(sample().with_exit(ExitCode::wrong_key).exit_code(), ExitCode::wrong_key);
  EXPECT_EQ(Error(ErrorKind::exhausted, "").exit_code(), ExitCode::no_space);
}

TEST(Error, CopiesAreIndependent) {
  auto first = sample();
  auto second = first;
  second = std::move(second).context("more");
  EXPECT_EQ(first.text(), "digest differs");
  EXPECT_EQ(second.text(), "more: digest differs");
  first = second;
  auto& itself = first;
  first = itself;
  EXPECT_EQ(first.text(), "more: digest differs");
}

TEST(Error, EveryKindHasANameAndARetryClass) {
  for (int i = 0; i <= static_cast<int>(ErrorKind::internal); ++i) {
    auto kind = static_cast<ErrorKind>(i);
    EXPECT_FALSE(name_of(kind).empty());
    EXPECT_GE(retry_class(kind), RetryClass::never);
  }
  EXPECT_EQ(retry_class(ErrorKind::timeout), RetryClass::look_first);
  EXPECT_EQ(retry_class(ErrorKind::unavailable), RetryClass::again);
}

TEST(Error, SystemErrorsAreSortedByWhatTheCallerCanDo) {
  struct Row {
    int number;
    ErrorKind kind;
  };
  for (auto [number, kind] :
       {Row{ENOENT, ErrorKind::not_found}, Row{ENOTDIR, ErrorKind::not_found},
        Row{EEXIST, ErrorKind::conflict}, Row{ENOTEMPTY, ErrorKind::conflict},
        Row{EACCES, ErrorKind::denied}, Row{EROFS, ErrorKind::denied},
        Row{ENOSPC, ErrorKind::exhausted}, Row{EDQUOT, ErrorKind::exhausted},
        Row{EFBIG, ErrorKind::exhausted}, Row{EISDIR, ErrorKind::invalid},
        Row{ELOOP, ErrorKind::invalid}, Row{EXDEV, ErrorKind::invalid},
        Row{ETIMEDOUT, ErrorKind::timeout}, Row{ECONNREFUSED, ErrorKind::unavailable},
        Row{EIO, ErrorKind::unavailable}, Row{ENOTSUP, ErrorKind::unsupported}}) {
    EXPECT_EQ(system_error(number, "x").kind(), kind) << number;
  }
  auto error = system_error(ENOENT, "open a");
  EXPECT_EQ(error.text(), "open a: No such file or directory");
  EXPECT_EQ(error.native(), "errno 2");
}

Result<int> half(int number) {
  if (number % 2 != 0) return Error(ErrorKind::invalid, "odd");
  return number / 2;
}

Result<std::string> quarter(int number) {
  auto first = LB_TRY(half(number).context("first"));
  auto second = LB_TRY(half(first).context("second"));
  return std::to_string(second);
}

Status check(int number) {
  LB_TRY(half(number).status());
  return {};
}

TEST(Result, TryYieldsTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(12).value(), "3");
  EXPECT_EQ(quarter(6).error().text(), "second: odd");
  EXPECT_TRUE(check(2).ok());
  EXPECT_EQ(check(3).error().kind(), ErrorKind::invalid);
}

TEST(Result, AddsFactsOnlyToFailures) {
  EXPECT_EQ(*half(4).context("c").hint("h").exit_as(ExitCode::refused), 2);
  auto failed = half(3).hint("use an even one").exit_as(ExitCode::refused);
  EXPECT_EQ(failed.error().hint(), "use an even one");
  EXPECT_EQ(failed.error().exit_code(), ExitCode::refused);
  EXPECT_EQ(failed.status().error().text(), "odd");
  auto status = Status(sample()).context("c").hint("h").exit_as(ExitCode::locked);
  EXPECT_EQ(status.error().text(), "c: digest differs");
  EXPECT_EQ(status.error().exit_code(), ExitCode::locked);
}

TEST(Result, HoldsWhatCanOnlyMove) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  EXPECT_EQ(**result, 5);
  auto taken = std::move(result).take();
  EXPECT_EQ(*taken, 5);
}

TEST(AssertDeathTest, LookingAtTheWrongSideStopsTheProgram) {
  EXPECT_DEATH((void)half(3).value(), "internal error");
  EXPECT_DEATH((void)half(4).error(), "internal error");
  EXPECT_DEATH((void)Status().error(), "internal error");
}

}  // namespace
}  // namespace lb
