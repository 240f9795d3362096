#include "model/report/runbook_style.h"

#include "model/report/style.h"

namespace lb::report {

static constexpr std::string_view sheet = R"css(
main{max-width:900px}
.steps{list-style:none;margin:12px 0 0;padding:0}
.step{display:grid;grid-template-columns:26px 40px 1fr;gap:0 10px;margin:0;padding:14px 0;
border-bottom:1px solid var(--line)}
.tick{width:20px;height:20px;border:2px solid var(--soft);border-radius:4px;margin-top:2px}
.step>.number{color:var(--soft);font-weight:650;font-size:17px;text-align:right;line-height:24px}
.step h3{margin:0;font-size:16px;line-height:24px;overflow-wrap:anywhere}
.step h3 .mark{margin-left:8px;font-size:12px;vertical-align:1px}
.step p{margin:6px 0 0;max-width:none}
.step.in1{margin-left:26px}.step.in2{margin-left:52px}.step.in3{margin-left:78px}
.phase{margin:34px 0 4px;font-size:17px}
.loud h3{font-size:20px;letter-spacing:.02em}
.loud{border:2px solid var(--fail);border-radius:10px;padding:14px;margin:14px 0}
.pairs{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:6px 0 0;
font-size:14px}
.pairs dt{color:var(--soft)}
.pairs dd{margin:0;white-space:pre-wrap}
.hand{border-left:3px solid var(--bar-soft);padding-left:12px;margin:10px 0 0;font-size:14px}
.hand .name{font-weight:600}
.boxes{list-style:none;padding:0;margin:8px 0 0}
.boxes li{display:grid;grid-template-columns:22px 1fr;gap:8px;margin:5px 0}
.boxes .tick{width:15px;height:15px;border-width:1.5px;margin-top:4px}
.blank{display:grid;grid-template-columns:max-content 1fr;gap:10px;margin:12px 0 0;align-items:end}
.blank span:last-child{border-bottom:1px solid var(--soft);height:22px}
.decide{display:flex;gap:22px;align-items:center;flex-wrap:wrap;margin:12px 0 0}
.decide .choice{display:inline-flex;gap:8px;align-items:center}
.decide .tick{margin:0}
.decide .room{flex:1;min-width:150px;border-bottom:1px solid var(--soft);height:24px;
color:var(--soft);font-size:13px}
.facts dd{overflow-wrap:anywhere}
td.date{white-space:nowrap}
td.letters{text-align:center;font-weight:650}th.letters{text-align:center}
@media screen and (max-width:760px){
.step{grid-template-columns:22px 24px minmax(0,1fr);gap:0 8px}
.step.in1{margin-left:8px}.step.in2{margin-left:16px}.step.in3{margin-left:24px}
.pairs{grid-template-columns:1fr;gap:0}.pairs dt{margin-top:6px}
}
@media print{
.step{break-inside:avoid;padding:8pt 0}
.step h3{font-size:11pt}
.phase{margin:14pt 0 2pt;font-size:12pt;break-after:avoid}
.step p,.hand,.pairs{font-size:9pt}
.tick{border-color:#000}}
)css";

// The policy makes the browser itself refuse any outside reference and any script.
void write_page_head(Markup& out, const std::string& title, const std::string& generator) {
  out.open("head").single("meta", {{"charset", "utf-8"}});
  out.single("meta", {{"http-equiv", "Content-Security-Policy"},
                      {"content", "default-src 'none'; style-src 'unsafe-inline'"}});
  out.single("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  out.single("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  out.single("meta", {{"name", "generator"}, {"content", generator}});
  out.leaf("title", title);
  out.open("style").verbatim(style_sheet()).verbatim(sheet).close().close();
}

}  // namespace lb::report
