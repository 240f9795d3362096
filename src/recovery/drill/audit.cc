#include "recovery/drill/audit.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/drill/audit_merge.h"
#include "recovery/drill/moments.h"
#include "recovery/drill/runner.h"

namespace lb::drill {

namespace {

// Small enough to be typed in again.
constexpr std::uint64_t seed_bound = 1'000'000'000;

class Audit {
 public:
  Audit(const DrillTools& tools, const DrillRequest& request)
      : tools_(tools), request_(request), record_(head_of(tools, request)), merge_(record_) {}

  record::DrillRecord run(std::stop_token stop) {
    record_.cleaned_up = true;
    record_.rto_clock = "start of a moment's restore to its last check, the slowest moment";
    record_.point_wanted = cat(request_.drill.pitr->samples, " random moments of the last ",
                               format_duration(request_.drill.pitr->window));
    auto moments = draw();
    for (std::size_t i = 0; i < moments.size() && !stop.stop_requested(); ++i) {
      tools_.log.note(cat("moment ", i + 1, " of ", moments.size(), ": ", format_time(moments[i])));
      auto sample = try_moment(moments[i], stop);
      bool cut_off = stop.stop_requested() && sample.verdict == record::Verdict::inconclusive;
      if (cut_off) record_.cleaned_up = record_.cleaned_up && sample.cleaned_up;
      if (!cut_off) merge_.add(std::move(sample), moments[i]);
    }
    if (stop.stop_requested()) {
      auto done = record_.audit ? record_.audit->moments.size() : 0;
      ending_ = {Error(ErrorKind::cancelled,
                       cat("stopped after ", done, " of ", moments.size(), " moments")),
                 "audit", true};
    }
    merge_.finish(range_.gaps);
    record_.ended = tools_.world.clock.now();
    judge(record_, ending_);
    return std::move(record_);
  }

 private:
  std::vector<Timestamp> draw() {
    auto started = tools_.world.clock.steady();
    record::Stage stage{"choose", "", tools_.world.clock.now(), Micros(0), 0, true, ""};
    auto moments = draw_from_points();
    stage.took = tools_.world.clock.steady() - started;
    stage.ok = moments.ok();
    stage.note = moments.ok() ? cat(moments->size(), " moments") : moments.error().text();
    record_.stages.push_back(stage);
    if (moments.ok()) return std::move(moments).take();
    tools_.log.warn(moments.error().text());
    ending_ = {std::move(moments).take_error(), "choose", false};
    return {};
  }

  Result<std::vector<Timestamp>> draw_from_points() {
    const auto& asked = *request_.drill.pitr;
    points_ = LB_TRY(read_all_points(tools_, request_));
    for (const auto& store : points_) {
      if (!store.snapshots.empty()) continue;
      return Error(ErrorKind::not_found, cat("store ", store.store, " has no recovery point"))
          .with_exit(ExitCode::point_unreachable)
          .with_hint(cat("lifeboat backup ", store.store));
    }
    auto& audit = record_.audit.emplace();
    bool at_a_time = request_.wish.wanted.kind == pg::Wanted::Kind::time;
    auto end = at_a_time ? request_.wish.wanted.time : record_.started;
    range_ = audit_range(points_, std::min(end, record_.started), asked.window);
    audit.window = asked.window;
    audit.from = range_.from;
    audit.to = range_.to;
    audit.samples = asked.samples;
    audit.seed = request_.seed ? *request_.seed : tools_.world.random.below(seed_bound);
    if (range_.shorter && range_.from <= range_.to) warn_of_short_window(audit);
    auto moments = draw_moments(range_, asked.samples, audit.seed);
    if (!moments.empty()) return moments;
    return Error(ErrorKind::not_found,
                 cat(range_.to < range_.from
                         ? std::string("nothing of the window is held")
                         : cat("no whole second between ", format_time(range_.from), " and ",
                               format_time(range_.to), " is held"),
                     range_.ends_because.empty() ? "" : cat(": ", range_.ends_because)))
        .with_exit(ExitCode::point_unreachable)
        .with_hint("stream or archive the log, or audit a longer window");
  }

  void warn_of_short_window(const record::PitrAudit& audit) {
    record_.findings.push_back(
        {"warning",
         cat("The window is ", format_duration(audit.window), ", the recovery points go back to ",
             format_time_seconds(audit.from), "; what lies before was not audited"),
         "Expected while the backups are younger than the window; else let retain: pitr: keep the "
         "whole window."});
  }

  record::DrillRecord try_moment(Timestamp moment, std::stop_token stop) {
    auto one = request_;
    one.moment = one.lost_at = moment;
    one.wish.wanted.kind = pg::Wanted::Kind::time;
    one.wish.wanted.time = moment;
    return Runner(tools_, one, &points_).run(stop);
  }

  const DrillTools& tools_;
  const DrillRequest& request_;
  record::DrillRecord record_;
  AuditMerge merge_;
  AuditRange range_;
  std::vector<restore::StorePoints> points_;
  Ending ending_;
};

}  // namespace

record::DrillRecord run_audit(const DrillTools& tools, const DrillRequest& request,
                              std::stop_token stop) {
  return Audit(tools, request).run(stop);
}

}  // namespace lb::drill
