#include "model/report/moments.h"

#include "foundation/base/text.h"
#include "model/report/figures.h"

namespace lb::report {

using record::AuditedMoment;
using record::MomentStore;
using record::Verdict;

static MomentLine line_of(const AuditedMoment& moment, const MomentStore* store) {
  MomentLine line;
  line.verdict = moment.verdict;
  line.cells.fill("–");
  line.cells[moment_cell] = format_time(moment.moment);
  line.cells[took_cell] = human_duration(moment.took);
  if (moment.verdict != Verdict::pass) line.reason = moment.reason;
  if (store == nullptr) return line;
  line.cells[store_cell] = store->store;
  line.point = store->point;
  line.cells[base_cell] = format_time_seconds(store->point_taken);
  if (store->reached) {
    line.cells[reached_cell] = format_time(*store->reached);
    line.cells[lag_cell] = human_duration(std::max(Micros(0), moment.moment - *store->reached));
  }
  if (store->next_commit && store->reached) {
    auto later = std::max(Micros(0), *store->next_commit - *store->reached);
    line.cells[next_cell] = cat(human_duration(later), " later");
  }
  if (store->replay) line.cells[replay_cell] = human_duration(*store->replay);
  return line;
}

std::vector<MomentLine> moment_lines(const record::PitrAudit& audit) {
  std::vector<MomentLine> out;
  for (const auto& moment : audit.moments) {
    bool any = false;
    for (const auto& store : moment.stores) {
      if (store.kind != "postgres") continue;
      out.push_back(line_of(moment, &store));
      if (any) out.back().reason.clear();
      any = true;
    }
    if (!any) out.push_back(line_of(moment, nullptr));
  }
  return out;
}

std::string audit_note(const record::DrillRecord& record) {
  const auto& audit = *record.audit;
  return cat("Drawn with seed ", audit.seed, " between ", format_time(audit.from), " and ",
             format_time(audit.to), ", one second in each equal part. Lag: the commit reached ",
             "to the moment; next commit: how much later than that one the log goes on. The same ",
             "again: lifeboat drill ", record.drill, " --seed ", audit.seed, " --at ",
             format_time(audit.to));
}

}  // namespace lb::report
