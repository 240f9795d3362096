#include "model/report/figures.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::report {

using record::CheckState;
using record::DrillRecord;
using record::StoreResult;

// From this share of an objective on, a met objective is called close (the verdict's advice
// agrees).
constexpr double close_share = 0.8;

std::optional<Micros> ObjectiveRow::margin() const {
  if (!target || !measured) return std::nullopt;
  return *target - *measured;
}

Standing ObjectiveRow::standing() const {
  if (!measured) return Standing::not_measured;
  if (!target) return Standing::no_target;
  if (*measured > *target) return Standing::missed;
  const auto share = static_cast<double>(measured->count()) / static_cast<double>(target->count());
  return target->count() > 0 && share >= close_share ? Standing::close : Standing::met;
}

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::met:
      return "met";
    case Standing::close:
      return "met, close";
    case Standing::missed:
      return "missed";
    case Standing::no_target:
      return "no target";
    case Standing::not_measured:
      return "not measured";
  }
  return {};
}

Tally tally(const std::vector<record::CheckResult>& checks, const std::string& suite) {
  Tally out;
  for (const auto& check : checks) {
    if (!suite.empty() && check.suite != suite) continue;
    ++out.total;
    out.passed += check.state == CheckState::pass ? 1 : 0;
    out.failed += check.state == CheckState::fail ? 1 : 0;
    out.errors += check.state == CheckState::error ? 1 : 0;
    out.skipped += check.state == CheckState::skipped ? 1 : 0;
    out.examined += check.examined;
  }
  return out;
}

Tally tally_of_store(const DrillRecord& record, const StoreResult& store) {
  std::vector<record::CheckResult> asked;
  for (const auto& check : record.checks) {
    if (check.store == store.store) asked.push_back(check);
  }
  if (!asked.empty()) return tally(asked);
  Tally out;
  out.total = store.checks_total;
  out.passed = store.checks_passed;
  return out;
}

std::vector<std::string> suites_of(const DrillRecord& record) {
  std::vector<std::string> out;
  for (const auto& check : record.checks) {
    if (std::find(out.begin(), out.end(), check.suite) == out.end()) out.push_back(check.suite);
  }
  return out;
}

std::optional<Micros> loss_of(const StoreResult& store, Timestamp loss_moment) {
  if (!store.reached) return store.measured_rpo;
  return std::max(Micros(0), loss_moment - *store.reached);
}

std::optional<Micros> worst_loss_of(const DrillRecord& record) {
  // How old the last commit before a random moment was says nothing of a loss.
  if (record.audit) return std::nullopt;
  std::optional<Micros> worst;
  for (const auto& store : record.stores) {
    const auto loss = loss_of(store, record.loss_moment);
    if (loss && (!worst || *loss > *worst)) worst = loss;
  }
  return record.stores.empty() ? record.measured_rpo : worst;
}

static std::optional<Micros> slowest_moment(const record::PitrAudit& audit) {
  std::optional<Micros> slowest;
  for (const auto& moment : audit.moments) {
    if (moment.measured_rto) slowest = std::max(slowest.value_or(Micros(0)), *moment.measured_rto);
  }
  return slowest;
}

std::optional<Micros> recovery_time_of(const DrillRecord& record) {
  if (record.audit) return slowest_moment(*record.audit);
  if (record.checks.empty()) return record.measured_rto;
  auto last = record.started;
  for (const auto& check : record.checks) last = std::max(last, check.started + check.took);
  return last - record.started;
}

constexpr const char* loss_figure = "Data loss";

static ObjectiveRow loss_row(const StoreResult& store, const DrillRecord& record) {
  ObjectiveRow row;
  row.subject = store.store;
  row.figure = loss_figure;
  const std::string clock = store.kind.empty() || store.kind == "postgres"
                                ? record.rpo_clock
                                : replace_all(record.rpo_clock, "newest commit", "newest state");
  row.clock = clock_text(clock);
  row.target = store.target_rpo;
  row.goal = store.goal;
  row.worst_case = store.worst_case_loss;
  row.measured = loss_of(store, record.loss_moment);
  return row;
}

static ObjectiveRow restore_row(const StoreResult& store) {
  ObjectiveRow row;
  row.subject = store.store;
  row.figure = "Restore time";
  row.clock = "start of this restore → the data ready to use";
  row.target = store.target_rto;
  row.measured = store.measured_restore;
  return row;
}

static ObjectiveRow recovery_row(const DrillRecord& record) {
  ObjectiveRow row;
  row.subject = record.audit ? "slowest moment" : "whole drill";
  row.figure = "Recovery time";
  row.clock = clock_text(record.rto_clock);
  row.target = record.target_rto;
  // A goal beside an RPO is a goal for the loss; alone beside an RTO it can only mean the time.
  if (!record.target_rpo) row.goal = record.goal;
  row.measured = recovery_time_of(record);
  return row;
}

static void compare(std::vector<std::string>& out, const std::string& what,
                    const std::optional<Micros>& recorded, const std::optional<Micros>& evidence) {
  if (!recorded || recorded == evidence) return;
  out.push_back(cat(what, " is recorded as ", format_duration(*recorded), ", the evidence gives ",
                    evidence ? format_duration(*evidence) : std::string("nothing")));
}

static std::vector<std::string> disagreements_of(const DrillRecord& record) {
  std::vector<std::string> out;
  for (const auto& store : record.stores) {
    compare(out, cat("The data loss of ", store.store), store.measured_rpo,
            loss_of(store, record.loss_moment));
  }
  compare(out, "The data loss of the drill", record.measured_rpo, worst_loss_of(record));
  compare(out, "The recovery time", record.measured_rto, recovery_time_of(record));
  return out;
}

