#include "model/report/figures.h"

#include <gtest/gtest.h>

#include "model/report/advice.h"
#include "model/report/plots.h"
#include "model/report/samples.h"

namespace lb::report {
namespace {

using namespace std::chrono_literals;

ObjectiveRow row(std::optional<Micros> target, std::optional<Micros> measured) {
  ObjectiveRow out;
  out.target = target;
  out.measured = measured;
  return out;
}

TEST(Objectives, StandingFollowsTargetAndMeasured) {
  EXPECT_EQ(row(10s, 7s).standing(), Standing::met);
  EXPECT_EQ(row(10s, 8s).standing(), Standing::close);
  EXPECT_EQ(row(10s, 10s).standing(), Standing::close);
  EXPECT_EQ(row(10s, 10001ms).standing(), Standing::missed);
  EXPECT_EQ(row(std::nullopt, 10s).standing(), Standing::no_target);
  EXPECT_EQ(row(10s, std::nullopt).standing(), Standing::not_measured);
  EXPECT_EQ(row(0s, 0s).standing(), Standing::met);
  EXPECT_EQ(row(10s, 12s).margin(), Micros(-2s));
  EXPECT_FALSE(row(std::nullopt, 12s).margin());
}

TEST(Figures, AreDerivedFromTheEvidenceNotCopied) {
  auto record = passing_drill();
  record.measured_rpo.reset();
  record.measured_rto = Micros(1);
  for (auto& store : record.stores) store.measured_rpo.reset();
  const auto figures = figures_of(record);
  EXPECT_EQ(figures.rpo, Micros(1790s));
  EXPECT_EQ(figures.rto, Micros(22290ms));
  EXPECT_EQ(figures.total, Micros(24600ms));
  EXPECT_EQ(figures.bytes, 283'000'000u);
  ASSERT_EQ(figures.objectives.size(), 5u);
  EXPECT_EQ(figures.objectives[1].measured, Micros(3214ms));
  ASSERT_EQ(figures.disagreements.size(), 1u);
}

TEST(Figures, ACommitAfterTheMomentOfLossIsNoNegativeLoss) {
  auto record = passing_drill();
  record.stores[0].reached = record.loss_moment + 5s;
  EXPECT_EQ(loss_of(record.stores[0], record.loss_moment), Micros(0));
}

TEST(Figures, WithoutChecksAndStoresThereIsNothingMeasured) {
  record::DrillRecord record;
  const auto figures = figures_of(record);
  EXPECT_FALSE(figures.rpo);
  EXPECT_FALSE(figures.rto);
  EXPECT_EQ(figures.objectives.front().standing(), Standing::not_measured);
  EXPECT_EQ(figures.checks.total, 0u);
}

TEST(Figures, OnlyTimesOfDrillsThatPassedArePredicted) {
  const auto record = passing_drill();
  auto earlier = history_of(record, 3);
  ASSERT_EQ(earlier.size(), 3u);
  std::vector<Micros> passed;
  for (const auto& old : earlier) {
    if (old.verdict == record::Verdict::pass) passed.push_back(*recovery_time_of(old));
  }
  ASSERT_EQ(passed.size(), 2u) << "one of the three failed";
  auto rows = figures_of(record).objectives;
  add_predictions(rows, earlier);
  for (const auto& row : rows) {
    EXPECT_EQ(row.predicted.has_value(), row.figure != "Data loss") << row.figure;
    if (row.figure == "Recovery time") {
      EXPECT_EQ(*row.predicted, std::max(passed[0], passed[1]));
    }
  }
  auto alone = figures_of(record).objectives;
  add_predictions(alone, {});
  for (const auto& row : alone) EXPECT_FALSE(row.predicted) << row.figure;
}

TEST(Figures, TalliesCountEveryState) {
  const auto all = tally(failing_drill().checks);
  EXPECT_EQ(all.total, 8u);
  EXPECT_EQ(all.passed, 5u);
  EXPECT_EQ(all.failed, 1u);
  EXPECT_EQ(all.errors, 1u);
  EXPECT_EQ(all.skipped, 1u);
  EXPECT_EQ(tally(failing_drill().checks, "db").total, 5u);
  const auto record = failing_drill();
  EXPECT_EQ(tally_of_store(record, record.stores[0]).passed, 4u);
  EXPECT_EQ(tally_of_store(record, record.stores[0]).total, 5u);
  EXPECT_EQ(suites_of(passing_drill()), (std::vector<std::string>{"db", "files", "api"}));
}

TEST(Figures, LimitsReadAsAPersonWroteThem) {
  EXPECT_EQ(limit_text(24h), "24 h");
  EXPECT_EQ(limit_text(48h), "48 h");
  EXPECT_EQ(limit_text(24h * 7), "7 d");
  EXPECT_EQ(limit_text(90s), "90 s");
  EXPECT_EQ(limit_text(15min), "15 min");
  EXPECT_EQ(limit_text(250ms), "250 ms");
  EXPECT_EQ(limit_text(0s), "0 s");
  EXPECT_EQ(rate_text(0, 1s), "");
  EXPECT_EQ(rate_text(1 << 20, 1s), "1.0 MiB/s");
  EXPECT_EQ(moment_text(Timestamp{}), "not recorded");
}

TEST(Figures, TheSummaryIsOneSentenceWithClocks) {
  const auto record = passing_drill();
  EXPECT_EQ(
      summary_sentence(record, figures_of(record)),
      "Drill full of content-crew: db and media were restored into sandbox; the recovery took "
      "22.3 s (start of the drill to the last check); the data loss was 29 min 50 s (newest "
      "commit reached to the moment of loss); 8 of 8 checks passed; no issues were found.");
}

TEST(Axis, HasFewRoundTicksThatCoverTheTop) {
  for (const std::int64_t top : {0L, 1L, 999L, 1'000'000L, 22'290'000L, 4'000'000'000L}) {
    const Axis axis = axis_for(Micros(top), 5);
    EXPECT_GE(axis.top.count(), top);
    EXPECT_GE(axis.top / axis.step, 1);
    EXPECT_LE(axis.top / axis.step, 5) << top;
  }
  const Axis years = axis_for(24h * 10'000, 5);
  EXPECT_GE(years.top, Micros(24h * 10'000));
  EXPECT_EQ(axis_for(22s, 8).step, Micros(5s));
  EXPECT_EQ(tick_text(90s), "1 min 30 s");
  EXPECT_EQ(tick_text(90min), "1 h 30 min");
  EXPECT_EQ(tick_text(0s), "0");
}

TEST(Advice, ACleanPassNeedsNone) {
  auto record = passing_drill();
  record.findings.clear();
  EXPECT_TRUE(advice_for(record, {}).empty());
}

TEST(Advice, AnythingFailedOrCloseGivesAtLeastThreeWholePieces) {
  auto close = passing_drill();
  close.target_rto = 23s;
  auto schedule = passing_drill();
  schedule.stores[1].target_rpo = 1h;
  for (const auto& record : {failing_drill(), inconclusive_drill(), close, schedule}) {
    const auto pieces = advice_for(record, {});
    EXPECT_GE(pieces.size(), 3u) << record.reason;
    for (const auto& piece : pieces) {
      EXPECT_FALSE(piece.what.empty());
      EXPECT_FALSE(piece.why.empty());
      EXPECT_FALSE(piece.action.empty());
    }
  }
}

TEST(Advice, TheWorstComesFirst) {
  const auto pieces = advice_for(failing_drill(), {});
  EXPECT_EQ(pieces.front().severity, "failure");
  EXPECT_EQ(pieces.back().severity, "note");
}

TEST(Advice, NamesTheLastDrillThatPassed) {
  auto record = inconclusive_drill();
  record.findings.clear();
  const auto has = [](const std::vector<Advice>& pieces, const std::string& text) {
    for (const auto& piece : pieces) {
      if (piece.what.find(text) != std::string::npos) return true;
    }
    return false;
  };
  EXPECT_TRUE(has(advice_for(record, {}), "No earlier drill in the log passed"));
  EXPECT_TRUE(has(advice_for(record, history_of(record, 4)), "passed is of 2026-10-22"));
}

TEST(History, TheObjectiveIsDrawnWhereItFitsAndToldWhereNot) {
  const std::vector<HistoryPoint> points = {{sample_time(0), record::Verdict::pass, 20s, 30s},
                                            {sample_time(9), record::Verdict::fail, 40s, 30s}};
  const std::string near = history_svg("t", points);
  EXPECT_NE(near.find("class=\"limit\""), std::string::npos);
  EXPECT_NE(near.find("- - target 30 s"), std::string::npos);
  EXPECT_NE(near.find("class=\"dot-pass\""), std::string::npos);
  EXPECT_NE(near.find("class=\"dot-fail\""), std::string::npos);
  auto far = points;
  far.back().target = 8h;
  const std::string told = history_svg("t", far);
  EXPECT_EQ(told.find("class=\"limit\""), std::string::npos);
  EXPECT_NE(told.find("target 8 h, above this scale"), std::string::npos);
  const std::string none =
      history_svg("t", {{sample_time(0), record::Verdict::inconclusive, {}, {}}});
  EXPECT_NE(none.find("no target set"), std::string::npos);
  EXPECT_NE(none.find("not measured"), std::string::npos);
  EXPECT_EQ(none.find("nan"), std::string::npos);
}

TEST(Timeline, EveryStageHasABarAndItsDuration) {
  const auto record = failing_drill();
  const std::string svg = timeline_svg(record);
  std::size_t bars = 0;
  for (auto at = svg.find("<rect"); at != std::string::npos; at = svg.find("<rect", at + 1)) ++bars;
  EXPECT_EQ(bars, record.stages.size());
  EXPECT_NE(svg.find("restore media"), std::string::npos);
  EXPECT_NE(svg.find("6.2 s"), std::string::npos);
  EXPECT_NE(svg.find("did not succeed"), std::string::npos);
  EXPECT_NE(svg.find("last check, 22.3 s after the start"), std::string::npos);
}

TEST(Timeline, AWallClockThatJumpedBackDrawsNothingOutside) {
  auto record = passing_drill();
  record.stages[3].started = record.started - 30s;
  const std::string svg = timeline_svg(record);
  EXPECT_EQ(svg.find("x=\"-"), std::string::npos);
  EXPECT_EQ(svg.find("width=\"-"), std::string::npos);
}

}  // namespace
}  // namespace lb::report
