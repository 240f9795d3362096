#include "operations/runbook/actor.h"

#include <algorithm>

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "operations/notify/signed.h"

namespace lb::runbook {

namespace {

void collect(const plan::Plan& plan, const std::string& person, std::set<std::string>& out) {
  if (!out.insert(person).second) return;
  const auto* found = plan.person(person);
  if (found == nullptr) return;
  for (const auto& member : found->members) collect(plan, member, out);
}

// The teams that somebody belongs to, whole chains of them.
void add_teams(const plan::Plan& plan, std::set<std::string>& roles) {
  for (const auto& person : plan.people) {
    if (roles.contains(person.name)) continue;
    auto members = members_of(plan, person.name);
    bool inside = std::any_of(roles.begin(), roles.end(),
                              [&](const auto& role) { return members.contains(role); });
    if (inside && !person.members.empty()) roles.insert(person.name);
  }
}

Error unproven(const std::string& why) {
  return Error(ErrorKind::denied, why).with_exit(ExitCode::refused);
}

Result<Actor> by_link(const plan::Plan& plan, const RunState& state,
                      const record::RunInput& input) {
  auto mark = link_mark(input.data["link"].string());
  if (input.step == 0 || input.step > state.steps.size()) return unproven("the link names no step");
  for (const auto& [person, known] : state.at(input.step).asks["links"].members()) {
    if (!equal_constant_time(view_of(known.string()), view_of(mark))) continue;
    Actor out{input.user, input.host, {person}, "link"};
    add_teams(plan, out.roles);
    return out;
  }
  return unproven("the link has been used, is of an earlier question, or was never given out");
}

Result<Actor> by_key(const plan::Plan& plan, const RunState& state, const record::RunInput& input) {
  return actor_of(plan, {input.user, input.host},
                  {input.data["person"].string(), input.data["signature"].string()},
                  signed_text(state.id, input));
}

}  // namespace

std::string Actor::text() const {
  if (roles.empty()) return user;
  return cat(user, " (", join(std::vector<std::string>(roles.begin(), roles.end()), ", "), ")");
}

std::set<std::string> members_of(const plan::Plan& plan, const std::string& person) {
  std::set<std::string> out;
  if (person == "all") {
    for (const auto& each : plan.people) out.insert(each.name);
    return out;
  }
  collect(plan, person, out);
  return out;
}

Actor actor_of(const plan::Plan& plan, const std::string& user, const std::string& host) {
  Actor out{user, host, {}, "system user"};
  for (const auto& person : plan.people) {
    for (const auto& known : person.users) {
      if (known == user || known == cat(user, "@", host)) out.roles.insert(person.name);
    }
  }
  add_teams(plan, out.roles);
  return out;
}

Result<Actor> actor_of(const plan::Plan& plan, const RunState& state,
                       const record::RunInput& input) {
  if (input.data["link"].is_string()) return by_link(plan, state, input);
  if (input.data["signature"].is_string()) return by_key(plan, state, input);
  return actor_of(plan, input.user, input.host);
}

Result<Actor> actor_of(const plan::Plan& plan, const Speaker& speaker, const Signed& proof,
                       const std::string& text) {
  LB_TRY(notify::check_signed(plan, proof.person, text, proof.signature));
  Actor out{speaker.user, speaker.host, {proof.person}, "key"};
  add_teams(plan, out.roles);
  return out;
}

bool can_be_recognised(const plan::Plan& plan, const std::string& person) {
  auto members = members_of(plan, person);
  return std::any_of(members.begin(), members.end(), [&](const auto& name) {
    const auto* found = plan.person(name);
    return found != nullptr && (!found->users.empty() || !found->key.empty());
  });
}

std::string signed_text(const std::string& run, const record::RunInput& input) {
  auto said = input.data;
  said.set("signature", Json());
  return cat("lifeboat input\n", run, "\n", record::name_of(input.kind), "\n", input.step, "\n",
             format_time(input.at), "\n", said.dump(), "\n", input.text);
}

std::string link_mark(const std::string& token) {
  return to_hex(sha256(view_of(cat("lifeboat link\n", token))));
}

}  // namespace lb::runbook