Figures figures_of(const DrillRecord& record) {
  Figures out;
  out.objectives.push_back(recovery_row(record));
  for (const auto& store : record.stores) {
    if (record.audit) break;  // its stores stand for one of many moments
    out.objectives.push_back(loss_row(store, record));
    out.objectives.push_back(restore_row(store));
    out.bytes += store.bytes;
  }
  out.checks = tally(record.checks);
  out.rpo = worst_loss_of(record);
  out.rto = recovery_time_of(record);
  out.total = std::max(Micros(0), record.ended - record.started);
  for (const auto& finding : record.findings) {
    if (finding.severity == "failure") ++out.failures;
    if (finding.severity == "warning") ++out.warnings;
  }
  out.disagreements = disagreements_of(record);
  return out;
}

bool Figures::predicted() const {
  return std::any_of(objectives.begin(), objectives.end(),
                     [](const auto& row) { return row.predicted.has_value(); });
}

void add_predictions(std::vector<ObjectiveRow>& rows, const std::vector<DrillRecord>& earlier) {
  for (auto& row : rows) {
    // A loss hangs on the moment, not on how long things take.
    if (row.figure == loss_figure) continue;
    std::vector<Micros> took;
    for (const auto& old : earlier) {
      if (old.verdict != record::Verdict::pass) continue;
      for (const auto& other : figures_of(old).objectives) {
        bool same = other.subject == row.subject && other.figure == row.figure;
        if (same && other.measured) took.push_back(*other.measured);
      }
    }
    if (took.empty()) continue;
    std::sort(took.begin(), took.end());
    row.predicted = took[took.size() / 2];
  }
}

std::string limit_text(Micros limit) {
  using namespace std::chrono_literals;
  const struct {
    Micros size;
    const char* name;
  } units[] = {{24h, " d"}, {1h, " h"}, {1min, " min"}, {1s, " s"}, {1ms, " ms"}};
  for (const auto& unit : units) {
    // Up to two days people speak of hours: "RPO 24 h".
    if (unit.size == Micros(24h) && limit <= 48h) continue;
    if (limit >= unit.size && limit % unit.size == Micros(0)) {
      return cat(limit / unit.size, unit.name);
    }
  }
  return human_duration(limit);
}

std::string figure_text(const std::optional<Micros>& figure) {
  return figure ? human_duration(*figure) : std::string("–");
}

std::string moment_text(Timestamp time) {
  if (time == Timestamp{}) return "not recorded";
  std::string text = format_time(time);  // RFC 3339 in UTC
  if (const auto t = text.find('T'); t != std::string::npos) text[t] = ' ';
  return replace_all(text, "Z", " UTC");
}

std::string clock_text(const std::string& clock) { return replace_all(clock, " to ", " → "); }

std::string rate_text(std::uint64_t bytes, Micros took) {
  if (bytes == 0 || took.count() <= 0) return {};
  const double rate = static_cast<double>(bytes) * 1e6 / static_cast<double>(took.count());
  return cat(human_size(static_cast<std::uint64_t>(rate)), "/s");
}

static std::string restored_clause(const DrillRecord& record) {
  if (record.stores.empty()) return "no store was restored";
  std::vector<std::string> names;
  for (const auto& store : record.stores) names.push_back(store.store);
  const char* were = names.size() == 1 ? " was restored" : " were restored";
  const std::string last = names.back();
  names.pop_back();
  const std::string all = names.empty() ? last : cat(join(names, ", "), " and ", last);
  return cat(all, were, record.target.empty() ? "" : cat(" into ", record.target));
}

std::uint64_t proven_moments(const record::PitrAudit& audit) {
  std::uint64_t count = 0;
  for (const auto& moment : audit.moments) count += moment.verdict == record::Verdict::pass ? 1 : 0;
  return count;
}

static std::string issues_clause(const Figures& figures) {
  const auto issues = figures.failures + figures.warnings;
  return issues == 0 ? std::string("; no issues were found.")
                     : cat("; ", issues, issues == 1 ? " issue was found." : " issues were found.");
}

static std::string audit_sentence(const DrillRecord& record, const Figures& figures) {
  const auto& audit = *record.audit;
  return cat("Drill ", record.drill, " of ", record.system, ": ", proven_moments(audit), " of ",
             audit.moments.size(), " random moments between ", moment_text(audit.from), " and ",
             moment_text(audit.to), " were restored into ", record.target, " and proven",
             figures.rto ? cat("; the slowest took ", human_duration(*figures.rto))
                         : std::string("; no recovery time could be measured"),
             issues_clause(figures));
}

std::string summary_sentence(const DrillRecord& record, const Figures& figures) {
  if (record.audit) return audit_sentence(record, figures);
  std::string out =
      cat("Drill ", record.drill, " of ", record.system, ": ", restored_clause(record));
  out += figures.rto ? cat("; the recovery took ", human_duration(*figures.rto), " (",
                           record.rto_clock, ")")
                     : std::string("; the recovery time could not be measured");
  out += figures.rpo ? cat("; the data loss was ", human_duration(*figures.rpo), " (",
                           record.rpo_clock, ")")
                     : std::string("; the data loss could not be measured");
  out += cat("; ", figures.checks.passed, " of ", figures.checks.total, " checks passed");
  return out + issues_clause(figures);
}

}  // namespace lb::report
