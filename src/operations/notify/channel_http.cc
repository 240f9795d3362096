// Slack, webhooks and PagerDuty: JSON posted over HTTP, and what their answers mean.
#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "operations/notify/channel_parts.h"

namespace lb::notify {

namespace {

using plan::ChannelKind;

constexpr std::size_t answer_bytes_max = 64 << 10;
constexpr std::size_t slack_text_max = 30'000;  // of 40,000 that Slack takes
constexpr std::size_t summary_max = 1024, dedup_key_max = 255;
constexpr Micros retry_after_max = std::chrono::hours(1);
constexpr const char* pagerduty_address = "https://events.pagerduty.com/v2/enqueue";

std::string cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  auto end = bytes_max - 3;  // of "…"
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return cat(text.substr(0, end), "…");
}

std::string header(const HttpAnswer& answer, std::string_view name) {
  for (const auto& [one, value] : answer.headers) {
    if (one == name) return value;
  }
  return {};
}

// Seconds; the form with a date is answered by our own back-off.
std::optional<Micros> retry_after(const HttpAnswer& answer) {
  auto seconds = parse_uint(trim(header(answer, "retry-after")));
  if (!seconds.ok()) return std::nullopt;
  const auto most = static_cast<std::uint64_t>(retry_after_max / Seconds(1));
  return Micros(Seconds(static_cast<std::int64_t>(std::min(*seconds, most))));
}

bool says_error(const std::string& word) {
  static const std::vector<std::string> words = {"error", "fail", "failed", "failure", "invalid"};
  const auto low = lower(word);
  return std::any_of(words.begin(), words.end(), [&](const auto& one) {
    return low == one || low.starts_with(one + "_") || low.starts_with(one + " ") ||
           low.starts_with(one + ":");
  });
}

bool tells_nothing(const Json& value) {
  return value.is_null() || (value.is_bool() && !value.boolean()) ||
         (value.is_string() && value.string().empty()) ||
         (value.is_array() && value.items().empty()) ||
         (value.is_object() && value.members().empty()) || (value.is_int() && value.integer() == 0);
}

// Services that answer 200 and mean no.
bool body_says_no(const std::string& body) {
  auto json = parse_json(body);
  if (!json.ok()) return says_error(std::string(trim(body)));
  const auto& object = *json;
  if (object.is_string()) return says_error(object.string());
  for (const char* name : {"ok", "success", "accepted"}) {
    if (object[name].is_bool() && !object[name].boolean()) return true;
  }
  for (const char* name : {"status", "result"}) {
    if (says_error(object[name].string())) return true;
  }
  return !tells_nothing(object["error"]) || !tells_nothing(object["errors"]);
}

bool accepted(ChannelKind kind, const std::string& body) {
  if (kind == ChannelKind::slack) return trim(body) == "ok";
  if (kind == ChannelKind::pagerduty) {
    auto json = parse_json(body);
    return json.ok() && (*json)["status"].string() == "success";
  }
  return !body_says_no(body);
}

// `secrets`: what must not come back in a text.
Sent post(const Attempt& attempt, HttpRequest request,
          const std::vector<std::string_view>& secrets) {
  request.method = "POST";
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  request.limit = attempt.route.channel.limit;
  request.body_max = answer_bytes_max;
  auto answer = attempt.world.http.send(request);
  Sent out;
  if (answer.ok()) {
    out = judge_answer(attempt.route.channel.kind, *answer);
  } else {
    const bool wrong_address =
        answer.error().kind() == ErrorKind::invalid && !request.url.starts_with("http");
    const bool for_good = answer.error().kind() == ErrorKind::invalid;
    out.how = for_good ? Sent::How::refused : Sent::How::again;
    out.text = wrong_address ? "what the reference gives is not an http or https address"
                             : answer.error().text();
  }
  out.text = without_secrets(out.text, secrets);
  return out;
}

std::string escaped_for_slack(std::string text) {
  return replace_all(replace_all(replace_all(std::move(text), "&", "&amp;"), "<", "&lt;"), ">",
                     "&gt;");
}

// "<@U024BE7LH>" and its like call a person; anything else is shown as it is.
bool real_mention(const std::string& text) {
  return text.size() > 3 && text.starts_with('<') && text.ends_with('>') &&
         std::string_view("@!#").find(text[1]) != std::string_view::npos &&
         text.find_first_of("<>&", 1) == text.size() - 1;
}

}  // namespace

