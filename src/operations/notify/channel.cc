#include "operations/notify/channel.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "operations/notify/channel_parts.h"

namespace lb::notify {

namespace {

constexpr std::size_t text_bytes_max = 300;
constexpr std::size_t secret_bytes_min = 5;  // shorter texts stand in many places by chance

Result<Sent> send_by_kind(const Attempt& attempt) {
  switch (attempt.route.channel.kind) {
    case plan::ChannelKind::slack:
      return send_slack(attempt);
    case plan::ChannelKind::smtp:
      return send_smtp(attempt);
    case plan::ChannelKind::webhook:
      return send_webhook(attempt);
    case plan::ChannelKind::pagerduty:
      return send_pagerduty(attempt);
    case plan::ChannelKind::command:
      break;
  }
  return send_command(attempt);
}

Sent::How how(const Error& error) {
  switch (retry_class(error.kind())) {
    case RetryClass::again:
    case RetryClass::look_first:
      return Sent::How::again;
    default:
      return Sent::How::refused;
  }
}

// A reference that cannot be resolved names itself, never its value.
std::string told(const Error& error) {
  return error.hint().empty() ? error.text() : cat(error.text(), " (", error.hint(), ")");
}

}  // namespace

std::string without_secrets(std::string text, const std::vector<std::string_view>& secrets) {
  for (const auto secret : secrets) {
    std::vector<std::string> parts = {std::string(secret)};
    if (auto host = secret.find("://"); host != std::string_view::npos) {
      const auto path = secret.find('/', host + 3);
      if (path != std::string_view::npos) {
        parts.emplace_back(secret.substr(path));
        parts.emplace_back(secret.substr(path, secret.find_first_of("?#", path) - path));
      }
    }
    for (const auto& part : parts) {
      if (part.size() >= secret_bytes_min) text = replace_all(text, part, "…");
      const auto shown = printable(part);
      if (shown.size() >= secret_bytes_min) text = replace_all(text, shown, "…");
    }
  }
  text = printable(trim(replace_all(text, "\n", " ")));
  if (text.size() <= text_bytes_max) return text;
  auto end = text_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return cat(text.substr(0, end), "…");
}

Sent send_letter(World& world, const References& references, const Route& route,
                 const Letter& letter, std::stop_token stop) {
  const auto start = world.clock.steady();
  auto sent = send_by_kind({world, references, route, letter, stop});
  Sent out;
  if (sent.ok()) {
    out = std::move(sent).take();
  } else {
    out.how = how(sent.error());
    out.text = without_secrets(told(sent.error()), {});
  }
  out.took = world.clock.steady() - start;
  return out;
}

}  // namespace lb::notify
