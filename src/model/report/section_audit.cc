#include "foundation/base/text.h"
#include "model/report/moments.h"
#include "model/report/plots.h"
#include "model/report/sections.h"

namespace lb::report {

static void write_line(Markup& out, const MomentLine& line) {
  const bool detail = !line.reason.empty();
  out.open("tr", {{"class", detail ? "has-detail" : "plain"}});
  out.leaf("th", line.cells[moment_cell], {{"scope", "row"}, {"class", "moment"}});
  out.open("td", {{"class", "tight"}});
  write_verdict_mark(out, line.verdict);
  out.close();
  out.leaf("td", line.cells[store_cell]);
  out.open("td", {{"class", "moment"}}).text(line.cells[base_cell]);
  if (!line.point.empty()) out.single("br").leaf("span", line.point, {{"class", "small soft"}});
  out.close();
  out.leaf("td", line.cells[reached_cell], {{"class", "moment"}});
  for (auto cell : {lag_cell, next_cell, replay_cell, took_cell}) {
    out.leaf("td", line.cells[cell], {{"class", "number"}});
  }
  out.close();
  if (!detail) return;
  out.open("tr", {{"class", "detail"}}).leaf("td", "");
  out.open("td", {{"class", "detail-cell"}, {"colspan", "8"}}).leaf("p", line.reason);
  out.close().close();
}

void write_audit(Markup& out, const View& view) {
  const auto& audit = view.record.audit;
  if (!audit) return;
  out.open("section").leaf("h2", "Moments audited");
  for (const auto& gap : audit->gaps) {
    out.open("p");
    write_mark(out, "fail", "✗", "out of reach");
    out.text(cat(" ", gap.text)).close();
  }
  if (audit->moments.empty()) {
    out.leaf("p", "No moment was tried: nothing was proven by this audit.").close();
    return;
  }
  out.open("figure");
  out.open("div", {{"class", "wide timeline"},
                   {"tabindex", "0"},
                   {"role", "region"},
                   {"aria-label", "Plot of the moments"}});
  out.verbatim(moments_svg(*audit)).close();
  out.leaf("figcaption", audit_note(view.record)).close();
  open_table(out, "Every moment, restored by itself",
             {"Moment", "Result", "Store", "Base", "Commit reached", ">Lag", ">Next commit",
              ">Replay", ">Took"},
             "moments");
  out.open("tbody");
  for (const auto& line : moment_lines(*audit)) write_line(out, line);
  out.close().close().close().close();
}

}  // namespace lb::report
