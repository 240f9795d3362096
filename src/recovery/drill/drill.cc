#include "recovery/drill/drill.h"

#include "foundation/base/text.h"
#include "recovery/drill/audit.h"
#include "recovery/drill/runner.h"

namespace lb::drill {

namespace {

Json summary_of(const record::DrillRecord& record) {
  Json out = Json::object();
  out.set("drill", record.id);
  out.set("verdict", record::name_of(record.verdict));
  out.set("reason", record.reason);
  if (record.measured_rpo) out.set("measured_rpo_us", std::int64_t{record.measured_rpo->count()});
  if (record.measured_rto) out.set("measured_rto_us", std::int64_t{record.measured_rto->count()});
  return out;
}

std::vector<std::string> journal_lines(const std::vector<record::JournalEntry>& entries) {
  std::vector<std::string> lines;
  for (const auto& entry : entries) {
    lines.push_back(
        cat(format_time(entry.at), "  ", record::name_of(entry.phase), "  ", entry.text));
  }
  return lines;
}

}  // namespace

Result<record::DrillRecord> run_drill(const DrillTools& tools, const DrillRequest& request,
                                      std::stop_token stop) {
  auto act =
      LB_TRY(state::Act::begin(tools.world, tools.journal, cat("drill ", request.drill.name), {},
                               cat("Drill ", request.drill.name, " into ", request.drill.into),
                               Json::object().set("restore", join(request.drill.restore, ", "))));
  auto record =
      request.drill.pitr ? run_audit(tools, request, stop) : Runner(tools, request).run(stop);
  auto verdict = record::name_of(record.verdict);
  LB_TRY(act->finish(record.verdict == record::Verdict::pass, cat(verdict, ": ", record.reason),
                     summary_of(record)));
  auto entries = LB_TRY(tools.journal.entries_of_run(act->run()));
  record.journal = journal_lines(entries);
  LB_TRY(state::put_drill(tools.repository, record)
             .context(cat("record drill ", record.id, " (", verdict, ")")));
  return record;
}

std::string default_sandbox_root(std::uint32_t uid) { return cat("/var/tmp/lifeboat-", uid); }

}  // namespace lb::drill
