#include "operations/notify/escalation.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "operations/notify/routes.h"

namespace lb::notify {

namespace {

using From = plan::EscalationLevel::From;

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// The next of each of `people` by `pick`, without those who were told already.
template <typename Pick>
std::vector<std::string> next_of(const plan::Plan& plan, const std::vector<std::string>& people,
                                 std::vector<std::string>& seen, Pick pick) {
  std::vector<std::string> out;
  for (const auto& name : people_of(plan, people)) {
    const auto* person = plan.person(name);
    const auto next = person == nullptr ? std::string() : pick(*person);
    if (next.empty() || contains(seen, next)) continue;
    seen.push_back(next);
    out.push_back(next);
  }
  return out;
}

void add_deputies(const plan::Plan& plan, std::vector<EscalationStep>& steps) {
  const auto first = steps.front();
  auto seen = people_of(plan, first.to);
  auto deputies =
      next_of(plan, first.to, seen, [](const plan::Person& person) { return person.deputy; });
  if (!deputies.empty()) steps.push_back({first.within, deputies});
  auto below = first.to;
  below.insert(below.end(), deputies.begin(), deputies.end());
  while (!below.empty()) {
    below = next_of(plan, below, seen, [](const plan::Person& person) { return person.escalate; });
    if (!below.empty()) steps.push_back({first.within, below});
  }
}

struct SoFar {
  bool open = false;
  Timestamp opened{};
  std::size_t told = 0;
  Timestamp last_told{};
};

SoFar fold(std::span<const IncidentEvent> events) {
  SoFar out;
  std::vector<std::string> told;
  for (const auto& event : events) {
    switch (event.kind) {
      case IncidentEvent::Kind::opened:
        out = {true, event.at, 0, {}};
        told.clear();
        break;
      case IncidentEvent::Kind::told:
        if (contains(told, event.step)) break;  // noted twice by two that carry it
        told.push_back(event.step);
        out.told = told.size();
        out.last_told = event.at;
        break;
      case IncidentEvent::Kind::acknowledged:
      case IncidentEvent::Kind::closed:
        out.open = false;
        break;
    }
  }
  return out;
}

Timestamp beginning(From from, Timestamp opened, const WorkTimes& work) {
  if (from == From::business_hours) return work.next_open(opened);
  return from == From::next_business_day ? work.next_business_day(opened) : opened;
}

}  // namespace

std::vector<EscalationStep> steps_of(const plan::Plan& plan, const plan::EscalationLevel& level) {
  std::vector<EscalationStep> out = {{level.within, level.to}};
  for (const auto& next : level.then) out.push_back({next.within, next.to});
  if (level.then.empty()) add_deputies(plan, out);
  return out;
}

EscalationPlan plan_escalation(const plan::EscalationLevel& level,
                               const std::vector<EscalationStep>& steps,
                               std::span<const IncidentEvent> events, Timestamp now,
                               const WorkTimes& work) {
  EscalationPlan out;
  const auto so_far = fold(events);
  if (!so_far.open || steps.empty()) return out;
  if (so_far.told == 0) {
    out.due = beginning(level.from, so_far.opened, work);
  } else {
    // A clock that has gone back since would keep the next one waiting for as long as it went.
    const auto told_at = std::min(so_far.last_told, now);
    const auto& last = steps[(so_far.told - 1) % steps.size()];
    out.due = so_far.last_told > now ? now : told_at + last.within;
    if (level.from != From::now) out.due = work.next_open(out.due);
  }
  const auto rounds = std::size_t{level.repeat} + 1;
  if (so_far.told >= rounds * steps.size()) {
    out.act = out.due > now ? EscalationPlan::Act::wait : EscalationPlan::Act::silent;
    return out;
  }
  const auto index = so_far.told % steps.size();
  out.act = EscalationPlan::Act::tell;
  out.to = steps[index].to;
  out.step = cat(level.name, ".", so_far.told / steps.size() + 1, ".", index + 1);
  return out;
}

}  // namespace lb::notify
