#include "foundation/base/text.h"
#include "model/report/sections.h"

namespace lb::report {

static void write_standing(Markup& out, Standing standing) {
  switch (standing) {
    case Standing::met:
      return write_mark(out, "pass", "✓", name_of(standing));
    case Standing::close:
      return write_mark(out, "warn", "!", name_of(standing));
    case Standing::missed:
      return write_mark(out, "fail", "✗", name_of(standing));
    case Standing::no_target:
    case Standing::not_measured:
      return write_mark(out, "note", "–", name_of(standing));
  }
}

static std::string limit_or_dash(const std::optional<Micros>& limit) {
  return limit ? limit_text(*limit) : std::string("–");
}

static void write_row(Markup& out, const ObjectiveRow& row, bool predicted) {
  out.open("tr").leaf("th", row.subject, {{"scope", "row"}});
  out.open("td").text(row.figure).single("br");
  out.leaf("span", row.clock, {{"class", "small soft"}}).close();
  std::vector<std::string> figures = {limit_or_dash(row.target), limit_or_dash(row.goal),
                                      limit_or_dash(row.worst_case)};
  if (predicted) figures.push_back(figure_text(row.predicted));
  figures.push_back(figure_text(row.measured));
  figures.push_back(figure_text(row.margin()));
  for (const auto& figure : figures) out.leaf("td", figure, {{"class", "number"}});
  out.open("td", {{"class", "tight"}});
  write_standing(out, row.standing());
  out.close().close();
}

void write_objectives(Markup& out, const View& view) {
  out.open("section").leaf("h2", "Objectives");
  const bool predicted = view.figures.predicted();
  std::vector<std::string> columns = {"Store", "Figure and its clock", ">Target", ">Goal",
                                      ">Worst case"};
  if (predicted) columns.push_back(">Predicted");
  for (const char* column : {">Measured", ">Margin", "Result"}) columns.push_back(column);
  open_table(out, "Measured figures against the objectives of the plan", columns);
  out.open("tbody");
  for (const auto& row : view.figures.objectives) write_row(out, row, predicted);
  out.close().close().close();
  out.leaf("p",
           cat("Worst case is what the plan's schedule allows to be lost, not what was seen. ",
               predicted ? "Predicted is the middle of the earlier drills that passed. " : "",
               "Measured is from this drill alone. Margin is target minus measured."),
           {{"class", "small soft"}});
  if (!view.figures.disagreements.empty()) {
    out.open("ul");
    for (const auto& line : view.figures.disagreements) out.leaf("li", line);
    out.close();
  }
  out.close();
}

void write_points(Markup& out, const View& view) {
  if (view.record.audit) return;  // each moment names its own
  out.open("section", {{"class", "keep"}}).leaf("h2", "Points used");
  if (view.record.stores.empty()) {
    out.leaf("p", "No store was restored.").close();
    return;
  }
  open_table(out, "Recovery points restored",
             {"Store", "Point", "Taken", "Reached", ">Items", ">Size", ">Rate"});
  out.open("tbody");
  for (const auto& store : view.record.stores) {
    out.open("tr").open("th", {{"scope", "row"}}).text(store.store).single("br");
    out.leaf("span", store.kind, {{"class", "small soft"}}).close();
    out.open("td", {{"class", "tight"}}).leaf("code", store.point).close();
    out.leaf("td", moment_text(store.point_taken), {{"class", "moment"}});
    out.open("td", {{"class", "reached"}})
        .text(store.reached ? moment_text(*store.reached) : "not known");
    if (!store.reached_note.empty()) {
      out.single("br").leaf("span", store.reached_note, {{"class", "small soft"}});
    }
    out.close();
    out.leaf("td", human_count(store.items), {{"class", "number"}});
    out.leaf("td", human_size(store.bytes), {{"class", "number"}});
    const std::string rate =
        store.measured_restore ? rate_text(store.bytes, *store.measured_restore) : std::string();
    out.leaf("td", rate.empty() ? "–" : rate, {{"class", "number"}}).close();
  }
  out.close().close().close().close();
}

}  // namespace lb::report
