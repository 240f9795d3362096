// The sections of the HTML report, in the order they appear. Each writes one part of the page and
// is silent where the record holds nothing for it only if the silence cannot be misread. Private to
// this folder.
#pragma once

#include <string>
#include <vector>

#include "model/record/drill_record.h"
#include "model/report/advice.h"
#include "model/report/figures.h"
#include "model/report/markup.h"
#include "model/report/report.h"
#include "model/report/runbook_words.h"

namespace lb::report {

// One drill with what is derived from it.
struct View {
  const record::DrillRecord& record;
  std::vector<record::DrillRecord> shown;  // the last drills, oldest first, this one last
  Figures figures;
  std::vector<Advice> advice;
};

// `history` may hold the record itself or later ones; both are left out.
View view_of(const record::DrillRecord& record, const std::vector<record::DrillRecord>& history);

void write_head(Markup& out, const View& view);  // title, verdict, facts, key figures, summary
void write_objectives(Markup& out, const View& view);
void write_points(Markup& out, const View& view);
void write_audit(Markup& out, const View& view);    // only of an audit
void write_runbook(Markup& out, const View& view);  // only of a drill that carried one out
void write_timeline(Markup& out, const View& view);
void write_history(Markup& out, const View& view);
void write_checks(Markup& out, const View& view);
void write_isolation(Markup& out, const View& view);
void write_advice(Markup& out, const View& view);
void write_tasks(Markup& out, const View& view);
void write_clean_up(Markup& out, const View& view);
void write_appendix(Markup& out, const View& view);

// State as icon and word, never as colour alone.
void write_mark(Markup& out, std::string_view kind, std::string_view icon, std::string_view word);
void write_verdict_mark(Markup& out, record::Verdict verdict);
// Opens a table in a frame that scrolls sideways on small screens; close with two close().
void open_table(Markup& out, const std::string& name, const std::vector<std::string>& columns,
                std::string_view kind = {});
std::string_view kind_of(record::Verdict verdict);  // style class
std::string_view icon_of(record::Verdict verdict);

}  // namespace lb::report
