// One letter by one route, now: the only place that speaks to the services people are reached by.
// Secrets are resolved for the moment of use and stand in no text that comes back. Thread-safe.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "operations/notify/letter.h"
#include "operations/notify/routes.h"
#include "stores/seam/references.h"

namespace lb::notify {

struct Sent {
  enum class How {
    delivered,
    again,    // may work later: no answer, too busy, an error of the service
    refused,  // will not work until somebody changes something
  };
  How how = How::refused;
  std::string text;                   // what the service answered, or why not; one line
  std::optional<Micros> retry_after;  // the service asked for it
  Micros took{0};
};

Sent send_letter(World& world, const References& references, const Route& route,
                 const Letter& letter, std::stop_token stop);

// What answers of HTTP services mean, and that 200 is not yet a yes. Pure.
Sent judge_answer(plan::ChannelKind kind, const HttpAnswer& answer);

}  // namespace lb::notify
