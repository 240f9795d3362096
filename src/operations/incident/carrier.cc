#include "operations/incident/carrier.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "operations/incident/symptoms.h"
#include "operations/notify/escalator.h"

namespace lb::incident {

using notify::EscalationPlan;
using notify::Letter;

namespace {

constexpr std::size_t suggested_max = 3;
constexpr unsigned claims_max = 1000;

const plan::EscalationLevel* level_of(const plan::Plan& plan, const std::string& severity) {
  for (const auto& level : plan.escalation) {
    if (level.name == severity) return &level;
  }
  return nullptr;
}

notify::Severity loudness(const std::string& severity) {
  if (severity <= "P1") return notify::Severity::critical;
  return severity == "P2" ? notify::Severity::warning : notify::Severity::info;
}

Letter begun(const plan::Plan& plan, const IncidentState& state) {
  Letter out;
  out.system = plan.system;
  out.about = cat("incident/", state.id);
  out.severity = loudness(state.severity);
  out.shareable = true;
  return out;
}

std::string line(const std::string& name, const std::string& text) {
  return text.empty() ? std::string() : cat(name, ": ", text, "\n");
}

}  // namespace

Next next_of(const plan::Plan& plan, const IncidentState& state, Timestamp now,
             const notify::WorkTimes& work) {
  Next out;
  out.level = level_of(plan, state.severity);
  if (out.level == nullptr) return out;
  const auto steps = notify::steps_of(plan, *out.level);
  auto events = state.escalation;
  for (auto& event : events) {
    // Opened where the clock is ahead, or before this one was set back: it has begun all the same.
    if (event.kind == notify::IncidentEvent::Kind::opened) event.at = std::min(event.at, now);
  }
  out.plan = notify::plan_escalation(*out.level, steps, events, now, work);
  // A round that begins anew is told anew, also to those who know of the first.
  if (state.round > 1 && !out.plan.step.empty()) out.plan.step += cat("-", state.round);
  return out;
}

Letter letter_of(const plan::Plan& plan, const IncidentState& state, Timestamp now) {
  auto out = begun(plan, state);
  out.at = now;
  out.subject = cat(plan.system, ": ", state.severity, " ", state.title);
  const auto* level = level_of(plan, state.severity);
  if (level != nullptr) out.text += line("Means", level->means);
  if (state.failed_at) out.text += line("Failed at", format_time_seconds(*state.failed_at));
  out.text += line("Opened", cat(format_time_seconds(state.opened), " by ", state.opened_by));
  out.text += line("Symptoms", join(state.symptoms, "; "));
  out.text += line("Affected", state.affected);
  auto fitting = suggest(plan, state.symptoms);
  if (fitting.size() > suggested_max) fitting.resize(suggested_max);
  for (const auto& one : fitting) {
    out.text += line("Runbook", cat("lifeboat run ", one.runbook, " --incident ", state.id));
  }
  out.text += cat("\nlifeboat incident ack ", state.id, "   says that you look after it\n",
                  "lifeboat incident show ", state.id, "\n");
  return out;
}

Letter follow_up(const plan::Plan& plan, const IncidentState& state, notify::Event event) {
  auto out = begun(plan, state);
  out.event = event;
  out.severity = notify::Severity::info;
  if (event == notify::Event::resolve && state.closed) {
    out.at = state.closed->at;
    out.key = cat(out.about, "/closed");
    out.subject = cat(plan.system, ": closed: ", state.title);
    out.text = cat("Closed by ", state.closed->by, ": ", state.close_reason, "\n");
  } else if (state.acknowledged) {
    out.at = state.acknowledged->at;
    out.key = cat(out.about, "/acknowledged-", state.round);
    out.subject = cat(plan.system, ": ", state.severity, " acknowledged: ", state.title);
    out.text = cat(state.acknowledged->by, " looks after it; nobody else is told.\n");
  }
  return out;
}

Carrier::Carrier(const CarrierTools& tools)
    : tools_(tools),
      work_(notify::work_times(tools.world.files, tools.plan.hours, zone_trouble_)) {}

// The first claim that is ours or that nobody has; those before it are void.
Result<bool> Carrier::mine(const std::string& incident, const std::string& step) {
  for (unsigned number = 1; number <= claims_max; ++number) {
    const auto what = cat(step, ".", number);
    auto holder = tools_.log.claim(incident, what, tools_.holder);
    // Better told twice than not at all.
    if (!holder.ok() || *holder == tools_.holder) return true;
    const auto now = tools_.world.clock.steady();
    const auto since = seen_.emplace(cat(incident, "/", what), now).first->second;
    if (now - since < claim_time) return false;
  }
  return true;
}

Result<Turn> Carrier::turn(const std::string& incident, bool far) {
  auto facts = LB_TRY(tools_.log.facts(incident, far));
  auto state = LB_TRY(fold(tools_.plan, incident, facts));
  const auto now = tools_.world.clock.now();
  Turn out;
  out.next = next_of(tools_.plan, state, now, work_);
  const auto& due = out.next.plan;
  if (due.act != EscalationPlan::Act::tell || due.due > now) return out;
  const auto ours = LB_TRY(mine(incident, due.step));
  if (!ours) {
    out.elsewhere = true;
    return out;
  }
  if (!far) {  // it may have been answered on another machine, a moment ago
    facts = LB_TRY(tools_.log.facts(incident, true));
    auto again = LB_TRY(fold(tools_.plan, incident, facts));
    const auto still = next_of(tools_.plan, again, now, work_);
    if (still.plan.act != due.act || still.plan.step != due.step) {
      out.next = still;
      return out;
    }
    state = std::move(again);
  }
  auto noted =
      LB_TRY(notify::escalate(tools_.postman, due, now, letter_of(tools_.plan, state, now)));
  if (!noted) return out;
  record::Fact fact;
  fact.order = record::next_order(facts);
  fact.at = noted->at;
  fact.host = tools_.host;
  fact.kind = kind::told;
  Json people = Json::array();
  for (const auto& person : due.to) people.push(person);
  fact.data = Json::object().set("step", noted->step).set("people", std::move(people));
  LB_TRY(tools_.log.put(incident, fact));
  out.told = due.to;
  facts.push_back(std::move(fact));
  auto after = LB_TRY(fold(tools_.plan, incident, facts));
  out.next = next_of(tools_.plan, after, now, work_);
  return out;
}

}  // namespace lb::incident
