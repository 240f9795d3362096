// Proof of channels: a real message by each, so that the first to learn that a channel is broken is
// not whoever needs it at night.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "operations/notify/channel.h"

namespace lb::notify {

struct ProofRoute {
  Route route;
  std::string problem;  // why it cannot be tried; empty: it can
};

// Without names: every channel of channels:, mail to the first of those whom alerts and escalation
// name, so that no customer gets a test; and whoever of those nothing reaches. With: channels, or
// people by all that reaches them. invalid: a name that is neither, or a plan without channels.
Result<std::vector<ProofRoute>> routes_to_prove(const plan::Plan& plan,
                                                const std::vector<std::string>& names);

struct Proof {
  ProofRoute tried;
  Sent sent;
  bool ok() const { return tried.problem.empty() && sent.how == Sent::How::delivered; }
};

// In the order of `routes`, several at once. What a test opens at a service it closes again. `who`:
// "ada@host", said in the message. cancelled when stopped.
Result<std::vector<Proof>> prove(World& world, const References& references, const plan::Plan& plan,
                                 const std::vector<ProofRoute>& routes, const std::string& who,
                                 std::stop_token stop);

}  // namespace lb::notify
