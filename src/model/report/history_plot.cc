#include <algorithm>

#include "foundation/base/text.h"
#include "model/report/figures.h"
#include "model/report/markup.h"
#include "model/report/plots.h"

namespace lb::report {

using record::Verdict;

constexpr double width = 460, height = 220, left = 62, right = 34, top = 30, bottom = 46;
// An objective this many times above the measured figures would press them flat onto the axis.
constexpr std::int64_t scale_max = 4;

static std::string px(double value) { return fixed(value, 1); }

namespace {

class HistoryPlot {
 public:
  HistoryPlot(std::string title, const std::vector<HistoryPoint>& points)
      : title_(std::move(title)), points_(points) {
    Micros highest{0};
    for (const auto& point : points_) {
      if (point.measured) highest = std::max(highest, *point.measured);
      if (point.target) target_ = point.target;
    }
    target_fits_ = target_ && (highest.count() == 0 || *target_ / scale_max <= highest);
    if (target_fits_) highest = std::max(highest, *target_);
    // Some air above the highest dot.
    axis_ = axis_for(Micros(highest.count() + highest.count() / 12), 5);
  }

  std::string draw() {
    out_.open("svg", {{"viewBox", cat("0 0 ", px(width), " ", px(height))},
                      {"role", "img"},
                      {"aria-label", cat(title_, ": ", in_words())}});
    out_.leaf("text", title_, {{"class", "bold"}, {"x", "0"}, {"y", "14"}});
    draw_grid();
    draw_target();
    draw_trend();
    for (std::size_t i = 0; i < points_.size(); ++i) draw_point(i);
    out_.close();
    return std::move(out_).take();
  }

 private:
  double x(std::size_t index) const {
    const double room = width - left - right;
    return left + room * (static_cast<double>(index) + 0.5) / static_cast<double>(points_.size());
  }

  double y(Micros value) const {
    const double share =
        static_cast<double>(value.count()) / static_cast<double>(axis_.top.count());
    return height - bottom - share * (height - top - bottom);
  }

  std::string in_words() const {
    std::vector<std::string> parts;
    for (const auto& point : points_) {
      parts.push_back(cat(moment_text(point.started), " ", record::name_of(point.verdict), " ",
                          point.measured ? human_duration(*point.measured) : "not measured"));
    }
    return cat(join(parts, "; "), target_ ? cat(". Target ", limit_text(*target_)) : std::string());
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

  void draw_grid() {
    for (Micros tick{0}; tick <= axis_.top; tick += axis_.step) {
      line(tick.count() == 0 ? "axis" : "grid", left, y(tick), width - right, y(tick));
      write("dim", left - 8, y(tick) + 4, "end", tick_text(tick));
    }
    // Dates of all drills would run into one another: the first, the last, and those with room
    // between.
    const std::size_t every = (points_.size() + 3) / 4;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      if ((points_.size() - 1 - i) % every != 0) continue;
      const std::string date = moment_text(points_[i].started);
      write("dim", x(i), height - bottom + 18, "middle", date.substr(0, 10));
      write("dim", x(i), height - bottom + 33, "middle", date.substr(11, 5));
    }
  }

  void draw_target() {
    if (!target_) {
      write("dim", width - right, 14, "end", "no target set");
    } else if (target_fits_) {
      line("limit", left, y(*target_), width - right, y(*target_));
      write("bold", width - right, 14, "end", cat("- - target ", limit_text(*target_)));
    } else {
      write("bold", width - right, 14, "end",
            cat("↑ target ", limit_text(*target_), ", above this scale"));
    }
  }

  void draw_trend() {
    std::string path;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      if (!points_[i].measured) continue;
      path += cat(path.empty() ? "M" : " L", px(x(i)), " ", px(y(*points_[i].measured)));
    }
    if (path.find('L') != std::string::npos) out_.single("path", {{"class", "trend"}, {"d", path}});
  }

  // Disc: passed. Cross: failed. Ring: inconclusive. Not measured: the mark stands on the axis.
  void draw_point(std::size_t index) {
    const HistoryPoint& point = points_[index];
    const double cx = x(index);
    const double cy = point.measured ? y(*point.measured) : height - bottom;
    const std::string told =
        cat(moment_text(point.started), ": ", record::name_of(point.verdict), ", ",
            point.measured ? human_duration(*point.measured) : "not measured");
    if (point.verdict == Verdict::fail) {
      out_.open("path",
                {{"class", "dot-fail"},
                 {"d", cat("M", px(cx - 5), " ", px(cy - 5), " L", px(cx + 5), " ", px(cy + 5),
                           " M", px(cx - 5), " ", px(cy + 5), " L", px(cx + 5), " ", px(cy - 5))}});
    } else {
      out_.open("circle", {{"class", point.verdict == Verdict::pass ? "dot-pass" : "dot-warn"},
                           {"cx", px(cx)},
                           {"cy", px(cy)},
                           {"r", "5.5"}});
    }
    out_.leaf("title", told).close();
    if (index + 1 < points_.size()) return;
    // The newest figure is written out, on the side the trend does not come from.
    const bool falling = index > 0 && point.measured && points_[index - 1].measured &&
                         *points_[index - 1].measured > *point.measured;
    const bool alone = points_.size() < 4;
    write("bold halo", alone ? cx : width, falling ? cy + 20 : cy - 11, alone ? "middle" : "end",
          point.measured ? human_duration(*point.measured) : "not measured");
  }

  std::string title_;
  const std::vector<HistoryPoint>& points_;
  std::optional<Micros> target_;
  bool target_fits_ = false;
  Axis axis_;
  Markup out_;
};

}  // namespace

std::string history_svg(const std::string& title, const std::vector<HistoryPoint>& points) {
  return HistoryPlot(title, points).draw();
}

}  // namespace lb::report
