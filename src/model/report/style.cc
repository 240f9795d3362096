#include "model/report/style.h"

namespace lb::report {

// Pairs of ink and ground keep a contrast of at least 4.5 in both schemes.
static constexpr std::string_view sheet = R"css(
:root{color-scheme:light dark;
--ground:#fff;--raised:#f5f7f9;--line:#d3dae1;--ink:#17202b;--soft:#526070;--accent:#1d5a9e;
--pass:#0a6637;--pass-ground:#e2f4e9;--fail:#a1141c;--fail-ground:#fdeaea;
--warn:#774800;--warn-ground:#fff1d0;--bar:#3d7cc0;--bar-soft:#a9c6e6}
@media (prefers-color-scheme:dark){:root{
--ground:#11161c;--raised:#1a2129;--line:#36414d;--ink:#e5eaf0;--soft:#a4b0bd;--accent:#82b8f4;
--pass:#74d8a0;--pass-ground:#12331f;--fail:#ff9f9b;--fail-ground:#41191b;
--warn:#f3c566;--warn-ground:#392a08;--bar:#5c9bdf;--bar-soft:#2f5580}}
@media print{:root{color-scheme:light;
--ground:#fff;--raised:#f5f7f9;--line:#c3ccd5;--ink:#000;--soft:#44505d;--accent:#1d5a9e;
--pass:#0a6637;--pass-ground:#e2f4e9;--fail:#a1141c;--fail-ground:#fdeaea;
--warn:#774800;--warn-ground:#fff1d0;--bar:#3d7cc0;--bar-soft:#a9c6e6}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main{max-width:1120px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:28px;line-height:1.2;margin:2px 0 0;font-weight:650;letter-spacing:-.01em}
h2{font-size:19px;line-height:1.3;margin:44px 0 12px;padding-top:14px;
border-top:1px solid var(--line)}
h3{font-size:15px;margin:24px 0 8px}
p{margin:8px 0;max-width:78ch}
.eyebrow{color:var(--soft);font-size:13px;letter-spacing:.04em;margin:0}
.soft{color:var(--soft)}
.small{font-size:.88em}
.head{display:flex;gap:24px;align-items:flex-start;justify-content:space-between;flex-wrap:wrap}
.badge{display:inline-flex;gap:10px;align-items:center;font-weight:700;font-size:22px;
letter-spacing:.03em;padding:8px 18px;border-radius:10px;border:2px solid currentColor;
white-space:nowrap}
.pass{color:var(--pass);background:var(--pass-ground)}
.fail{color:var(--fail);background:var(--fail-ground)}
.warn{color:var(--warn);background:var(--warn-ground)}
.mark{display:inline-block;font-weight:600;font-size:.9em;padding:1px 8px;border-radius:6px;
white-space:nowrap}
.mark.note{color:var(--soft);background:var(--raised)}
.reason{margin:20px 0 0;padding:12px 16px;border-radius:8px;border-left:5px solid currentColor;
max-width:none}
.reason span{color:var(--ink)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px;
margin:20px 0 0;
padding:0}
.tile{background:var(--raised);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.tile b{display:block;font-size:24px;line-height:1.25;font-weight:650}
.tile .name{font-size:13px;font-weight:600}
.facts{display:grid;grid-template-columns:max-content 1fr max-content 1fr;gap:6px 16px;
margin:20px 0 0;
font-size:14px}
.facts dt{color:var(--soft)}
.facts dd{margin:0}
.wide{overflow-x:auto}
.wide:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:14px}
caption{text-align:left;font-weight:600;padding:0 0 6px}
th,td{text-align:left;vertical-align:top;padding:7px 10px;border-bottom:1px solid var(--line)}
th{font-weight:600}
thead th{font-size:.9em;color:var(--soft);border-bottom:1.5px solid var(--line);white-space:nowrap}
td.number,th.number{text-align:right;white-space:nowrap}
td.tight,.moment{white-space:nowrap}
td.value,td.detail-cell,th.check,dd,li,p{overflow-wrap:anywhere}
td.reached{min-width:15em}
.checks,.moments{margin:20px 0 0}
.moments table{font-size:13px}
.moments th,.moments td{padding:7px}
.checks table{table-layout:fixed;min-width:760px}
.checks thead th:nth-child(1){width:134px}
.checks thead th:nth-child(3),.checks thead th:nth-child(4){width:22%}
.checks thead th:nth-child(5){width:104px}
.checks thead th:nth-child(6){width:88px}
tr.detail td{padding-top:0}
tr.has-detail td,tr.has-detail th{border-bottom:0;padding-bottom:3px}
tbody th{font-weight:600}
th .small{font-weight:400}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{background:var(--raised);border:1px solid var(--line);border-radius:8px;padding:10px 14px;
margin:8px 0;
white-space:pre-wrap;overflow-wrap:anywhere}
details{margin:4px 0}
summary{cursor:pointer;color:var(--accent);font-size:13px}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
ul,ol{margin:8px 0;padding-left:22px}
li{margin:3px 0}
.advice{list-style:none;padding:0;margin:0;display:grid;gap:12px}
.advice li{border:1px solid var(--line);border-radius:10px;padding:12px 16px;margin:0}
.advice h3{margin:0 0 6px;display:flex;gap:10px;align-items:baseline;flex-wrap:wrap}
.advice p{margin:2px 0;max-width:100ch}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:20px}
figure{margin:12px 0 0}
figcaption{font-size:13px;color:var(--soft);margin-top:4px}
svg{display:block;width:100%;height:auto;max-width:100%}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
fill:var(--ink);font-variant-numeric:tabular-nums}
svg .dim{fill:var(--soft)}
svg .bold{font-weight:650}
svg .grid{stroke:var(--line);stroke-width:1}
svg .axis{stroke:var(--soft);stroke-width:1}
svg .limit{stroke:var(--ink);stroke-width:1.4;stroke-dasharray:6 4}
svg .trend{fill:none;stroke:var(--bar-soft);stroke-width:2}
svg .bar{fill:var(--bar)}
svg .bar-bad{fill:var(--fail)}
svg .dot-pass{fill:var(--pass);stroke:var(--ground);stroke-width:1.5}
svg .dot-fail{fill:none;stroke:var(--fail);stroke-width:3}
svg .dot-warn{fill:var(--ground);stroke:var(--warn);stroke-width:3}
svg .bad{fill:var(--fail)}
svg .inside{fill:var(--ground);font-weight:600}
svg .halo{paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}
footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--line);color:var(--soft);
font-size:13px}

.drilled tbody th{overflow-wrap:anywhere}
@media screen and (max-width:760px){
.drilled tbody th{min-width:12em}.drilled td:last-child{min-width:14em}
.facts{grid-template-columns:max-content 1fr}main{padding:20px 14px 40px}
.plots{grid-template-columns:1fr}.timeline svg{min-width:680px}}
@page{size:A4;margin:14mm 13mm 16mm}
@media print{
body{font-size:10pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:none;padding:0}
h1{font-size:19pt}
h2{font-size:13pt;margin:16pt 0 4pt;padding-top:8pt;break-after:avoid}
h3,caption,thead{break-after:avoid}
table{font-size:8.5pt}
code,pre{font-size:8pt}
th,td{padding:3pt 5pt}
thead{display:table-header-group}
tr,figure,.tile,.reason,.advice li,.keep,.facts{break-inside:avoid}
td.moment{white-space:normal}
td.reached{min-width:0}
.facts{font-size:8.5pt;gap:3pt 10pt;margin-top:10pt}
.tile{padding:6pt 8pt}
.tile .name{font-size:8.5pt}
tr.has-detail{break-after:avoid}
.tiles{grid-template-columns:repeat(4,1fr);margin-top:10pt}
.reason{margin-top:10pt}
.tile b{font-size:14pt}
.plots{grid-template-columns:1fr 1fr}
.wide{overflow:visible}
.checks table{min-width:0}
.checks thead th:nth-child(1){width:82pt}
.checks thead th:nth-child(3),.checks thead th:nth-child(4){width:20%}
.checks thead th:nth-child(5){width:56pt}
.checks thead th:nth-child(6){width:46pt}
summary{color:var(--soft);list-style:none}
summary::-webkit-details-marker{display:none}
details::details-content{content-visibility:visible;display:block;block-size:auto}
}
)css";

std::string_view style_sheet() { return sheet; }

}  // namespace lb::report
