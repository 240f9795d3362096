#include "recovery/drill/verdict.h"

#include <algorithm>
#include <map>

#include "foundation/base/text.h"

namespace lb::drill {

namespace {

using record::CheckState;
using record::DrillRecord;
using record::Verdict;

// From this share of an objective on, a pass still deserves a warning.
constexpr double near_limit = 0.8;

bool near(Micros measured, Micros target) {
  return static_cast<double>(measured.count()) >= near_limit * static_cast<double>(target.count());
}

bool proves_damage(const Error& error) {
  auto code = error.exit_code();
  return code == ExitCode::damaged || code == ExitCode::point_unreachable;
}

// Of an audit: the slowest moment. How old the last commit before a random moment was is no loss.
void measure_audit(DrillRecord& record) {
  for (const auto& moment : record.audit->moments) {
    if (moment.measured_rto &&
        (!record.measured_rto || *moment.measured_rto > *record.measured_rto))
      record.measured_rto = moment.measured_rto;
  }
  for (auto& store : record.stores) store.measured_rpo.reset();
}

void measure(DrillRecord& record) {
  if (record.audit) return measure_audit(record);
  for (auto& store : record.stores) {
    if (store.reached)
      store.measured_rpo = std::max(Micros(0), record.loss_moment - *store.reached);
    if (store.measured_rpo && store.target_rpo)
      store.rpo_met = *store.measured_rpo <= *store.target_rpo;
    if (!store.measured_rpo && store.target_rpo) store.rpo_met = false;
    if (store.measured_rpo &&
        (!record.measured_rpo || *store.measured_rpo > *record.measured_rpo)) {
      record.measured_rpo = store.measured_rpo;
    }
  }
  if (record.checks.empty()) return;
  auto end = record.started;
  for (const auto& check : record.checks) end = std::max(end, check.started + check.took);
  record.measured_rto = end - record.started;
}

std::string count_states(const DrillRecord& record) {
  std::size_t failed = 0, errors = 0, skipped = 0;
  for (const auto& check : record.checks) {
    failed += check.state == CheckState::fail ? 1 : 0;
    errors += check.state == CheckState::error ? 1 : 0;
    skipped += check.state == CheckState::skipped ? 1 : 0;
  }
  std::vector<std::string> parts;
  if (failed > 0) parts.push_back(cat(failed, " failed"));
  if (errors > 0) parts.push_back(cat(errors, " could not run"));
  if (skipped > 0) parts.push_back(cat(skipped, " skipped"));
  return join(parts, ", ");
}

// Objectives that were measured and missed, or could not be measured at all.
std::vector<std::string> missed_objectives(const DrillRecord& record) {
  std::vector<std::string> out;
  for (const auto& store : record.stores) {
    if (store.rpo_met || !store.target_rpo) continue;
    out.push_back(store.measured_rpo
                      ? cat("RPO of ", store.store, ": lost ", human_duration(*store.measured_rpo),
                            ", target ", format_duration(*store.target_rpo))
                      : cat("RPO of ", store.store, " could not be measured"));
  }
  if (record.target_rto && record.measured_rto && *record.measured_rto > *record.target_rto) {
    out.push_back(cat("RTO: took ", human_duration(*record.measured_rto), ", target ",
                      format_duration(*record.target_rto)));
  }
  return out;
}

// A moment that failed outweighs one that could not be decided.
std::pair<Verdict, std::string> decide_audit(const record::PitrAudit& audit) {
  for (auto verdict : {Verdict::fail, Verdict::inconclusive}) {
    const record::AuditedMoment* first = nullptr;
    std::size_t count = 0;
    for (const auto& moment : audit.moments) {
      if (moment.verdict != verdict) continue;
      if (first == nullptr) first = &moment;
      ++count;
    }
    if (first == nullptr) continue;
    return {verdict, cat(count, " of ", audit.moments.size(),
                         verdict == Verdict::fail ? " moments failed" : " moments are undecided",
                         "; the first is ", format_time(first->moment), ": ", first->reason)};
  }
  if (audit.moments.empty()) return {Verdict::fail, "no moment was tried: nothing was proven"};
  return {Verdict::pass,
          cat("all ", audit.moments.size(), " moments between ", format_time_seconds(audit.from),
              " and ", format_time_seconds(audit.to), " were reached and proven")};
}

void decide(DrillRecord& record, const Ending& ending) {
  auto says = [&](Verdict verdict, std::string reason) {
    record.verdict = verdict;
    record.reason = std::move(reason);
  };
  bool failed_moment = record.audit && decide_audit(*record.audit).first == Verdict::fail &&
                       !record.audit->moments.empty();
  if (ending.error && !failed_moment) {
    // Damage is damage wherever it was met, also while the sandbox was being prepared.
    bool backup_is_bad =
        proves_damage(*ending.error) || (!ending.sandbox_lacks && speaks_of_backup(*ending.error));
    return says(backup_is_bad ? Verdict::fail : Verdict::inconclusive,
                cat(ending.stage, ": ", ending.error->text()));
  }
  if (record.audit) {
    auto [verdict, reason] = decide_audit(*record.audit);
    return says(verdict, std::move(reason));
  }
  std::size_t ran = 0, failed = 0, errors = 0;
  for (const auto& check : record.checks) {
    ran += check.state != CheckState::skipped ? 1 : 0;
    failed += check.state == CheckState::fail ? 1 : 0;
    errors += check.state == CheckState::error ? 1 : 0;
  }
  auto missed = missed_objectives(record);
  if (failed > 0) {
    return says(Verdict::fail, cat(count_states(record), " of ", record.checks.size(), " checks"));
  }
  if (ran == 0) return says(Verdict::fail, "no check ran: nothing was proven");
  if (!missed.empty()) return says(Verdict::fail, join(missed, "; "));
  if (errors > 0) {
    return says(Verdict::inconclusive,
                cat(count_states(record), " of ", record.checks.size(), " checks"));
  }
  auto checks = ran == 1 ? std::string("the one check") : cat("all ", ran, " checks");
  says(Verdict::pass, cat(checks, " passed, every objective met"));
}

void advise_on_objectives(DrillRecord& record) {
  for (const auto& store : record.stores) {
    if (!store.target_rpo || !store.measured_rpo) continue;
    if (!store.rpo_met) {
      record.findings.push_back(
          {"failure",
           cat("Store ", store.store, " lost ", human_duration(*store.measured_rpo),
               " of data; the target is ", format_duration(*store.target_rpo)),
           "Take recovery points more often, or stream the log continuously (log: continuous)."});
    } else if (near(*store.measured_rpo, *store.target_rpo)) {
      record.findings.push_back(
          {"warning",
           cat("Store ", store.store, " came within ",
               human_duration(*store.target_rpo - *store.measured_rpo), " of its RPO"),
           "Shorten the schedule before growth or a slow backup breaks the objective."});
    }
  }
  if (!record.target_rto || !record.measured_rto) return;
  if (*record.measured_rto > *record.target_rto) {
    record.findings.push_back({"failure",
                               cat("The recovery took ", human_duration(*record.measured_rto),
                                   "; the target is ", format_duration(*record.target_rto)),
                               "Look at the longest stage of the timeline first; more workers or a "
                               "closer copy help a restore."});
  } else if (near(*record.measured_rto, *record.target_rto)) {
    record.findings.push_back({"warning", "The recovery used more than 80 % of its RTO",
                               "Plan for growth: the restore time grows with the data."});
  }
}

// Each reason once; moments that failed in their checks are named by the checks' findings.
void advise_on_moments(DrillRecord& record) {
  const auto& audit = *record.audit;
  auto inside = [](const record::AuditGap& gap, const record::AuditedMoment& moment) {
    return moment.stores.empty() && moment.moment > gap.after && moment.moment < gap.before;
  };
  for (const auto& gap : audit.gaps) {
    auto first = std::find_if(audit.moments.begin(), audit.moments.end(),
                              [&](const auto& moment) { return inside(gap, moment); });
    auto why = first == audit.moments.end() ? std::string() : cat(" (", first->reason, ")");
    record.findings.push_back({"failure", gap.text + why,
                               "Take a recovery point now: only points behind the gap are safe. "
                               "lifeboat wal ls says what of the log is missing."});
  }
  std::map<std::string, std::size_t> reasons;
  std::vector<const record::AuditedMoment*> first;
  for (const auto& moment : audit.moments) {
    if (moment.verdict == Verdict::pass) continue;
    bool told = std::any_of(audit.gaps.begin(), audit.gaps.end(),
                            [&](const auto& gap) { return inside(gap, moment); });
    if (told) continue;
    if (++reasons[moment.reason] == 1) first.push_back(&moment);
  }
  for (const auto* moment : first) {
    bool bad = moment->verdict == Verdict::fail;
    auto count = reasons[moment->reason];
    record.findings.push_back(
        {bad ? "failure" : "warning",
         cat("Moment ", format_time(moment->moment),
             count > 1 ? cat(" and ", count - 1, " more") : std::string(),
             bad ? " failed: " : " could not be decided: ", moment->reason),
         bad ? "Restore to that moment by hand to look closer: lifeboat restore STORE --at TIME."
             : "Mend the place the drill runs in and run it again with the same --seed."});
  }
}

void advise(DrillRecord& record, const Ending& ending) {
  if (record.audit) advise_on_moments(record);
  if (ending.error) {
    auto hint = ending.error->hint();
    bool bad = record.verdict == Verdict::fail;
    record.findings.push_back(
        {bad ? "failure" : "warning", cat(ending.stage, " did not finish: ", ending.error->text()),
         hint.empty()
             ? std::string(bad ? "Run lifeboat verify to see what the repository can still give."
                               : "Mend the place the drill runs in and run it again.")
             : hint});
  }
  for (const auto& check : record.checks) {
    if (check.state == CheckState::fail) {
      record.findings.push_back(
          {"failure", cat("Check ", check.suite, " / ", check.name, " failed: ", check.reason),
           "Compare the evidence with production, and try an earlier point with --at."});
    } else if (check.state == CheckState::error) {
      record.findings.push_back(
          {"warning",
           cat("Check ", check.suite, " / ", check.name, " could not run: ", check.reason),
           "Mend the check or the sandbox; until then this assertion is unproven."});
    }
  }
  advise_on_objectives(record);
  if (record.isolation.blocked_count > 0) {
    record.findings.push_back(
        {"note", cat(record.isolation.blocked_count, " outbound attempts were blocked"),
         "Expected when a service calls out at start; make sure none of them is needed to serve."});
  }
  if (!record.cleaned_up) {
    record.findings.push_back({"warning", "The sandbox was not removed",
                               "The next drill sweeps it; or remove its folder by hand."});
  }
}

}  // namespace

bool speaks_of_backup(const Error& error) {
  if (proves_damage(error)) return true;
  switch (error.kind()) {
    case ErrorKind::exhausted:
    case ErrorKind::unsupported:
    case ErrorKind::denied:
    case ErrorKind::cancelled:
    case ErrorKind::invalid:
      return false;
    default:
      return true;
  }
}

void judge(DrillRecord& record, const Ending& ending) {
  measure(record);
  decide(record, ending);
  advise(record, ending);
}

}  // namespace lb::drill
