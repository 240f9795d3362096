#include "model/report/advice.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/report/figures.h"

namespace lb::report {

using record::DrillRecord;
using record::Verdict;

constexpr std::size_t advice_min = 3;  // when anything failed or came near a limit

static std::string reason_to_care(const std::string& severity) {
  if (severity == "failure") {
    return "A real loss today would meet the same failure; until it is mended this recovery cannot "
           "be counted on.";
  }
  if (severity == "warning") {
    return "It leaves part of the recovery unproven or with little room: growth or a worse day "
           "turns it into a failure.";
  }
  return "For the record; it did not touch the verdict.";
}

static Advice from_finding(const record::Finding& finding) {
  const bool advised = !finding.recommendation.empty();
  return {finding.severity, finding.text, reason_to_care(finding.severity),
          advised ? finding.recommendation
                  : std::string("Find the cause in the evidence and the journal of this report.")};
}

static Advice last_proven(const std::vector<DrillRecord>& history) {
  const auto proven = std::find_if(history.rbegin(), history.rend(), [](const DrillRecord& old) {
    return old.verdict == Verdict::pass;
  });
  if (proven == history.rend()) {
    return {"note", "No earlier drill in the log passed",
            "Nothing has shown yet that this system can be recovered.",
            "Treat the recovery as unproven: tell the people who count on it, and drill earlier "
            "points with --at until one passes."};
  }
  std::vector<std::string> points;
  for (const auto& store : proven->stores) points.push_back(cat(store.store, " ", store.point));
  return {"note", cat("The last drill that passed is of ", moment_text(proven->started)),
          "Its points are the newest that are known to work.",
          cat("Keep them until a newer drill passes",
              points.empty() ? "" : cat(": ", join(points, ", ")), ".")};
}

// The plan itself may allow more loss than its objective, whatever this drill measured.
static std::vector<Advice> from_worst_cases(const DrillRecord& record) {
  std::vector<Advice> out;
  for (const auto& store : record.stores) {
    if (!store.worst_case_loss || !store.target_rpo) continue;
    if (*store.worst_case_loss <= *store.target_rpo) continue;
    out.push_back({"warning",
                   cat("The schedule of store ", store.store, " allows a worst-case loss of ",
                       limit_text(*store.worst_case_loss), ", more than its target of ",
                       limit_text(*store.target_rpo)),
                   "A drill measures one moment; a loss at the worst moment would miss the target.",
                   "Take recovery points more often; lifeboat plan explain shows what a schedule "
                   "allows."});
  }
  return out;
}

static std::vector<Advice> follow_up(const DrillRecord& record,
                                     const std::vector<DrillRecord>& history) {
  std::vector<Advice> out;
  if (record.verdict != Verdict::pass) {
    out.push_back({"note", "Whether the repository itself is sound is not told by this drill",
                   "Reading everything back tells a damaged backup from a drill that met a "
                   "hindrance of its own.",
                   "Run lifeboat verify and keep its result with this report."});
  }
  out.push_back({"note", "This drill will not prove the repair",
                 "A cause that looks mended is a guess until a drill has passed.",
                 cat("Run lifeboat drill ", record.drill,
                     " again as soon as the cause is mended, not only when it is next due.")});
  out.push_back(last_proven(history));
  out.push_back({"note", "The objectives were set before this result",
                 "An objective that is met by luck, or missed each time, guides nobody.",
                 "Compare the measured figures with lifeboat plan explain and settle whether the "
                 "schedule or the objective has to move."});
  return out;
}

static bool deserves_advice(const DrillRecord& record) {
  if (record.verdict != Verdict::pass) return true;
  const auto figures = figures_of(record);
  if (figures.failures + figures.warnings > 0 || !from_worst_cases(record).empty()) return true;
  return std::any_of(figures.objectives.begin(), figures.objectives.end(), [](const auto& row) {
    return row.standing() == Standing::close || row.standing() == Standing::missed;
  });
}

static int rank(const std::string& severity) {
  return severity == "failure" ? 0 : severity == "warning" ? 1 : 2;
}

std::vector<Advice> advice_for(const DrillRecord& record, const std::vector<DrillRecord>& history) {
  std::vector<Advice> out;
  for (const auto& finding : record.findings) out.push_back(from_finding(finding));
  for (auto& advice : from_worst_cases(record)) out.push_back(std::move(advice));
  std::stable_sort(out.begin(), out.end(), [](const Advice& a, const Advice& b) {
    return rank(a.severity) < rank(b.severity);
  });
  if (!deserves_advice(record)) return out;
  for (const auto& advice : follow_up(record, history)) {
    if (out.size() >= advice_min) break;
    out.push_back(advice);
  }
  return out;
}

}  // namespace lb::report
