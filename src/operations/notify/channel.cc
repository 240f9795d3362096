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
  // Whoever sent it was told to end: that says nothing about the message or its way.
  if (error.kind() == ErrorKind::cancelled) return Sent::How::again;
  switch (retry_class(error.kind())) {
    case RetryClass::again:
    case RetryClass::look_first:
      return Sent::How::again;
    default:
      return Sent::How::refused;
  }
}

void add_part(std::string_view part, std::vector<std::string>& parts) {
  if (part.size() < secret_bytes_min) return;
  parts.emplace_back(part);
  parts.push_back(printable(part));
}

// Of an address, what stands after the host and before it: the host itself helps whoever looks for
// the mistake. A service may name the pieces one by one.
void add_parts(std::string_view secret, std::vector<std::string>& parts) {
  const auto scheme = secret.find("://");
  if (scheme == std::string_view::npos) return add_part(secret, parts);
  const auto host = scheme + 3;
  const auto path = std::min(secret.find_first_of("/?#", host), secret.size());
  const auto login = secret.substr(host, path - host).rfind('@');
  if (login != std::string_view::npos) add_part(secret.substr(host, login), parts);
  add_part(secret.substr(path), parts);
  add_part(secret.substr(path, secret.find_first_of("?#", path) - path), parts);
  std::string pieces(secret.substr(path));
  for (auto& c : pieces) {
    if (std::string_view("/?#&=").find(c) != std::string_view::npos) c = ' ';
  }
  for (const auto& piece : split(pieces, ' ')) add_part(piece, parts);
}

// A reference that cannot be resolved names itself, never its value.
std::string told(const Error& error) {
  return error.hint().empty() ? error.text() : cat(error.text(), " (", error.hint(), ")");
}

}  // namespace

std::string without_secrets(std::string text, const std::vector<std::string_view>& secrets) {
  std::vector<std::string> parts;
  for (const auto secret : secrets) add_parts(secret, parts);
  // The longest first, so that no rest of it stays behind.
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const auto& part : parts) text = replace_all(text, part, "…");
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
