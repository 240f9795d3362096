#include "operations/notify/proof.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/flow/task_group.h"
#include "operations/notify/escalation.h"

namespace lb::notify {

namespace {

constexpr unsigned at_once = 4;

std::vector<std::string> told_in_need(const plan::Plan& plan) {
  std::vector<std::string> names;
  for (const auto& rule : plan.alerts) names.insert(names.end(), rule.to.begin(), rule.to.end());
  // Also those who are told when the first do not answer.
  for (const auto& level : plan.escalation) {
    for (const auto& step : steps_of(plan, level))
      names.insert(names.end(), step.to.begin(), step.to.end());
  }
  // "all" would reach customers too.
  std::erase(names, "all");
  return people_of(plan, names);
}

ProofRoute by_channel(const plan::Plan& plan, const plan::Channel& channel) {
  ProofRoute out;
  out.route.channel = channel;
  for (const auto& name : told_in_need(plan)) {
    for (auto& route : routes_of(plan, *plan.person(name))) {
      if (route.channel.name != channel.name) continue;
      out.route = std::move(route);
      return out;
    }
  }
  if (channel.kind == plan::ChannelKind::smtp)
    out.problem =
        cat("nobody whom alerts: or escalation: name gets mail by it; name one: lifeboat alert "
            "test PERSON");
  return out;
}

Error unknown(const plan::Plan& plan, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& channel : plan.channels) known.push_back(channel.name);
  for (const auto& person : plan.people) known.push_back(person.name);
  const auto near = nearest(name, known);
  return Error(ErrorKind::invalid,
               cat("there is no channel and no person '", printable(name), "' in the plan"))
      .with_hint(near.empty() ? cat("there are: ", join(known, ", "))
                              : cat("did you mean '", near, "'?"));
}

ProofRoute unreachable(const std::string& person) {
  ProofRoute out;
  out.route.person = person;
  out.route.channel.name = "-";
  out.problem = "no channel of the plan reaches them";
  return out;
}

// Whoever is to be told in need and cannot be.
void add_unreachable(const plan::Plan& plan, std::vector<ProofRoute>& out) {
  for (const auto& name : told_in_need(plan)) {
    if (routes_of(plan, *plan.person(name)).empty()) out.push_back(unreachable(name));
  }
}

void add_person(const plan::Plan& plan, const std::string& name, std::vector<ProofRoute>& out) {
  for (const auto& one : people_of(plan, {name})) {
    auto routes = routes_of(plan, *plan.person(one));
    if (routes.empty()) out.push_back(unreachable(one));
    for (auto& route : routes) out.push_back({std::move(route), {}});
  }
}

Letter test_letter(const plan::Plan& plan, const Route& route, const std::string& mark,
                   const std::string& who, Timestamp now) {
  Letter out;
  out.key = cat("test/", mark, "/", route.channel.name);
  out.system = plan.system;
  out.subject = cat(plan.system, ": test of channel ", route.channel.name);
  out.text = cat("This is a test of Lifeboat by ", who, " at ", format_time_seconds(now),
                 ". Nobody has to do anything.\n");
  out.event = Event::trigger;
  out.at = now;
  return out;
}

Sent send_test(World& world, const References& references, const Route& route, Letter letter,
               std::stop_token stop) {
  auto sent = send_letter(world, references, route, letter, stop);
  const bool opened =
      route.channel.kind == plan::ChannelKind::pagerduty && sent.how == Sent::How::delivered;
  if (!opened) return sent;
  letter.event = Event::resolve;
  auto closed = send_letter(world, references, route, letter, stop);
  if (closed.how == Sent::How::delivered) return sent;
  closed.text = cat("opened, and not closed again: ", closed.text);
  return closed;
}

}  // namespace

Result<std::vector<ProofRoute>> routes_to_prove(const plan::Plan& plan,
                                                const std::vector<std::string>& names) {
  std::vector<ProofRoute> out;
  for (const auto& name : names) {
    if (const auto* channel = plan.channel(name)) {
      out.push_back(by_channel(plan, *channel));
    } else if (plan.person(name) != nullptr) {
      add_person(plan, name, out);
    } else {
      return unknown(plan, name);
    }
  }
  if (!names.empty()) return out;
  for (const auto& channel : plan.channels) out.push_back(by_channel(plan, channel));
  if (!out.empty()) {
    add_unreachable(plan, out);
    return out;
  }
  return Error(ErrorKind::invalid, "the plan has no channels:, so nobody can be told anything")
      .with_hint("channels: {mail: {smtp: mail.example.com, from: lifeboat@example.com}}");
}

Result<std::vector<Proof>> prove(World& world, const References& references, const plan::Plan& plan,
                                 const std::vector<ProofRoute>& routes, const std::string& who,
                                 std::stop_token stop) {
  const auto mark = to_hex(world.random.bytes(8));
  const auto now = world.clock.now();
  std::vector<Proof> out(routes.size());
  LB_TRY(for_each_parallel(routes.size(), at_once, stop, [&](std::size_t i) -> Status {
    out[i].tried = routes[i];
    if (!routes[i].problem.empty()) return {};
    auto letter = test_letter(plan, routes[i].route, mark, who, now);
    out[i].sent = send_test(world, references, routes[i].route, std::move(letter), stop);
    return {};
  }));
  return out;
}

}  // namespace lb::notify
