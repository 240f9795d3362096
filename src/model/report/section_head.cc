#include "foundation/base/text.h"
#include "model/report/sections.h"

namespace lb::report {

using record::DrillRecord;

static void write_fact(Markup& out, const std::string& name, const std::string& value) {
  if (value.empty()) return;
  out.leaf("dt", name).leaf("dd", value);
}

static void write_moment(Markup& out, const std::string& name, Timestamp time) {
  out.leaf("dt", name).open("dd");
  out.leaf("time", moment_text(time), {{"datetime", format_time(time)}}).close();
}

static void write_facts(Markup& out, const DrillRecord& record) {
  out.open("dl", {{"class", "facts"}});
  write_moment(out, "Started", record.started);
  write_moment(out, "Ended", record.ended);
  write_fact(out, "Started by", record.started_by);
  write_fact(out, "On host", record.host);
  write_fact(out, "Restored into", record.target);
  write_fact(out, "Point wanted", record.point_wanted);
  if (!record.audit) {
    out.leaf("dt", "Moment of loss").open("dd");
    out.leaf("time", moment_text(record.loss_moment),
             {{"datetime", format_time(record.loss_moment)}});
    if (!record.loss_note.empty()) out.text(cat(" (", record.loss_note, ")"));
    out.close();
  }
  if (record.next_due) {
    write_moment(out, "Next drill due", *record.next_due);
  } else {
    write_fact(out, "Next drill due", "not scheduled");
  }
  write_fact(out, "Plan", record.plan_file);
  write_fact(out, "Plan fingerprint", record.plan_fingerprint);
  write_fact(out, "Repository", record.repository);
  write_fact(out, "Lifeboat", record.version);
  out.close();
}

static void write_tile(Markup& out, const std::string& name, const std::string& figure,
                       const std::string& clock, const std::string& against) {
  out.open("div", {{"class", "tile"}}).leaf("span", name, {{"class", "name"}}).leaf("b", figure);
  out.leaf("span", clock, {{"class", "small soft"}});
  if (!against.empty()) out.single("br").leaf("span", against, {{"class", "small"}});
  out.close();
}

static std::string against_target(const std::optional<Micros>& target) {
  return target ? cat("target ", limit_text(*target)) : std::string("no target set");
}

static std::string figure_or_words(const std::optional<Micros>& figure) {
  return figure ? figure_text(figure) : std::string("not measured");
}

static void write_tiles(Markup& out, const View& view) {
  const auto& figures = view.figures;
  out.open("div", {{"class", "tiles"}});
  if (const auto& audit = view.record.audit) {
    write_tile(out, "Moments proven", cat(proven_moments(*audit), " of ", audit->moments.size()),
               cat("random seconds of ", limit_text(audit->window)),
               cat("the log holds ", human_duration(audit->to - audit->from), " of it"));
  } else {
    write_tile(out, "Measured data loss (RPO)", figure_or_words(figures.rpo),
               cat("worst store: ", clock_text(view.record.rpo_clock)),
               against_target(view.record.target_rpo));
  }
  write_tile(out, "Measured recovery time (RTO)", figure_or_words(figures.rto),
             clock_text(view.record.rto_clock), against_target(view.record.target_rto));
  write_tile(out, "Checks passed", cat(figures.checks.passed, " of ", figures.checks.total),
             cat(human_count(figures.checks.examined), " rows, files and requests examined"),
             figures.checks.total == 0 ? "nothing was proven" : "");
  write_tile(out, "Whole duration", human_duration(figures.total),
             "start of the drill → end of the clean-up",
             figures.bytes > 0 ? cat(human_size(figures.bytes), " restored") : std::string());
  out.close();
}

void write_head(Markup& out, const View& view) {
  const auto& record = view.record;
  out.open("header").open("div", {{"class", "head"}}).open("div");
  out.leaf("p", cat("Lifeboat drill report · ", record.id), {{"class", "eyebrow"}});
  out.leaf("h1", cat(record.system, " – drill ", record.drill)).close();
  out.open("div", {{"class", cat("badge ", kind_of(record.verdict))}});
  out.leaf("span", icon_of(record.verdict), {{"aria-hidden", "true"}});
  out.leaf("span", record::name_of(record.verdict)).close().close();
  out.open("p", {{"class", cat("reason ", kind_of(record.verdict))}});
  out.leaf("span", record.reason.empty() ? "No reason was recorded." : record.reason).close();
  write_tiles(out, view);
  write_facts(out, record);
  out.close();
  out.open("section").leaf("h2", "Summary");
  out.leaf("p", summary_sentence(record, view.figures));
  out.close();
}

}  // namespace lb::report
