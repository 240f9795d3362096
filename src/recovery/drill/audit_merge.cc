#include "recovery/drill/audit_merge.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::drill {

namespace {

using record::CheckState;
using record::DrillRecord;
using record::Verdict;

int weight(CheckState state) {
  switch (state) {
    case CheckState::pass:
      return 0;
    case CheckState::skipped:
      return 1;
    case CheckState::error:
      return 2;
    case CheckState::fail:
      return 3;
  }
  return 3;
}

record::MomentStore store_of(const record::StoreResult& store, const DrillRecord& sample) {
  record::MomentStore out;
  out.store = store.store;
  out.kind = store.kind;
  out.point = store.point;
  out.point_taken = store.point_taken;
  out.reached = store.reached;
  out.reached_note = store.reached_note;
  out.next_commit = store.next_commit;
  for (const auto& stage : sample.stages) {
    if (stage.name != "replay" || stage.store != store.store) continue;
    out.replay = stage.took;
    out.log_bytes = stage.bytes;
  }
  return out;
}

record::AuditedMoment moment_of(const DrillRecord& sample, Timestamp moment) {
  record::AuditedMoment out;
  out.moment = moment;
  out.verdict = sample.verdict;
  out.reason = sample.reason;
  for (const auto& check : sample.checks) {
    if (check.state == CheckState::pass || check.state == CheckState::skipped) continue;
    out.reason += cat("; ", check.name, ": ", check.reason);
    break;
  }
  out.started = sample.started;
  out.took = sample.ended - sample.started;
  out.measured_rto = sample.measured_rto;
  out.checks_total = sample.checks.size();
  for (const auto& check : sample.checks)
    out.checks_passed += check.state == CheckState::pass ? 1 : 0;
  for (const auto& store : sample.stores) out.stores.push_back(store_of(store, sample));
  return out;
}

void add_isolation(record::Isolation& all, const record::Isolation& one) {
  if (all.facts.empty()) all.facts = one.facts;
  if (all.blocked_method.empty()) all.blocked_method = one.blocked_method;
  all.blocked_count += one.blocked_count;
  for (const auto& place : one.blocked_destinations) {
    auto& known = all.blocked_destinations;
    if (std::find(known.begin(), known.end(), place) == known.end()) known.push_back(place);
  }
}

}  // namespace

void AuditMerge::add(DrillRecord sample, Timestamp moment) {
  auto one = moment_of(sample, moment);
  record::Stage stage;
  stage.name = cat("moment ", format_time_seconds(moment));
  stage.started = one.started;
  stage.took = one.took;
  for (const auto& store : sample.stores) stage.bytes += store.bytes;
  stage.ok = one.verdict == Verdict::pass;
  stage.note = stage.ok ? "" : one.reason;
  audit_.stages.push_back(std::move(stage));
  for (const auto& check : sample.checks) add_check(check, moment);
  add_isolation(audit_.isolation, sample.isolation);
  audit_.cleaned_up = audit_.cleaned_up && sample.cleaned_up;
  if (one.verdict == Verdict::pass) audit_.stores = std::move(sample.stores);
  audit_.audit->moments.push_back(std::move(one));
}

void AuditMerge::add_check(const record::CheckResult& check, Timestamp moment) {
  auto same = [&](const Merged& other) {
    const auto& known = other.result;
    return known.suite == check.suite && known.name == check.name && known.store == check.store;
  };
  auto found = std::find_if(checks_.begin(), checks_.end(), same);
  bool passed = check.state == CheckState::pass;
  if (found == checks_.end()) {
    checks_.push_back({check, 0, 0});
    found = checks_.end() - 1;
    if (!passed) found->result.reason = cat("at ", format_time(moment), ": ", check.reason);
  } else {
    auto sum = found->result;
    if (weight(check.state) > weight(sum.state)) {
      sum = check;
      sum.reason = cat("at ", format_time(moment), ": ", check.reason);
    }
    sum.examined = found->result.examined + check.examined;
    sum.took = found->result.took + check.took;
    sum.started = found->result.started;
    found->result = std::move(sum);
  }
  ++found->ran;
  found->passed += passed ? 1 : 0;
}

void AuditMerge::finish(const std::vector<record::AuditGap>& gaps) {
  for (auto& merged : checks_) {
    auto& result = merged.result;
    if (result.state == CheckState::pass) {
      // The values of one moment would pass for those of all.
      result.got = cat("right at ", merged.passed, " of ", merged.ran, " moments");
      result.expected = "at every moment";
      if (result.kind == "moment") result.evidence.clear();
    }
    audit_.checks.push_back(std::move(result));
  }
  checks_.clear();
  if (!audit_.audit) return;
  for (const auto& gap : gaps) {
    const auto& moments = audit_.audit->moments;
    bool in_vain = std::any_of(moments.begin(), moments.end(), [&](const auto& moment) {
      return moment.verdict == Verdict::fail && moment.moment > gap.after &&
             moment.moment < gap.before;
    });
    if (in_vain) audit_.audit->gaps.push_back(gap);
  }
}

}  // namespace lb::drill
