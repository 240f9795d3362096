#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/bind.h"
#include "model/plan/hours_text.h"

namespace lb::plan {

namespace {

constexpr std::pair<const char*, ChannelKind> kinds[] = {{"slack", ChannelKind::slack},
                                                         {"smtp", ChannelKind::smtp},
                                                         {"webhook", ChannelKind::webhook},
                                                         {"pagerduty", ChannelKind::pagerduty},
                                                         {"command", ChannelKind::command}};

}  // namespace

std::string_view name_of(ChannelKind kind) {
  for (const auto& [name, one] : kinds) {
    if (one == kind) return name;
  }
  return "command";
}

std::vector<Channel> bind_channels(const View& section) {
  std::vector<Channel> out;
  for (const auto& [name, from] : section.entries()) {
    Channel channel;
    channel.name = name;
    for (const auto& [key, kind] : kinds) {
      if (!from.has(key)) continue;
      channel.kind = kind;
      if (kind != ChannelKind::command) channel.address = from.reference(key);
    }
    channel.command = from.text("command");
    channel.room = from.text("room");
    channel.from = from.text("from");
    channel.user = from.reference("user");
    channel.password = from.reference("password");
    channel.tls = from.has("tls") ? from.text("tls") : "starttls";
    channel.ca = from.text("ca");
    channel.sign = from.reference("sign");
    channel.at = from.text("at");
    channel.limit = from.duration("limit").value_or(channel_limit_default);
    channel.place = from.place();
    out.push_back(std::move(channel));
  }
  return out;
}

namespace {

AlertBound bind_bound(const std::string& what, const View& value, const View& event) {
  AlertBound out;
  out.what = what;
  out.text = value.text();
  out.place = value.place();
  const auto key = std::string_view(what);
  if (auto share = event.percent(key)) {
    out.bound = *share;
  } else if (auto time = event.duration(key)) {
    out.bound = static_cast<double>(time->count()) / 1e6;
  } else {
    out.bound = event.number(key).value_or(0);
  }
  return out;
}

}  // namespace

bool AlertRule::names(std::string_view event) const {
  return std::any_of(on.begin(), on.end(),
                     [&](const auto& one) { return one == event || one == "everything"; });
}

bool is_measured(std::string_view bound) {
  static const std::vector<std::string_view> measured = {
      "disk", "lag", "slow_queries", "error_rate", "connections", "response_time"};
  return std::find(measured.begin(), measured.end(), bound) != measured.end();
}

std::vector<AlertRule> bind_alerts(const View& section) {
  std::vector<AlertRule> out;
  for (const auto& [level, from] : section.entries()) {
    if (level == "heartbeat") continue;
    AlertRule rule;
    rule.level = level;
    for (const auto& event : from.at("on").items()) {
      if (event.node().is_scalar()) rule.on.push_back(event.text());
      for (const auto& [what, value] : event.entries())
        rule.bounds.push_back(bind_bound(what, value, event));
    }
    rule.to = from.texts("send");
    rule.place = from.place();
    out.push_back(std::move(rule));
  }
  return out;
}

BusinessHours bind_hours(const View& section, const std::string& zone) {
  BusinessHours out;
  auto days = section.has("days") ? section.texts("days") : std::vector<std::string>{"mon-fri"};
  for (const auto& text : days) {
    auto parsed = parse_days(text);
    if (!parsed.ok()) continue;
    for (const auto& day : *parsed) {
      if (std::find(out.days.begin(), out.days.end(), day) == out.days.end())
        out.days.push_back(day);
    }
  }
  auto time = [&](const char* key, const char* fallback) {
    auto parsed = parse_time_of_day(section.has(key) ? section.text(key) : fallback);
    return parsed.ok() ? *parsed : Micros(0);
  };
  out.from = time("from", "09:00");
  out.to = time("to", "17:00");
  out.zone = section.has("zone") ? section.text("zone") : zone;
  out.except = section.texts("except");
  out.place = section.place();
  return out;
}

}  // namespace lb::plan