Sent judge_answer(ChannelKind kind, const HttpAnswer& answer) {
  Sent out;
  const auto said = trim(answer.body);
  out.text = said.empty() ? cat("HTTP ", answer.status) : cat("HTTP ", answer.status, ": ", said);
  const int status = answer.status;
  if (status >= 200 && status < 300) {
    out.how = accepted(kind, answer.body)    ? Sent::How::delivered
              : kind == ChannelKind::webhook ? Sent::How::again
                                             : Sent::How::refused;
    return out;
  }
  const bool passing = status == 408 || status == 425 || status == 429 || status >= 500;
  out.how = passing ? Sent::How::again : Sent::How::refused;
  if (passing) out.retry_after = retry_after(answer);
  return out;
}

std::string slack_body(const Letter& letter, const std::string& mention) {
  std::string text;
  if (!mention.empty())
    text = cat(real_mention(mention) ? mention : escaped_for_slack(mention), " ");
  text += cat("*", escaped_for_slack(letter.subject), "*\n", escaped_for_slack(letter.text));
  return Json::object().set("text", cut(text, slack_text_max)).dump();
}

std::string webhook_body(const Letter& letter, const std::string& person) {
  return Json::object()
      .set("schema", "lifeboat.message/1")
      .set("id", message_id(letter, person))
      .set("key", letter.key)
      .set("about", letter.about.empty() ? letter.key : letter.about)
      .set("event", name_of(letter.event))
      .set("severity", name_of(letter.severity))
      .set("system", letter.system)
      .set("run", letter.run)
      .set("to", person)
      .set("at", format_time(letter.at))
      .set("subject", letter.subject)
      .set("text", letter.text)
      .dump();
}

std::string webhook_signature(ByteView key, std::int64_t seconds, std::string_view body) {
  const auto signed_text = cat(seconds, ".", body);
  return cat("t=", seconds, ",v1=", to_hex(hmac_sha256(key, view_of(signed_text))));
}

std::string pagerduty_body(const Letter& letter, std::string_view routing_key) {
  auto about = letter.about.empty() ? letter.key : letter.about;
  if (about.size() > dedup_key_max) about = to_hex(sha256(view_of(about)));
  const bool answers_one = letter.event == Event::acknowledge || letter.event == Event::resolve;
  Json out = Json::object()
                 .set("routing_key", routing_key)
                 .set("event_action", answers_one ? name_of(letter.event) : "trigger")
                 .set("dedup_key", about)
                 .set("client", "Lifeboat");
  if (!answers_one) {
    out.set("payload", Json::object()
                           .set("summary", cut(letter.subject, summary_max))
                           .set("source", letter.system)
                           .set("severity", name_of(letter.severity))
                           .set("timestamp", format_time(letter.at))
                           .set("custom_details", Json::object().set("text", letter.text)));
  }
  return out.dump();
}

Result<Sent> send_slack(const Attempt& attempt) {
  auto address = LB_TRY(attempt.references.secret(attempt.route.channel.address));
  HttpRequest request;
  request.url = address.reveal();
  request.body = slack_body(attempt.letter, attempt.route.mention);
  return post(attempt, std::move(request), {address.reveal()});
}

Result<Sent> send_webhook(const Attempt& attempt) {
  const auto& channel = attempt.route.channel;
  auto address = LB_TRY(attempt.references.secret(channel.address));
  HttpRequest request;
  request.url = address.reveal();
  request.body = webhook_body(attempt.letter, attempt.route.person);
  request.headers = {{"Idempotency-Key", message_id(attempt.letter, attempt.route.person)}};
  Secret key;
  if (!channel.sign.empty()) {
    key = LB_TRY(attempt.references.secret(channel.sign));
    const auto seconds =
        std::chrono::floor<Seconds>(attempt.world.clock.now()).time_since_epoch().count();
    request.headers.emplace_back("Lifeboat-Signature",
                                 webhook_signature(key.bytes(), seconds, request.body));
  }
  return post(attempt, std::move(request), {address.reveal(), key.reveal()});
}

Result<Sent> send_pagerduty(const Attempt& attempt) {
  const auto& channel = attempt.route.channel;
  auto key = LB_TRY(attempt.references.secret(channel.address));
  HttpRequest request;
  request.url = channel.at.empty() ? pagerduty_address : channel.at;
  request.body = pagerduty_body(attempt.letter, key.reveal());
  return post(attempt, std::move(request), {key.reveal()});
}

}  // namespace lb::notify
