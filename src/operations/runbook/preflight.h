// What a `preflight:` step found, and what follows: something that is missing fails the step, and
// so does what could not be looked at. What may be the very reason why the runbook runs, such as a
// store that does not answer, is told and fails nothing. Pure.
#pragma once

#include <string>
#include <vector>

#include "operations/runbook/acts.h"

namespace lb::runbook {

struct PreflightFinding {
  enum class State { good, told, unseen, missing };
  State state = State::good;
  std::string text, hint;
};

// The end of the step. unavailable, with all that is missing or was not seen, and every hint once.
// What is only told is kept apart from what is in place.
Result<ActEnd> judge_preflight(const std::vector<PreflightFinding>& findings);

// A restore that is part of the runbook, and where it goes.
struct WantedRestore {
  const plan::Store* store = nullptr;
  const plan::Target* target = nullptr;
  std::string how;  // as the step says it; may be empty
  std::vector<std::string> only = {};
  // What is in its place stays, at first or for good, and needs its own room.
  bool lies_beside() const { return how == "beside-then-swap" || how == "beside"; }
};
struct PreflightNeeds {
  std::vector<WantedRestore> restores;       // each once
  std::vector<const plan::Target*> targets;  // of restores and switches, each once
  std::vector<std::string> commands;         // that steps run here, each once
  std::vector<std::string> not_known;        // "step 7: $target has no value yet"
  std::vector<std::string> not_built;        // "step 7: a redis store (cache)"
  std::vector<std::string> copies;           // that restores read (from:), each once
  bool reads_repository = false;             // to choose or restore a point
};
// `known`: the values of variables at this moment.
PreflightNeeds preflight_needs(const plan::Plan& plan, const Script& script,
                               const Variables& known);

// The words of the step.
std::vector<std::string> preflight_words(const plan::Step& step);

// The TCP ports on which something of this machine listens; `table`: /proc/net/tcp or tcp6.
std::vector<std::uint16_t> listening_ports(const std::string& table);

// "http://localhost:8000/x": host and port; a port that is not given is that of the scheme.
struct UrlPlace {
  std::string host;
  std::uint16_t port = 0;  // 0: no such URL
  bool local() const { return host == "localhost" || host == "::1" || host.starts_with("127."); }
};
UrlPlace place_of_url(const std::string& url);

}  // namespace lb::runbook
