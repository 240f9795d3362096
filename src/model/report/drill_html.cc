#include "foundation/base/text.h"
#include "model/report/report.h"
#include "model/report/sections.h"
#include "model/report/style.h"

namespace lb::report {

using record::DrillRecord;

// The policy makes the browser itself refuse any outside reference and any script.
static void write_preamble(Markup& out, const DrillRecord& record) {
  out.open("head").single("meta", {{"charset", "utf-8"}});
  out.single("meta", {{"http-equiv", "Content-Security-Policy"},
                      {"content", "default-src 'none'; style-src 'unsafe-inline'"}});
  out.single("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  out.single("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  out.single("meta", {{"name", "generator"}, {"content", cat("lifeboat ", record.version)}});
  out.leaf("title", cat(record::name_of(record.verdict), " – drill ", record.drill, " of ",
                        record.system, ", ", format_time_seconds(record.started)));
  out.open("style").verbatim(style_sheet()).close().close();
}

std::string drill_html(const DrillRecord& record, const std::vector<DrillRecord>& history) {
  const View view = view_of(record, history);
  Markup out;
  out.verbatim("<!DOCTYPE html>\n").open("html", {{"lang", "en"}});
  write_preamble(out, record);
  out.open("body").open("main");
  for (const auto section : {write_head, write_audit, write_objectives, write_advice, write_tasks,
                             write_points, write_runbook, write_timeline, write_history,
                             write_checks, write_isolation, write_clean_up, write_appendix}) {
    section(out, view);
  }
  out.open("footer").text(cat("Made by lifeboat ", record.version, " from drill record ", record.id,
                              ". Every figure is derived from the evidence in that record."));
  out.close().close().close().close();
  return std::move(out).take();
}

std::string drill_json(const DrillRecord& record) { return record::encode(record).dump(2) + "\n"; }

}  // namespace lb::report
