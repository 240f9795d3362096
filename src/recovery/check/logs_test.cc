// logs: what a service wrote, counted by level.
#include <gtest/gtest.h>

#include "foundation/sys/test_folder.h"
#include "recovery/check/checks_fixture.h"

namespace lb::check {
namespace {

using record::CheckState;
using Op = plan::Comparison::Op;

class LogBench : public CheckBench {
 public:
  LogBench() { context.sandboxed = true; }
  record::CheckResult of(const std::string& text, std::optional<plan::Comparison> errors = {},
                         std::optional<plan::Comparison> warnings = {}) {
    auto path = folder / "api.log";
    EXPECT_TRUE(write_durably(*files, path, view_of(text)).ok());
    context.service_logs["api"] = path;
    return run_what(plan::CheckLogs{"api", std::move(errors), std::move(warnings)});
  }
  TestFolder folder;
};

TEST(Logs, CountsLinesByLevel) {
  LogBench bench;
  const std::string text =
      "INFO started\n\nWARNING slow\nERROR refused\nWARN slower\n  \nlevel=error msg=x\nINFO "
      "0 errors";
  auto result = bench.of(text, equal_to("2"), expecting(Op::less_equal, "2"));
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_EQ(result.got, "2 errors, 2 warnings in 6 lines");
  EXPECT_EQ(result.expected, "errors 2, warnings <= 2");
  EXPECT_EQ(result.examined, 6u);
  EXPECT_EQ(result.store, "");
  EXPECT_NE(all_text(result).find("line 4: ERROR refused"), std::string::npos) << all_text(result);
}

TEST(Logs, TooManyFailWithTheFirstOfThem) {
  LogBench bench;
  auto errors = bench.of("INFO a\nERROR b\nWARN c\n");
  EXPECT_EQ(errors.state, CheckState::fail) << "without limits no error is allowed";
  EXPECT_EQ(errors.reason, "1 lines tell an error, expected 0; the first is line 2: ERROR b");
  auto warnings = bench.of("INFO a\nWARN c\n", equal_to("0"), equal_to("0"));
  EXPECT_EQ(warnings.state, CheckState::fail);
  EXPECT_EQ(warnings.reason, "1 lines tell a warning, expected 0; the first is line 2: WARN c");
  auto unlimited = bench.of("WARN c\n");
  EXPECT_EQ(unlimited.state, CheckState::pass) << all_text(unlimited);
}

TEST(Logs, EvidenceIsBoundedAndWithoutSecrets) {
  LogBench bench;
  bench.context.secrets = {"a-given-secret"};
  std::string text;
  for (int n = 0; n < 5000; ++n)
    text += cat("ERROR ", n, " password=hunter2 key a-given-secret ", std::string(500, 'x'), "\n");
  auto result = bench.of(text);
  EXPECT_EQ(result.state, CheckState::fail);
  EXPECT_EQ(result.got, "5000 errors, 0 warnings in 5000 lines");
  EXPECT_LE(result.evidence.size(), 50u);
  for (const auto& line : result.evidence) EXPECT_LE(line.size(), 300u);
  auto shown = all_text(result);
  EXPECT_EQ(shown.find("hunter2"), std::string::npos);
  EXPECT_EQ(shown.find("a-given-secret"), std::string::npos);
}

TEST(Logs, ManyErrorsDoNotHideTheWarnings) {
  LogBench bench;
  std::string text;
  for (int n = 0; n < 100; ++n) text += "ERROR a\n";
  for (int n = 0; n < 100; ++n) text += "WARN b\n";
  auto result = bench.of(text, equal_to("0"), equal_to("0"));
  EXPECT_EQ(result.evidence.size(), 40u) << all_text(result);
  EXPECT_EQ(result.evidence.back(), "line 120: WARN b");
}

TEST(Logs, LinesAreFoundAcrossBlocksAndLongOnesAreCut) {
  LogBench bench;
  std::string text;
  while (text.size() < (1u << 20)) text += "INFO all is well in this line\n";
  text += cat("ERROR ", std::string(300000, 'x'), "\nINFO ", std::string(200000, 'y'), " ERROR\n");
  text += "ERROR at the end, without a line break";
  auto result = bench.of(text, equal_to("2"));
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_NE(all_text(result).find("2 lines are longer than"), std::string::npos);
}

TEST(Logs, SilenceIsNoPass) {
  LogBench bench;
  for (const char* text : {"", "\n\n  \n"}) {
    auto result = bench.of(text, equal_to("0"));
    EXPECT_EQ(result.state, CheckState::fail) << all_text(result);
    EXPECT_NE(result.reason.find("service api wrote nothing"), std::string::npos) << result.reason;
    EXPECT_EQ(result.examined, 0u);
  }
}

TEST(Logs, WhatCannotBeReadIsAnError) {
  LogBench bench;
  auto unknown = bench.run_what(plan::CheckLogs{"worker", {}, {}});
  EXPECT_EQ(unknown.state, CheckState::error);
  EXPECT_NE(unknown.reason.find("has not started a service worker"), std::string::npos);
  bench.context.service_logs["api"] = bench.folder / "gone";
  EXPECT_EQ(bench.run_what(plan::CheckLogs{"api", {}, {}}).state, CheckState::error);
  // The service may write beside its log: a link that it puts there leads nowhere.
  ASSERT_TRUE(bench.files->make_symlink("/etc/passwd", bench.folder / "link").ok());
  bench.context.service_logs["api"] = bench.folder / "link";
  auto link = bench.run_what(plan::CheckLogs{"api", {}, {}});
  EXPECT_EQ(link.state, CheckState::error) << all_text(link);
  // Opening it would wait for ever.
  ASSERT_TRUE(bench.files->make_special(bench.folder / "fifo", FileKind::fifo, 0600, 0).ok());
  bench.context.service_logs["api"] = bench.folder / "fifo";
  EXPECT_EQ(bench.run_what(plan::CheckLogs{"api", {}, {}}).state, CheckState::error);
  auto text = bench.of("INFO a\n", expecting(Op::recorded, ""));
  EXPECT_EQ(text.state, CheckState::error) << all_text(text);
}

TEST(Logs, OutsideOfADrillNothingIsKnown) {
  LogBench bench;
  bench.context.sandboxed = false;
  auto result = bench.run_what(plan::CheckLogs{"api", {}, {}});
  EXPECT_EQ(result.state, CheckState::error);
  EXPECT_NE(result.reason.find("known only in a drill"), std::string::npos) << result.reason;
}

}  // namespace
}  // namespace lb::check
