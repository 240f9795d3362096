// Letter: what is said, once, whoever reads it and by whatever way it goes. Holds no secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/codec/json.h"

namespace lb::notify {

enum class Severity { info, warning, critical };
// What it means for a service that keeps incidents: note stands alone.
enum class Event { note, trigger, acknowledge, resolve };

std::string_view name_of(Severity severity);
std::string_view name_of(Event event);

struct Letter {
  std::string key;     // of the state change it tells; the same key is told once to each person
  std::string system;  // of the plan
  std::string run;     // that it belongs to; may be empty
  std::string about;   // the incident, for services that join messages; empty: the key
  std::string subject, text;
  Severity severity = Severity::info;
  Event event = Event::note;
  Timestamp at{};   // when it was written
  Micros limit{0};  // undelivered after this long is an alert; 0: limit_for(severity)
  // Its text may stand in the journal and be told to somebody else when it does not arrive. Else it
  // is for one person alone, such as a link that decides, and is forgotten when it has arrived.
  bool shareable = false;
  std::vector<std::string> tried;  // people whom this could not reach before
};

// 30 minutes when it wakes people, a day otherwise.
Micros limit_for(Severity severity);
// The same for every attempt and on every host that sends the same letter to the same person, so
// that a receiver can tell a repetition.
std::string message_id(const Letter& letter, const std::string& person);

Json encode(const Letter& letter);
Result<Letter> decode_letter(const Json& json);

}  // namespace lb::notify
