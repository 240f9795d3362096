#include "operations/notify/delivery.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::notify {

namespace {

constexpr Micros wait_first = Seconds(5), wait_longest = std::chrono::minutes(10);
constexpr double chance_share = 0.5;  // of the wait is left to chance
// Whatever the clock says: with the longest wait these take most of a day.
constexpr unsigned tries_max = 100;

Micros wait_after(unsigned tries, double chance) {
  Micros wait = wait_first;
  for (unsigned i = 1; i < tries && wait < wait_longest; ++i) wait *= 2;
  wait = std::min(wait, wait_longest);
  const auto count = static_cast<double>(wait.count());
  return Micros(static_cast<std::int64_t>(count * (1 - chance_share + chance_share * chance)));
}

bool all_refused(const Progress& progress) {
  return std::all_of(progress.routes.begin(), progress.routes.end(),
                     [](const auto& route) { return route.refused; });
}

bool worn_out(const Progress& progress) {
  return std::all_of(progress.routes.begin(), progress.routes.end(),
                     [](const auto& route) { return route.refused || route.tries >= tries_max; });
}

}  // namespace

Json encode(const Progress& progress) {
  Json out = Json::array();
  for (const auto& route : progress.routes) {
    out.push(Json::object()
                 .set("channel", route.channel)
                 .set("tries", std::uint64_t{route.tries})
                 .set("not_before", to_micros(route.not_before))
                 .set("refused", route.refused)
                 .set("error", route.error));
  }
  return out;
}

Result<Progress> decode_progress(const Json& json) {
  Progress out;
  for (const auto& one : json.items()) {
    const auto tries = one["tries"].integer();
    if (!one["channel"].is_string() || tries < 0 || tries > 1'000'000)
      return Error(ErrorKind::corrupt, "what was tried for a message cannot be read");
    out.routes.push_back({one["channel"].string(), static_cast<unsigned>(tries),
                          from_micros(one["not_before"].integer()), one["refused"].boolean(),
                          one["error"].string()});
  }
  return out;
}

Progress fitted(const Progress& progress, const std::vector<std::string>& channels) {
  Progress out;
  for (const auto& name : channels) {
    auto known = std::find_if(progress.routes.begin(), progress.routes.end(),
                              [&](const auto& route) { return route.channel == name; });
    RouteProgress fresh;
    fresh.channel = name;
    out.routes.push_back(known == progress.routes.end() ? fresh : *known);
  }
  return out;
}

Choice choose(const Progress& progress, Timestamp now, bool clock_went_back) {
  Choice out;
  out.next = Timestamp::max();
  for (std::size_t i = 0; i < progress.routes.size(); ++i) {
    const auto& route = progress.routes[i];
    if (route.refused || route.tries >= tries_max) continue;
    if (clock_went_back || route.not_before <= now) {
      out.route = i;
      return out;
    }
    out.next = std::min(out.next, route.not_before);
  }
  return out;
}

After after_attempt(Progress progress, std::size_t index, const Sent& sent, Timestamp now,
                    Timestamp expires, double chance) {
  After out;
  auto& route = progress.routes.at(index);
  ++route.tries;
  route.error = sent.text;
  if (sent.how == Sent::How::delivered) {
    out.state = After::State::delivered;
  } else {
    route.refused = sent.how == Sent::How::refused;
    route.not_before =
        now + std::max(wait_after(route.tries, chance), sent.retry_after.value_or(Micros(0)));
    const auto next = choose(progress, now, false);
    const bool another = next.route.has_value();  // it has not been tried yet, or waited enough
    out.next = another ? now : next.next;
    if (all_refused(progress) || worn_out(progress) || (now >= expires && !another))
      out.state = After::State::undelivered;
  }
  out.progress = std::move(progress);
  return out;
}

std::string what_was_tried(const Progress& progress) {
  std::vector<std::string> out;
  for (const auto& route : progress.routes) {
    if (route.tries == 0) continue;
    out.push_back(cat(route.channel, ": ", route.error, " (",
                      route.tries == 1 ? "once" : cat(route.tries, " times"), ")"));
  }
  return out.empty() ? "nothing" : join(out, "; ");
}

}  // namespace lb::notify
