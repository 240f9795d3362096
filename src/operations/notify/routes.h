// Routes: by which channels a person is reached, in which order. Pure. Pointers are into the plan.
#pragma once

#include <string>
#include <vector>

#include "model/plan/plan.h"

namespace lb::notify {

struct Route {
  plan::Channel channel;
  std::string person;   // name in the plan
  std::string email;    // smtp
  std::string mention;  // slack: put before the text; "@lead"
};

// `via:` as it stands; else for each address of the person, as they stand in the plan, every
// channel that fits: email → smtp, slack → the channel of that room, or every slack channel;
// webhook and pagerduty → the address itself, a channel "webhook of NAME".
std::vector<Route> routes_of(const plan::Plan& plan, const plan::Person& person);

// Who is meant by names of people and teams and "all", each once, in order: a team without a route
// of its own stands for its members. Unknown names are left out; the reader of plans refuses them.
std::vector<std::string> people_of(const plan::Plan& plan, const std::vector<std::string>& to);

// Who is told when this person could not be reached: the deputy, else whom they escalate to, else
// who the alerts say ("notification undelivered", or the critical ones); nobody of `tried`. Empty:
// there is nobody left.
std::string next_person(const plan::Plan& plan, const std::string& person,
                        const std::vector<std::string>& tried);

}  // namespace lb::notify
