#include "operations/watch/alerts.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "operations/incident/claims.h"
#include "operations/incident/symptoms.h"

namespace lb::watch {

namespace {

constexpr double clearly_below = 0.9;  // of the bound
constexpr std::size_t suggested_max = 3, text_bytes_max = 4000;

notify::Severity severity_of(const std::string& level) {
  if (level == "critical") return notify::Severity::critical;
  return level == "warning" ? notify::Severity::warning : notify::Severity::info;
}

void add_people(const std::vector<std::string>& more, std::vector<std::string>& to) {
  for (const auto& one : more) {
    if (std::find(to.begin(), to.end(), one) == to.end()) to.push_back(one);
  }
}

// All rules that name the event, heard by all of theirs, as loud as the loudest.
void add_event(const plan::Plan& plan, const Finding& finding, std::vector<Alarm>& out) {
  Alarm alarm;
  alarm.id = alert_id(finding.event, finding.subject, "");
  alarm.event = finding.event;
  alarm.subject = finding.subject;
  alarm.text = finding.text;
  alarm.wrong = finding.wrong;
  for (const auto& rule : plan.alerts) {
    if (!rule.names(finding.event)) continue;
    add_people(rule.to, alarm.to);
    alarm.severity = std::max(alarm.severity, severity_of(rule.level));
  }
  if (!alarm.to.empty()) out.push_back(std::move(alarm));
}

void add_bounds(const plan::Plan& plan, const Finding& finding, std::vector<Alarm>& out) {
  for (const auto& rule : plan.alerts) {
    for (const auto& bound : rule.bounds) {
      if (bound.what != finding.event) continue;
      Alarm alarm;
      alarm.bound = bound.text;
      alarm.id = alert_id(finding.event, finding.subject, bound.text);
      alarm.event = finding.event;
      alarm.subject = finding.subject;
      alarm.text = finding.text;
      alarm.wrong = *finding.measured > bound.bound;
      // At its edge, too: nothing is right where the bound is nothing.
      alarm.clearly_right = *finding.measured <= bound.bound * clearly_below;
      alarm.severity = severity_of(rule.level);
      alarm.to = rule.to;
      out.push_back(std::move(alarm));
    }
  }
}

// What people know of it, here and in the repository; as far as this machine knows where that
// cannot be read.
AlertState state_of(const AlertTools& tools, const std::string& id) {
  auto facts = tools.log.facts(id, true);
  if (!facts.ok()) facts = tools.log.facts(id, false);
  return facts.ok() ? fold(*facts) : AlertState{};
}

Status note(const AlertTools& tools, const Alarm& alarm, const std::vector<std::string>& people) {
  const auto known = LB_TRY(tools.log.facts(alarm.id, false));
  record::Fact fact;
  fact.order = record::next_order(known);
  fact.at = tools.world.clock.now();
  fact.host = tools.host;
  fact.kind = alarm.wrong ? kind::raised : kind::cleared;
  fact.text = cat(alarm.event, ": ", alarm.subject);
  Json told = Json::array();
  for (const auto& person : people) told.push(person);
  fact.data = Json::object()
                  .set("event", alarm.event)
                  .set("subject", alarm.subject)
                  .set("people", std::move(told));
  return tools.log.put(alarm.id, fact);
}

// The line for whoever looks on; empty: people know already, or another machine tells.
Result<std::string> tell_one(const AlertTools& tools, const Alarm& alarm) {
  const auto state = state_of(tools, alarm.id);
  if (state.raised == alarm.wrong || (state.raised && !alarm.clearly_right)) return std::string();
  const auto times = alarm.wrong ? state.times + 1 : state.times;
  const auto what = cat(alarm.wrong ? kind::raised : kind::cleared, "-", times);
  if (!incident::claimed(tools.log, tools.world.clock, {alarm.id, what, tools.holder}))
    return std::string();
  // The end is for those who know of the beginning, as far as the plan still has them.
  const auto to = notify::people_of(tools.plan, alarm.wrong ? alarm.to : state.told);
  if (!to.empty() || alarm.wrong) {
    auto letter = letter_of(tools.plan, alarm, times, tools.world.clock.now());
    LB_TRY(tools.postman.post(std::move(letter), to)
               .context(cat("tell of ", alarm.event, ": ", alarm.subject)));
  }
  LB_TRY(note(tools, alarm, to));
  return cat("told ", join(to, ", "), ": ", alarm.wrong ? "" : "over: ", alarm.event, ": ",
             printable(alarm.subject));
}

// What people know of and nobody finds any more, because it is no longer there to be looked at.
std::vector<Alarm> gone(const AlertTools& tools, const std::vector<Alarm>& alarms,
                        const std::set<std::string>& known,
                        const std::vector<std::string>& events) {
  std::vector<Alarm> out;
  if (events.empty()) return out;
  for (const auto& id : known) {
    const bool found = std::any_of(alarms.begin(), alarms.end(),
                                   [&](const auto& alarm) { return alarm.id == id; });
    if (found) continue;
    const auto state = state_of(tools, id);
    if (!state.raised || std::find(events.begin(), events.end(), state.event) == events.end())
      continue;
    Alarm alarm;
    alarm.id = id;
    alarm.event = state.event;
    alarm.subject = state.subject;
    alarm.text = "It has ended, or is no longer there.";
    out.push_back(std::move(alarm));
  }
  return out;
}

// A verification may find thousands of things; whoever reads it at night needs the first.
std::string beginning(const std::string& text) {
  if (text.size() <= text_bytes_max) return text;
  auto end = text.rfind('\n', text_bytes_max);
  if (end == std::string::npos) end = text_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return cat(text.substr(0, end), "\n…");
}

// What somebody may want to begin with: an incident, and the runbooks whose symptoms fit.
std::string suggestion(const plan::Plan& plan, const Alarm& alarm) {
  static constexpr const char* levels[] = {"P3", "P2", "P1"};
  const auto symptom = cat(alarm.event, ": ", printable(alarm.subject));
  std::string out;
  if (!plan.escalation.empty())
    out += cat("lifeboat incident open ", levels[static_cast<std::size_t>(alarm.severity)], " \"",
               replace_all(symptom, "\"", "'"), "\"   if it is one\n");
  auto fitting = incident::suggest(plan, {symptom, alarm.text});
  if (fitting.size() > suggested_max) fitting.resize(suggested_max);
  for (const auto& one : fitting)
    out += cat("lifeboat run ", one.runbook, "   its symptoms fit: ", join(one.words, ", "), "\n");
  return out;
}

}  // namespace

std::vector<Alarm> alarms_of(const plan::Plan& plan, const std::vector<Finding>& findings) {
  std::vector<Alarm> out;
  for (const auto& finding : findings) {
    if (finding.measured) {
      add_bounds(plan, finding, out);
    } else {
      add_event(plan, finding, out);
    }
  }
  return out;
}

notify::Letter letter_of(const plan::Plan& plan, const Alarm& alarm, std::uint64_t times,
                         Timestamp now) {
  notify::Letter out;
  out.about = cat("alert/", alarm.id, "/", times);
  out.key = cat(out.about, alarm.wrong ? "/raised" : "/cleared");
  out.system = plan.system;
  out.shareable = true;
  out.at = now;
  out.severity = alarm.wrong ? alarm.severity : notify::Severity::info;
  out.event = alarm.wrong ? notify::Event::trigger : notify::Event::resolve;
  const auto above = alarm.bound.empty() ? std::string() : cat(" above ", alarm.bound);
  out.subject = cat(plan.system, alarm.wrong ? ": " : ": over: ", alarm.event, above, ": ",
                    printable(alarm.subject));
  out.text = alarm.text.empty() ? std::string() : cat(beginning(alarm.text), "\n\n");
  out.text += "lifeboat status   says how all of it stands now\n";
  if (alarm.wrong) out.text += suggestion(plan, alarm);
  return out;
}

Result<std::vector<std::string>> tell(const AlertTools& tools, const std::vector<Finding>& findings,
                                      const std::vector<std::string>& looked_at_all_of) {
  std::vector<std::string> out;
  if (tools.plan.alerts.empty()) return out;
  auto alarms = alarms_of(tools.plan, findings);
  if (alarms.empty() && looked_at_all_of.empty()) return out;
  auto members = tools.log.members(true);
  if (!members.ok()) members = tools.log.members(false);
  const auto ids = LB_TRY(std::move(members));
  const std::set<std::string> known(ids.begin(), ids.end());
  for (auto& alarm : gone(tools, alarms, known, looked_at_all_of))
    alarms.push_back(std::move(alarm));
  std::optional<Error> first;
  for (const auto& alarm : alarms) {
    if (!alarm.wrong && !known.contains(alarm.id)) continue;  // it never was
    auto told = tell_one(tools, alarm);
    if (!told.ok()) {
      if (!first) first = std::move(told).take_error();
    } else if (!told->empty()) {
      out.push_back(std::move(told).take());
    }
  }
  if (first) return std::move(*first);
  return out;
}

}  // namespace lb::watch
