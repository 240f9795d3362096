#include <algorithm>

#include "foundation/base/text.h"
#include "model/report/figures.h"
#include "model/report/moments.h"
#include "model/report/report.h"

namespace lb::report {

using record::DrillRecord;
using record::Verdict;

constexpr std::size_t width_max = 100;

namespace {

struct Cell {
  std::string text;
  const char* color = "";  // escape sequence, or none
};

struct Column {
  std::string name;
  bool right = false;
  std::size_t width_max = 0;
};

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Cuts at characters, with an ellipsis for what is lost.
std::string fitted(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  std::string out;
  std::size_t used = 0;
  for (const char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts && ++used > width - 1) break;
    out += c;
  }
  return out + "…";
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string spaces(width > width_of(text) ? width - width_of(text) : 0, ' ');
  return right ? spaces + text : text + spaces;
}

constexpr const char* green = "\x1b[32m";
constexpr const char* red = "\x1b[31m";
constexpr const char* yellow = "\x1b[33m";

std::string colored(const std::string& text, const char* color, bool enabled) {
  return enabled && *color != '\0' ? cat(color, text, "\x1b[0m") : text;
}

class Table {
 public:
  Table(std::vector<Column> columns, bool color) : columns_(std::move(columns)), color_(color) {}

  void add(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }

  std::string draw() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      std::size_t width = width_of(columns_[i].name);
      for (const auto& row : rows_) width = std::max(width, width_of(row[i].text));
      widths.push_back(std::min(width, columns_[i].width_max));
    }
    std::vector<Cell> names;
    for (const auto& column : columns_) names.push_back({column.name});
    std::string out = line(names, widths);
    for (const auto& row : rows_) out += line(row, widths);
    return out;
  }

 private:
  std::string line(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths) const {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string text =
          padded(fitted(cells[i].text, widths[i]), widths[i], columns_[i].right);
      if (i > 0) out += "  ";
      out += colored(text, cells[i].color, color_);
    }
    if (!color_) out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  }

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
  bool color_;
};

const char* color_of(Standing standing) {
  switch (standing) {
    case Standing::met:
      return green;
    case Standing::close:
      return yellow;
    case Standing::missed:
      return red;
    case Standing::no_target:
    case Standing::not_measured:
      return "";
  }
  return "";
}

// "1.2 s of 24 h": measured against its target.
Cell measured_cell(const ObjectiveRow& row) {
  const std::string target = row.target ? cat(" of ", limit_text(*row.target)) : std::string();
  return {row.measured ? cat(figure_text(row.measured), target) : std::string("not measured"),
          color_of(row.standing())};
}

Cell checks_cell(std::uint64_t passed, std::uint64_t total) {
  if (total == 0) return {"–"};
  return {cat(passed, " of ", total), passed == total ? green : red};
}

const char* color_of(Verdict verdict) {
  return verdict == Verdict::pass ? green : verdict == Verdict::fail ? red : yellow;
}

// Even when every column is full, the line stays within width_max.
std::vector<Column> columns() {
  return {{"Store", false, 16},
          {"Recovery point", false, 20},
          {"Measured loss", true, 24},
          {"Restore time", true, 22},
          {"Checks", true, 10}};
}

std::string unmet_lines(const DrillRecord& record, bool color) {
  std::string out;
  for (const auto& check : record.checks) {
    if (check.state == record::CheckState::pass) continue;
    const bool failed = check.state == record::CheckState::fail;
    const std::string why = check.reason.empty() ? "" : cat(": ", check.reason);
    const std::string text =
        cat("  ", record::name_of(check.state), "  ", check.suite, " / ", check.name, why);
    out += colored(fitted(printable(text), width_max), failed ? red : yellow, color) + "\n";
  }
  return out;
}

// Words are kept whole; a word longer than the line is cut into pieces.
std::string wrapped(const std::string& text, std::size_t width) {
  std::string out, line;
  for (const auto& word : split(text, ' ')) {
    if (!line.empty() && width_of(line) + 1 + width_of(word) > width) {
      out += line + "\n";
      line.clear();
    }
    line += line.empty() ? word : " " + word;
  }
  return out + line + "\n";
}

}  // namespace

// The audit's own table: one line a moment and store.
static std::string moments_table(const DrillRecord& record, bool color) {
  Table table({{"Moment", false, 20},
               {"Result", false, 12},
               {"Commit reached", false, 24},
               {"Lag", true, 10},
               {"Replay", true, 10},
               {"Took", true, 10}},
              color);
  for (const auto& line : moment_lines(*record.audit)) {
    table.add({{line.cells[moment_cell]},
               {std::string(record::name_of(line.verdict)), color_of(line.verdict)},
               {line.cells[reached_cell]},
               {line.cells[lag_cell]},
               {line.cells[replay_cell]},
               {line.cells[took_cell]}});
  }
  return table.draw() + wrapped(audit_note(record), width_max);
}

static std::string stores_table(const DrillRecord& record, const Figures& figures, bool color) {
  Table table(columns(), color);
  for (std::size_t i = 0; i < record.stores.size(); ++i) {
    const auto& store = record.stores[i];
    const std::string reached =
        store.reached ? format_time_seconds(*store.reached) : std::string("not known");
    const Tally asked = tally_of_store(record, store);
    // Objectives: the whole drill first, then loss and restore time of each store.
    table.add({{printable(store.store)},
               {reached},
               measured_cell(figures.objectives[1 + 2 * i]),
               measured_cell(figures.objectives[2 + 2 * i]),
               checks_cell(asked.passed, asked.total)});
  }
  ObjectiveRow loss;
  loss.target = record.target_rpo;
  loss.measured = figures.rpo;
  table.add({{"whole drill"},
             {""},
             measured_cell(loss),
             measured_cell(figures.objectives.front()),
             checks_cell(figures.checks.passed, figures.checks.total)});
  return table.draw() +
         wrapped(
             cat("Loss: ", clock_text(record.rpo_clock), ". Restore time of a store: start of its ",
                 "restore → the data ready to use. Whole drill: ", clock_text(record.rto_clock),
                 "."),
             width_max);
}

std::string drill_table(const DrillRecord& record, bool color) {
  const Figures figures = figures_of(record);
  std::string out =
      record.audit ? moments_table(record, color) : stores_table(record, figures, color);
  out += unmet_lines(record, color);
  const std::string verdict(record::name_of(record.verdict));
  std::string reason = printable(record.reason);
  // A reason that is too long for the verdict's line stands above it, whole.
  if (verdict.size() + 2 + width_of(reason) > width_max) {
    out += wrapped(reason, width_max);
    reason.clear();
  }
  out += cat(colored(verdict, color_of(record.verdict), color), reason.empty() ? "" : "  ", reason,
             "\n");
  return out;
}

}  // namespace lb::report
