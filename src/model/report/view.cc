#include <algorithm>

#include "foundation/base/text.h"
#include "model/report/sections.h"

namespace lb::report {

using record::DrillRecord;
using record::Verdict;

constexpr std::size_t history_max = 12;

View view_of(const DrillRecord& record, const std::vector<DrillRecord>& history) {
  std::vector<DrillRecord> earlier;
  for (const auto& old : history) {
    if (old.id != record.id && old.started <= record.started) earlier.push_back(old);
  }
  View view{record, {}, figures_of(record), advice_for(record, earlier)};
  add_predictions(view.figures.objectives, earlier);
  const std::size_t kept = std::min(earlier.size(), history_max - 1);
  view.shown.assign(earlier.end() - static_cast<std::ptrdiff_t>(kept), earlier.end());
  view.shown.push_back(record);
  return view;
}

std::string_view kind_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::inconclusive:
      return "warn";
  }
  return {};
}

std::string_view icon_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "✓";
    case Verdict::fail:
      return "✗";
    case Verdict::inconclusive:
      return "?";
  }
  return {};
}

void write_mark(Markup& out, std::string_view kind, std::string_view icon, std::string_view word) {
  out.open("span", {{"class", "mark " + std::string(kind)}});
  out.leaf("span", icon, {{"aria-hidden", "true"}}).text(" ").text(word).close();
}

void write_verdict_mark(Markup& out, Verdict verdict) {
  write_mark(out, kind_of(verdict), icon_of(verdict), record::name_of(verdict));
}

void open_table(Markup& out, const std::string& name, const std::vector<std::string>& columns,
                std::string_view kind) {
  out.open(
      "div",
      {{"class", cat("wide ", kind)}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", name}});
  out.open("table").leaf("caption", name).open("thead").open("tr");
  for (const auto& column : columns) {
    // A leading '>' marks a column of figures.
    const bool number = !column.empty() && column[0] == '>';
    out.leaf("th", number ? column.substr(1) : column,
             {{"scope", "col"}, {"class", number ? "number" : "words"}});
  }
  out.close().close();
}

}  // namespace lb::report
