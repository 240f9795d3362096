#include "recovery/check/check.h"

#include <gtest/gtest.h>

#include "recovery/check/checks_fixture.h"

namespace lb::check {
namespace {

using record::CheckState;
using record::Verdict;

record::CheckResult result_of(CheckState state, std::uint64_t examined = 1) {
  record::CheckResult out;
  out.name = "c";
  out.state = state;
  out.examined = examined;
  out.reason = state == CheckState::pass ? "" : "because";
  return out;
}

TEST(Judge, TellsFailFromErrorFromPass) {
  struct Case {
    std::vector<record::CheckResult> results;
    Verdict verdict;
    std::string reason;
  };
  const Case cases[] = {
      {{}, Verdict::fail, "the suite ran no check"},
      {{result_of(CheckState::skipped)}, Verdict::fail, "the suite ran no check"},
      {{result_of(CheckState::pass, 0)}, Verdict::fail, "the checks examined nothing"},
      {{result_of(CheckState::pass)}, Verdict::pass, "1 check passed"},
      {{result_of(CheckState::pass), result_of(CheckState::skipped)},
       Verdict::pass,
       "1 check passed"},
      {{result_of(CheckState::pass), result_of(CheckState::error)},
       Verdict::inconclusive,
       "c: because"},
      {{result_of(CheckState::error, 0)}, Verdict::inconclusive, "c: because"},
      {{result_of(CheckState::error), result_of(CheckState::fail)}, Verdict::fail, "c: because"},
  };
  for (const auto& c : cases) {
    auto judged = judge(c.results);
    EXPECT_EQ(judged.verdict, c.verdict) << judged.reason;
    EXPECT_EQ(judged.reason, c.reason);
  }
}

TEST(Suite, RefusesKindsThatAreNotBuiltWithTheirPlace) {
  CheckBench bench;
  for (const auto& result : {bench.run_what(plan::CheckGroup{"SELECT 1", {}, {}}),
                             bench.run_what(plan::CheckManual{"look"}),
                             bench.run_what(plan::CheckUnsupported{"logs"})}) {
    EXPECT_EQ(result.state, CheckState::error);
    EXPECT_NE(result.reason.find(cat("not supported yet: ", result.kind, " (lifeboat.yaml:12:5)")),
              std::string::npos)
        << result.reason;
    EXPECT_EQ(result.place, "lifeboat.yaml:12:5");
  }
}

TEST(Suite, ErrsWhenTheStoreIsNotInTheDrill) {
  CheckBench bench;
  auto none = bench.run_what(plan::CheckTables{{"users"}});
  EXPECT_EQ(none.state, CheckState::error);
  EXPECT_EQ(none.reason, "the drill restores no postgres store");

  CheckedStore files;
  files.name = "media";
  bench.context.stores.push_back(std::move(files));
  plan::Check wrong_kind;
  wrong_kind.store = "media";
  wrong_kind.what = plan::CheckTables{{"users"}};
  EXPECT_NE(bench.run(wrong_kind).reason.find("is of kind files"), std::string::npos);

  for (auto name : {"a", "b"}) {
    CheckedStore store;
    store.name = name;
    store.kind = plan::StoreKind::postgres;
    bench.context.stores.push_back(std::move(store));
  }
  auto two = bench.run_what(plan::CheckTables{{"users"}});
  EXPECT_EQ(two.state, CheckState::error);
  EXPECT_EQ(two.reason, "the drill restores more than one postgres store");
}

TEST(Suite, RefusesACopyWithoutARunMarker) {
  CheckBench bench;
  CheckedStore store;
  store.name = "db";
  store.kind = plan::StoreKind::postgres;
  store.connection = "host=/nowhere";
  bench.context.stores.push_back(std::move(store));
  auto result = bench.run_what(plan::CheckSql{"SELECT 1", equal_to("1")});
  EXPECT_EQ(result.state, CheckState::error);
  EXPECT_NE(result.reason.find("run marker"), std::string::npos);
  EXPECT_EQ(result.store, "db");
}

TEST(Suite, MarksWhatWasStoppedAsErrorNotAsSkipped) {
  CheckBench bench;
  std::stop_source stop;
  bench.context.stop = stop.get_token();
  stop.request_stop();
  plan::CheckHttp http;
  http.path = "/health";
  auto result = bench.run_what(http);
  EXPECT_EQ(result.state, CheckState::error);
  EXPECT_EQ(result.reason, "stopped before the check ran");
  EXPECT_TRUE(bench.http.requests().empty());
}

}  // namespace
}  // namespace lb::check
