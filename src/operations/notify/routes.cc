#include "operations/notify/routes.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::notify {

namespace {

using plan::ChannelKind;

Route route_by(const plan::Channel& channel, const plan::Person& person) {
  Route out;
  out.channel = channel;
  out.person = person.name;
  if (channel.kind == ChannelKind::smtp) out.email = person.email;
  const bool mention = person.slack.starts_with('@') || person.slack.starts_with("<");
  if (channel.kind == ChannelKind::slack && mention) out.mention = person.slack;
  return out;
}

void add_all(const plan::Plan& plan, const plan::Person& person, ChannelKind kind,
             std::vector<Route>& out) {
  for (const auto& channel : plan.channels) {
    if (channel.kind == kind) out.push_back(route_by(channel, person));
  }
}

void add_slack(const plan::Plan& plan, const plan::Person& person, std::vector<Route>& out) {
  const auto before = out.size();
  for (const auto& channel : plan.channels) {
    if (channel.kind == ChannelKind::slack && channel.room == person.slack)
      out.push_back(route_by(channel, person));
  }
  // A hook posts into one room; without its name nobody can tell whether it is another one.
  if (out.size() > before) return;
  for (const auto& channel : plan.channels) {
    const bool fits = person.slack.starts_with('#') ? channel.room.empty() : true;
    if (channel.kind == ChannelKind::slack && fits) out.push_back(route_by(channel, person));
  }
}

Route own(const plan::Person& person, ChannelKind kind, const plan::Reference& address) {
  Route out;
  out.person = person.name;
  out.channel.name = cat(plan::name_of(kind), " of ", person.name);
  out.channel.kind = kind;
  out.channel.address = address;
  out.channel.limit = plan::channel_limit_default;
  out.channel.place = person.place;
  return out;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// Depth first, so that the order of the plan is kept; `seen` ends circles.
void add_person(const plan::Plan& plan, const std::string& name, std::vector<std::string>& seen,
                std::vector<std::string>& out) {
  const auto* person = plan.person(name);
  if (person == nullptr || contains(seen, name)) return;
  seen.push_back(name);
  if (person->members.empty() || !routes_of(plan, *person).empty()) {
    out.push_back(name);
    return;
  }
  for (const auto& member : person->members) add_person(plan, member, seen, out);
}

// All rules count, wherever they stand in the plan: those that name it before those that name
// everything, the loudest first. Without any: whom the critical ones wake.
std::vector<std::string> told_of_undelivered(const plan::Plan& plan) {
  constexpr const char* event = "notification undelivered";
  std::vector<std::string> named, by_everything, critical;
  for (const char* level : {"critical", "warning", "info"}) {
    for (const auto& rule : plan.alerts) {
      if (rule.level != level) continue;
      auto& out = contains(rule.on, event) ? named : rule.names(event) ? by_everything : critical;
      if (&out == &critical && rule.level != "critical") continue;
      out.insert(out.end(), rule.to.begin(), rule.to.end());
    }
  }
  named.insert(named.end(), by_everything.begin(), by_everything.end());
  return named.empty() ? critical : named;
}

}  // namespace

std::vector<Route> routes_of(const plan::Plan& plan, const plan::Person& person) {
  std::vector<Route> out;
  for (const auto& name : person.via) {
    if (const auto* channel = plan.channel(name)) out.push_back(route_by(*channel, person));
  }
  if (!person.via.empty()) return out;
  for (const auto& address : person.addresses) {
    if (address == "email") add_all(plan, person, ChannelKind::smtp, out);
    if (address == "slack") add_slack(plan, person, out);
    if (address == "webhook") out.push_back(own(person, ChannelKind::webhook, person.webhook));
    if (address == "pagerduty")
      out.push_back(own(person, ChannelKind::pagerduty, person.pagerduty));
  }
  return out;
}

std::vector<std::string> people_of(const plan::Plan& plan, const std::vector<std::string>& to) {
  std::vector<std::string> out, seen;
  for (const auto& name : to) {
    if (name != "all") {
      add_person(plan, name, seen, out);
      continue;
    }
    for (const auto& person : plan.people) {
      if (!routes_of(plan, person).empty()) add_person(plan, person.name, seen, out);
    }
  }
  return out;
}

std::string next_person(const plan::Plan& plan, const std::string& person,
                        const std::vector<std::string>& tried) {
  std::vector<std::string> next;
  if (const auto* from = plan.person(person)) {
    for (const auto& one : {from->deputy, from->escalate}) {
      if (!one.empty()) next.push_back(one);
    }
  }
  for (const auto& one : told_of_undelivered(plan)) next.push_back(one);
  for (const auto& one : people_of(plan, next)) {
    if (one != person && !contains(tried, one)) return one;
  }
  return {};
}

}  // namespace lb::notify
