// Who acts in a run: a system user, a holder of a key, or of a link that was sent to one person;
// and which people of the plan that makes. Pure.
#pragma once

#include <set>
#include <string>

#include "model/record/run_record.h"
#include "operations/runbook/run_state.h"

namespace lb::runbook {

struct Actor {
  std::string user, host;
  std::set<std::string> roles;  // people of the plan it is, and the teams they belong to
  std::string proof;            // "system user", "key", "link"
  bool is(const std::string& person) const { return roles.contains(person); }
  std::string text() const;  // "ada (lead)"
};

// A system user. `host`: of the machine where it acts.
Actor actor_of(const plan::Plan& plan, const std::string& user, const std::string& host);
// Who an input comes from. denied when its signature or its link proves nothing.
Result<Actor> actor_of(const plan::Plan& plan, const RunState& state,
                       const record::RunInput& input);

// Where somebody speaks, and by whose key.
struct Speaker {
  std::string user, host;
};
struct Signed {
  std::string person, signature;  // hex
};
// A holder of a key, who signed `text`. denied (exit 5) when that proves nothing.
Result<Actor> actor_of(const plan::Plan& plan, const Speaker& speaker, const Signed& proof,
                       const std::string& text);

// Whether the plan says how this person is recognised.
bool can_be_recognised(const plan::Plan& plan, const std::string& person);
// The person and all members of it, when it is a team; "all": everybody.
std::set<std::string> members_of(const plan::Plan& plan, const std::string& person);

// What a signed input says, to be signed with the person's key.
std::string signed_text(const std::string& run, const record::RunInput& input);
// What a link is kept as until it is used: nobody who reads the journal can make it from that.
std::string link_mark(const std::string& token);

}  // namespace lb::runbook
