#include <algorithm>

#include "foundation/base/text.h"
#include "model/report/figures.h"
#include "model/report/markup.h"
#include "model/report/plots.h"

namespace lb::report {

using record::DrillRecord;
using record::Stage;

// Geometry in units of the viewBox; text of 12 units is taken as 6.6 wide a character.
constexpr double width = 900, label_width = 190, right = 92, top = 26, row_height = 26;
constexpr double bar_height = 14, char_width = 6.8;
constexpr std::size_t label_chars = 27;

static std::string px(double value) { return fixed(value, 1); }

static std::string shortened(const std::string& text, std::size_t chars_max) {
  std::string out;
  std::size_t chars = 0;
  for (const char c : text) {
    const bool starts_a_char = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts_a_char && ++chars > chars_max) return out + "…";
    out += c;
  }
  return out;
}

namespace {

class Timeline {
 public:
  explicit Timeline(const DrillRecord& record) : record_(record), start_(record.started) {
    Timestamp end = record.started;
    for (const auto& stage : record.stages) {
      start_ = std::min(start_, stage.started);
      end = std::max(end, stage.started + stage.took);
    }
    axis_ = axis_for(end - start_, 8);
    bottom_ = top + row_height * static_cast<double>(record.stages.size());
  }

  std::string draw() {
    const auto height = bottom_ + 40;
    out_.open("svg", {{"viewBox", cat("0 0 ", px(width), " ", px(height))},
                      {"role", "img"},
                      {"aria-labelledby", "timeline-title timeline-text"}});
    out_.leaf("title", "Stages of the drill", {{"id", "timeline-title"}});
    out_.leaf("desc", in_words(), {{"id", "timeline-text"}});
    draw_axis();
    for (std::size_t i = 0; i < record_.stages.size(); ++i) draw_stage(i);
    draw_end_of_recovery();
    out_.close();
    return std::move(out_).take();
  }

 private:
  double x(Timestamp time) const {
    const double share =
        static_cast<double>((time - start_).count()) / static_cast<double>(axis_.top.count());
    return label_width + share * (width - label_width - right);
  }

  std::string in_words() const {
    std::vector<std::string> parts;
    for (const auto& stage : record_.stages) {
      parts.push_back(cat(stage_title(stage), " ", human_duration(stage.took),
                          stage.ok ? "" : " (did not succeed)"));
    }
    return join(parts, ", ");
  }

  void line(const char* kind, double x1, double y1, double x2, double y2) {
    out_.single("line",
                {{"class", kind}, {"x1", px(x1)}, {"y1", px(y1)}, {"x2", px(x2)}, {"y2", px(y2)}});
  }

  void write(const char* kind, double at_x, double at_y, const char* anchor,
             const std::string& text) {
    out_.leaf("text", text,
              {{"class", kind}, {"x", px(at_x)}, {"y", px(at_y)}, {"text-anchor", anchor}});
  }

  void draw_axis() {
    for (Micros tick{0}; tick <= axis_.top; tick += axis_.step) {
      const double at = x(start_ + tick);
      line("grid", at, top - 6, at, bottom_);
      write("dim", at, bottom_ + 18, "middle", tick_text(tick));
    }
    line("axis", label_width, bottom_, width - right, bottom_);
    write("dim", label_width, bottom_ + 35, "start", "time since the start of the drill");
  }

  void draw_stage(std::size_t index) {
    const Stage& stage = record_.stages[index];
    const double y = top + row_height * static_cast<double>(index);
    const double middle = y + row_height / 2;
    const double from = x(stage.started);
    const double to = std::max(from + 2, x(stage.started + stage.took));
    const std::string title = stage_title(stage);
    write(stage.ok ? "" : "bad bold", 0, middle + 4, "start", shortened(title, label_chars));
    out_.open("rect", {{"class", stage.ok ? "bar" : "bar-bad"},
                       {"x", px(from)},
                       {"y", px(middle - bar_height / 2)},
                       {"width", px(to - from)},
                       {"height", px(bar_height)},
                       {"rx", "2"}});
    out_.leaf("title", cat(title, ": ", human_duration(stage.took), stage.note.empty() ? "" : ". ",
                           stage.note));
    out_.close();
    const std::string figure =
        cat(human_duration(stage.took), stage.ok ? "" : " ✗ did not succeed");
    const double text_width = char_width * static_cast<double>(figure.size());
    const std::string kind = stage.ok ? "dim" : "bad bold";
    if (to + 6 + text_width <= width) {
      write(kind.c_str(), to + 6, middle + 4, "start", figure);
    } else if (to - from > text_width + 16) {
      write("inside", to - 8, middle + 4, "end", figure);
    } else {
      write(kind.c_str(), from - 6, middle + 4, "end", figure);
    }
  }

  void draw_end_of_recovery() {
    const auto recovery = recovery_time_of(record_);
    if (!recovery || *recovery + (record_.started - start_) > axis_.top) return;
    const double at = x(record_.started + *recovery);
    line("limit", at, top - 8, at, bottom_);
    const bool left = at > width / 2;
    write("bold", left ? at - 5 : at + 5, top - 12, left ? "end" : "start",
          cat("last check, ", human_duration(*recovery), " after the start"));
  }

  const DrillRecord& record_;
  Timestamp start_;
  Axis axis_;
  double bottom_ = 0;
  Markup out_;
};

}  // namespace

std::string timeline_svg(const DrillRecord& record) { return Timeline(record).draw(); }

}  // namespace lb::report
