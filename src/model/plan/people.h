// People of a plan: roles, how they are reached, who decides. Part of plan.h; read by bind_people.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "foundation/base/time.h"
#include "model/plan/value_types.h"

namespace lb::plan {

// A role or a person. `users`: system users ("ada", "ada@host") who act as it; `key`: an Ed25519
// public key, hex, whose signature proves it.
struct Person {
  std::string name;  // key in the plan: "lead"
  std::string full_name;
  std::string email, slack, phone;
  Reference webhook, pagerduty;
  std::vector<std::string> users;
  std::string key;
  std::vector<std::string> members;  // a team
  std::string deputy, escalate;      // people who are asked next
  std::string duty;
  Place place;
};

struct Template {
  std::string name, subject, body;
  std::string approve;  // person; empty: sent without being asked
  Place place;
};

struct EscalationLevel {
  std::string name;  // "P0" to "P3"
  Micros within{0};
  std::vector<std::string> to;  // people, or "all"
  bool next_business_day = false;
  std::string means;
  Place place;
};

// One line of the RACI table: letters of each role, several allowed.
struct RaciTask {
  std::string name;                                          // "go/no-go decision"
  std::vector<std::pair<std::string, std::string>> letters;  // person -> "A", "RC"
  Place place;
  std::vector<std::string> who(char letter) const;
};

// The status page of a provider.
struct Probe {
  std::string name, url, expect;
  Place place;
};

// A named command, or a document that a person reviews.
struct Task {
  std::string name, run, review, by, undo, why;
  std::optional<Schedule> every;
  Place place;
};

}  // namespace lb::plan
