// People of a plan: roles, how they are reached, who decides. Part of plan.h; read by bind_people.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/time.h"
#include "model/plan/value_types.h"

namespace lb::plan {

enum class ChannelKind { slack, smtp, webhook, pagerduty, command };
std::string_view name_of(ChannelKind kind);

// A way a message takes. Addresses of hooks are secrets: who knows them may post.
struct Channel {
  std::string name;  // key in the plan; of a person's own address: "webhook", "pagerduty"
  ChannelKind kind = ChannelKind::slack;
  Reference address;         // hook, "host[:port]" of the mail server, routing key; empty: command
  std::string command;       // run by /bin/sh in the plan's folder, the message on stdin
  std::string room;          // slack: "#ops", the room the hook posts into
  std::string from;          // smtp: the sender
  Reference user, password;  // smtp
  std::string tls;           // smtp: "starttls", "implicit", "none"
  std::string ca;            // file with the certificates to trust; empty: the system's
  Reference sign;            // webhook: key of the signature
  std::string at;            // pagerduty: where events are posted
  Micros limit{0};           // of one attempt
  Place place;
};

inline constexpr Micros channel_limit_default = Seconds(30);

// When people work.
struct BusinessHours {
  std::vector<std::string> days;    // "mon" to "sun"
  Micros from{0}, to{0};            // since midnight of the zone
  std::string zone;                 // "Europe/Berlin"; "UTC"
  std::vector<std::string> except;  // "2026-12-25": days off
  Place place;
};

// A role or a person. `users`: system users ("ada", "ada@host") who act as it; `key`: an Ed25519
// public key, hex, whose signature proves it.
struct Person {
  std::string name;  // key in the plan: "lead"
  std::string full_name;
  std::string email, slack, phone;
  Reference webhook, pagerduty;
  std::vector<std::string> addresses;  // of those above that are given, as they stand in the plan
  std::vector<std::string> via;        // channels, tried one after the other; empty: see routes.h
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

// What is measured, and when it is too much: "disk: 80%".
struct AlertBound {
  std::string what;  // "disk", "lag" and others
  double bound = 0;  // 0.8 of a percentage, seconds of a duration
  std::string text;  // "80%"
  Place place;
};

// Who is told when something happens.
struct AlertRule {
  std::string level;            // "critical", "warning", "info"
  std::vector<std::string> on;  // "backup failed"; "everything" names every event
  std::vector<AlertBound> bounds;
  std::vector<std::string> to;  // people, or "all"
  Place place;
  bool names(std::string_view event) const;
};
// What somebody looks for and tells of; the others are read and checked only.
bool is_measured(std::string_view bound);

// Who is told next when nobody has answered.
struct EscalationNext {
  Micros within{0};             // time to answer before the one after it
  std::vector<std::string> to;  // people, or "all"
};

struct EscalationLevel {
  enum class From { now, business_hours, next_business_day };
  std::string name;  // "P0" to "P3"
  Micros within{0};
  std::vector<std::string> to;  // people, or "all"
  From from = From::now;
  std::vector<EscalationNext> then;  // empty: deputies of `to`, then those they escalate to
  unsigned repeat = 0;               // how often all of it is done again
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
