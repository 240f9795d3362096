// What the kinds of channels share. Private to this folder.
#pragma once

#include <string>
#include <vector>

#include "operations/notify/channel.h"

namespace lb::notify {

// What one attempt has at hand.
struct Attempt {
  World& world;
  const References& references;
  const Route& route;
  const Letter& letter;
  std::stop_token stop;
};

Result<Sent> send_slack(const Attempt& attempt);
Result<Sent> send_webhook(const Attempt& attempt);
Result<Sent> send_pagerduty(const Attempt& attempt);
Result<Sent> send_smtp(const Attempt& attempt);
Result<Sent> send_command(const Attempt& attempt);

// Bodies as they are posted. Pure.
std::string slack_body(const Letter& letter, const std::string& mention);
std::string webhook_body(const Letter& letter, const std::string& person);
std::string pagerduty_body(const Letter& letter, std::string_view routing_key);
// "t=1768270440,v1=HEX": HMAC-SHA256 of "1768270440.BODY".
std::string webhook_signature(ByteView key, std::int64_t seconds, std::string_view body);

// `text` on one line, cut, with the secrets (whole, and of addresses the part after the host) left
// out.
std::string without_secrets(std::string text, const std::vector<std::string_view>& secrets);

}  // namespace lb::notify
