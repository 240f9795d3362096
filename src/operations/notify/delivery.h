// How one message to one person goes on after each attempt: which channel next, and when; when it
// has failed. Pure: tables of tests stand for the world.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/codec/json.h"
#include "operations/notify/channel.h"

namespace lb::notify {

// What is known of one channel of this message; kept in the outbox by the channel's name, so that a
// plan may change meanwhile.
struct RouteProgress {
  std::string channel;
  unsigned tries = 0;
  Timestamp not_before{};
  bool refused = false;  // it will not work until somebody changes something
  std::string error;
};

struct Progress {
  std::vector<RouteProgress> routes;
};
Json encode(const Progress& progress);
Result<Progress> decode_progress(const Json& json);

// For exactly these channels, in this order; what is known of others is dropped.
Progress fitted(const Progress& progress, const std::vector<std::string>& channels);

struct Choice {
  std::optional<std::size_t> route;  // to try now
  Timestamp next{};                  // else: when
};
// The first channel that may be tried. `clock_went_back`: none has to wait.
Choice choose(const Progress& progress, Timestamp now, bool clock_went_back);

struct After {
  enum class State { delivered, waiting, undelivered } state = State::waiting;
  Timestamp next{};  // waiting
  Progress progress;
};
// A failed channel waits, each time longer, up to ten minutes, or as long as the service asks; the
// next channel is tried at once. undelivered: every channel refused, or the time is over, which
// only a failed attempt can find: a clock that jumped ahead gives nothing up untried. `chance`: 0
// to 1, so that many messages do not come back in one moment.
After after_attempt(Progress progress, std::size_t route, const Sent& sent, Timestamp now,
                    Timestamp expires, double chance);

// "ops: HTTP 500 (3 times); mail: no answer (once)"
std::string what_was_tried(const Progress& progress);

}  // namespace lb::notify
