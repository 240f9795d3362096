#include <algorithm>

#include "foundation/base/text.h"
#include "model/report/figures.h"
#include "model/report/markup.h"
#include "model/report/plots.h"

namespace lb::report {

namespace {

using record::Verdict;

constexpr double width = 960, height = 92, side = 12, axis_y = 44, mark = 5.5;
constexpr int ticks = 4;

std::string px(double value) { return fixed(value, 1); }

class MomentsPlot {
 public:
  explicit MomentsPlot(const record::PitrAudit& audit) : audit_(audit) {}

  std::string draw() {
    out_.open("svg", {{"viewBox", cat("0 0 ", px(width), " ", px(height))},
                      {"role", "img"},
                      {"aria-label", in_words()}});
    for (const auto& gap : audit_.gaps) draw_gap(gap);
    out_.single("line", {{"class", "axis"},
                         {"x1", px(side)},
                         {"y1", px(axis_y)},
                         {"x2", px(width - side)},
                         {"y2", px(axis_y)}});
    draw_ticks();
    for (const auto& moment : audit_.moments) draw_moment(moment);
    out_.close();
    return std::move(out_).take();
  }

 private:
  double x(Timestamp time) const {
    auto span = std::max<std::int64_t>(1, (audit_.to - audit_.from).count());
    auto share = static_cast<double>((time - audit_.from).count()) / static_cast<double>(span);
    return side + std::clamp(share, 0.0, 1.0) * (width - 2 * side);
  }

  std::string in_words() const {
    std::vector<std::string> parts;
    for (const auto& moment : audit_.moments)
      parts.push_back(cat(moment_text(moment.moment), " ", record::name_of(moment.verdict)));
    for (const auto& gap : audit_.gaps) parts.push_back(gap.text);
    return cat("Moments from ", moment_text(audit_.from), " to ", moment_text(audit_.to), ": ",
               join(parts, "; "));
  }

  void draw_gap(const record::AuditGap& gap) {
    auto from = x(gap.after), to = std::max(x(gap.before), from + 2);
    out_.open("rect", {{"class", "bar-bad"},
                       {"opacity", "0.35"},
                       {"x", px(from)},
                       {"y", px(axis_y - 16)},
                       {"width", px(to - from)},
                       {"height", "32"}});
    out_.leaf("title", gap.text).close();
    out_.leaf("text", "out of reach",
              {{"class", "bold halo"},
               {"x", px(std::clamp((from + to) / 2, 44.0, width - 44))},
               {"y", px(axis_y - 22)},
               {"text-anchor", "middle"}});
  }

  void draw_ticks() {
    for (int i = 0; i <= ticks; ++i) {
      auto time = audit_.from + (audit_.to - audit_.from) / ticks * i;
      auto text = format_time_seconds(time);
      auto anchor = i == 0 ? "start" : i == ticks ? "end" : "middle";
      write(x(time), axis_y + 28, anchor, text.substr(0, 10));
      write(x(time), axis_y + 43, anchor, text.substr(11, 8));
      out_.single("line", {{"class", "axis"},
                           {"x1", px(x(time))},
                           {"y1", px(axis_y)},
                           {"x2", px(x(time))},
                           {"y2", px(axis_y + 12)}});
    }
  }

  void write(double at_x, double at_y, const char* anchor, const std::string& text) {
    out_.leaf("text", text,
              {{"class", "dim"}, {"x", px(at_x)}, {"y", px(at_y)}, {"text-anchor", anchor}});
  }

  // Disc: proven. Cross: failed. Ring: undecided.
  void draw_moment(const record::AuditedMoment& moment) {
    auto cx = x(moment.moment);
    auto point = [&](double dx, double dy) { return cat(px(cx + dx), " ", px(axis_y + dy)); };
    if (moment.verdict == Verdict::fail) {
      out_.open("path", {{"class", "dot-fail"},
                         {"d", cat("M", point(-5, -5), " L", point(5, 5), " M", point(-5, 5), " L",
                                   point(5, -5))}});
    } else {
      out_.open("circle", {{"class", moment.verdict == Verdict::pass ? "dot-pass" : "dot-warn"},
                           {"cx", px(cx)},
                           {"cy", px(axis_y)},
                           {"r", px(mark)}});
    }
    out_.leaf("title", cat(moment_text(moment.moment), ": ", record::name_of(moment.verdict)));
    out_.close();
  }

  const record::PitrAudit& audit_;
  Markup out_;
};

}  // namespace

std::string moments_svg(const record::PitrAudit& audit) { return MomentsPlot(audit).draw(); }

}  // namespace lb::report
