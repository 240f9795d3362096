#include "model/record/drill_record.h"

#include <array>

#include "foundation/base/text.h"
#include "model/record/fields.h"

namespace lb::record {

constexpr const char* drill_schema = "lifeboat.drill/1";

static std::array<std::string_view, 3> names_of(Verdict) {
  return {"PASS", "FAIL", "INCONCLUSIVE"};
}
static std::array<std::string_view, 4> names_of(CheckState) {
  return {"pass", "fail", "error", "skipped"};
}

std::string_view name_of(Verdict verdict) {
  return names_of(verdict)[static_cast<std::size_t>(verdict)];
}

std::string_view name_of(CheckState state) {
  return names_of(state)[static_cast<std::size_t>(state)];
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, CheckResult>
void fields(Visit& visit, R& r) {
  visit("suite", r.suite);
  visit.needed("name", r.name);
  visit("kind", r.kind);
  visit("store", r.store);
  visit.needed("state", r.state);
  visit("expected", r.expected);
  visit("got", r.got);
  visit("reason", r.reason);
  visit("evidence", r.evidence);
  visit("examined", r.examined);
  visit("newest", r.newest);
  visit("critical", r.critical);
  visit("started", r.started);
  visit("took_us", r.took);
  visit("place", r.place);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, Stage>
void fields(Visit& visit, R& r) {
  visit.needed("name", r.name);
  visit("store", r.store);
  visit("started", r.started);
  visit("took_us", r.took);
  visit("bytes", r.bytes);
  visit("ok", r.ok);
  visit("note", r.note);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, StoreResult>
void fields(Visit& visit, R& r) {
  visit.needed("store", r.store);
  visit("kind", r.kind);
  visit("point", r.point);
  visit("point_taken", r.point_taken);
  visit("reached", r.reached);
  visit("next_commit", r.next_commit);
  visit("reached_note", r.reached_note);
  visit("measured_rpo_us", r.measured_rpo);
  visit("measured_restore_us", r.measured_restore);
  visit("target_rpo_us", r.target_rpo);
  visit("target_rto_us", r.target_rto);
  visit("goal_us", r.goal);
  visit("worst_case_loss_us", r.worst_case_loss);
  visit("bytes", r.bytes);
  visit("items", r.items);
  visit("checks_passed", r.checks_passed);
  visit("checks_total", r.checks_total);
  visit("rpo_met", r.rpo_met);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, Isolation>
void fields(Visit& visit, R& r) {
  visit("facts", r.facts);
  visit("blocked_count", r.blocked_count);
  visit("blocked_destinations", r.blocked_destinations);
  visit("blocked_method", r.blocked_method);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, Finding>
void fields(Visit& visit, R& r) {
  visit("severity", r.severity);
  visit.needed("text", r.text);
  visit("recommendation", r.recommendation);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, MomentStore>
void fields(Visit& visit, R& r) {
  visit.needed("store", r.store);
  visit("kind", r.kind);
  visit("point", r.point);
  visit("point_taken", r.point_taken);
  visit("reached", r.reached);
  visit("next_commit", r.next_commit);
  visit("reached_note", r.reached_note);
  visit("replay_us", r.replay);
  visit("log_bytes", r.log_bytes);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, AuditedMoment>
void fields(Visit& visit, R& r) {
  visit.needed("moment", r.moment);
  visit.needed("verdict", r.verdict);
  visit("reason", r.reason);
  visit("started", r.started);
  visit("took_us", r.took);
  visit("measured_rto_us", r.measured_rto);
  visit("checks_passed", r.checks_passed);
  visit("checks_total", r.checks_total);
  visit("stores", r.stores);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, AuditGap>
void fields(Visit& visit, R& r) {
  visit.needed("after", r.after);
  visit.needed("before", r.before);
  visit("text", r.text);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, PitrAudit>
void fields(Visit& visit, R& r) {
  visit("window_us", r.window);
  visit("from", r.from);
  visit("to", r.to);
  visit.needed("seed", r.seed);
  visit("samples", r.samples);
  visit("gaps", r.gaps);
  visit.needed("moments", r.moments);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, DrilledStep>
void fields(Visit& visit, R& r) {
  visit.needed("number", r.number);
  visit("title", r.title);
  visit("phase", r.phase);
  visit("by", r.by);
  visit("text", r.text);
  visit("state", r.state);
  visit("took_us", r.took);
  visit.if_any("predicted_us", r.predicted);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, DrilledRole>
void fields(Visit& visit, R& r) {
  visit.needed("role", r.role);
  visit("part", r.part);
  visit("steps", r.steps);
  visit("acted", r.acted);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, DrilledDecision>
void fields(Visit& visit, R& r) {
  visit.needed("step", r.step);
  visit("decides", r.decides);
  visit("result", r.result);
  visit("by", r.by);
  visit("text", r.text);
  visit("at", r.at);
  visit("shown", r.shown);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, DrillTask>
void fields(Visit& visit, R& r) {
  visit.needed("text", r.text);
  visit("owner", r.owner);
  visit.needed("due", r.due);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, DrillRecord>
void fields(Visit& visit, R& r) {
  visit.needed("id", r.id);
  visit.needed("system", r.system);
  visit.needed("drill", r.drill);
  visit.needed("verdict", r.verdict);
  visit("reason", r.reason);
  visit.needed("started", r.started);
  visit.needed("ended", r.ended);
  visit("started_by", r.started_by);
  visit("host", r.host);
  visit("version", r.version);
  visit("plan_file", r.plan_file);
  visit("plan_fingerprint", r.plan_fingerprint);
  visit("repository", r.repository);
  visit("loss_moment", r.loss_moment);
  visit("loss_note", r.loss_note);
  visit("target", r.target);
  visit("point_wanted", r.point_wanted);
  visit("measured_rpo_us", r.measured_rpo);
  visit("measured_rto_us", r.measured_rto);
  visit("target_rpo_us", r.target_rpo);
  visit("target_rto_us", r.target_rto);
  visit("goal_us", r.goal);
  visit("rto_clock", r.rto_clock);
  visit("rpo_clock", r.rpo_clock);
  visit("stores", r.stores);
  visit("stages", r.stages);
  visit("checks", r.checks);
  visit("isolation", r.isolation);
  visit("findings", r.findings);
  visit("audit", r.audit);
  visit("runbook", r.runbook);
  visit("steps", r.steps);
  visit("deviations", r.deviations);
  visit.if_any("roles", r.roles);
  visit.if_any("decisions", r.decisions);
  visit.if_any("tasks", r.tasks);
  visit("next_due", r.next_due);
  visit("journal", r.journal);
  visit("cleaned_up", r.cleaned_up);
}

Json encode(const DrillRecord& record) {
  Json out = Json::object();
  out.set("schema", drill_schema);
  const Json body = to_json(record);
  for (const auto& [name, value] : body.members()) out.set(name, value);
  return out;
}

Result<DrillRecord> decode_drill(const Json& json) {
  const std::string schema = json["schema"].string();
  if (schema != drill_schema) {
    return Error(ErrorKind::corrupt, cat("not a drill record of schema ", drill_schema, " but \"",
                                         printable(schema), "\""));
  }
  DrillRecord record;
  LB_TRY(from_json(json, record).context("drill record"));
  return record;
}

}  // namespace lb::record
