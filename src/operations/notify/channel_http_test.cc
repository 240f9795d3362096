#include "foundation/crypto/hash.h"
#include "foundation/sys/test_server.h"
#include "operations/notify/channel.h"
#include "operations/notify/channel_parts.h"
#include "operations/notify/notify_testing.h"

namespace lb::notify {
namespace {

using plan::ChannelKind;

std::string word(Sent::How how) {
  if (how == Sent::How::delivered) return "delivered";
  return how == Sent::How::again ? "again" : "refused";
}

HttpAnswer answer(int status, const std::string& body) {
  HttpAnswer out;
  out.status = status;
  out.body = body;
  return out;
}

TEST(Answers, TwoHundredIsNotYetAYes) {
  struct Row {
    ChannelKind kind;
    int status;
    const char *body, *how;
  };
  const auto slack = ChannelKind::slack, hook = ChannelKind::webhook, duty = ChannelKind::pagerduty;
  for (const Row& row : std::vector<Row>{
           {slack, 200, "ok", "delivered"},
           {slack, 200, "ok\n", "delivered"},
           {slack, 200, "invalid_token", "refused"},
           {slack, 200, "", "refused"},
           {slack, 200, "<html>sign in</html>", "refused"},
           {slack, 404, "no_service", "refused"},
           {slack, 429, "rate_limited", "again"},
           {slack, 500, "", "again"},
           {slack, 302, "", "refused"},
           {hook, 200, "", "delivered"},
           {hook, 204, "", "delivered"},
           {hook, 200, "thanks", "delivered"},
           {hook, 200, R"({"ok":true})", "delivered"},
           {hook, 200, R"({"error":null,"errors":[]})", "delivered"},
           {hook, 200, R"({"ok":false})", "again"},
           {hook, 200, R"({"success":false})", "again"},
           {hook, 200, R"({"status":"error"})", "again"},
           {hook, 200, R"({"status":"Failed"})", "again"},
           {hook, 200, R"({"error":"no such room"})", "again"},
           {hook, 200, R"({"errors":["x"]})", "again"},
           {hook, 200, "invalid_payload", "again"},
           {hook, 200, "Error: full", "again"},
           {hook, 200, "\"failed\"", "again"},
           {hook, 503, "", "again"},
           {hook, 401, "", "refused"},
           {duty, 202, R"({"status":"success","dedup_key":"x"})", "delivered"},
           {duty, 202, "", "refused"},
           {duty, 200, R"({"status":"invalid event"})", "refused"},
           {duty, 400, R"({"status":"invalid event"})", "refused"},
           {duty, 429, "", "again"},
       }) {
    EXPECT_EQ(word(judge_answer(row.kind, answer(row.status, row.body)).how), row.how)
        << row.status << " " << row.body;
  }
}

TEST(Answers, RetryAfterIsHeard) {
  auto busy = answer(429, "");
  busy.headers = {{"retry-after", " 120 "}};
  EXPECT_EQ(judge_answer(ChannelKind::slack, busy).retry_after, Micros(Seconds(120)));
  busy.headers = {{"retry-after", "999999999999"}};
  EXPECT_EQ(judge_answer(ChannelKind::slack, busy).retry_after, Micros(std::chrono::hours(1)));
  busy.headers = {{"retry-after", "Fri, 27 Nov 2026 05:26:23 GMT"}};
  EXPECT_EQ(judge_answer(ChannelKind::slack, busy).retry_after, std::nullopt);
}

TEST(Bodies, SlackCannotBeTrickedIntoCallingEverybody) {
  auto one = letter("k");
  one.subject = "a <!channel> & b";
  one.text = "No orders.\n";
  EXPECT_EQ(slack_body(one, "@ada"),
            R"({"text":"@ada *a &lt;!channel&gt; &amp; b*\nNo orders.\n"})");
  EXPECT_TRUE(slack_body(one, "<@U024BE7LH>").starts_with(R"({"text":"<@U024BE7LH> *a)"));
  EXPECT_TRUE(slack_body(one, "<@U1> <!here>").starts_with(R"({"text":"&lt;@U1&gt; &lt;!here)"));
  one.text = std::string(100'000, 'x');
  EXPECT_LT(slack_body(one, "").size(), 31'000U);
}

TEST(Bodies, PagerDutyEvents) {
  auto one = letter("incident/7/opened");
  one.about = "incident/7";
  one.severity = Severity::critical;
  one.event = Event::trigger;
  auto body = parse_json(pagerduty_body(one, "R0UT1NG")).take();
  EXPECT_EQ(body["routing_key"].string(), "R0UT1NG");
  EXPECT_EQ(body["event_action"].string(), "trigger");
  EXPECT_EQ(body["dedup_key"].string(), "incident/7");
  EXPECT_EQ(body["payload"]["severity"].string(), "critical");
  EXPECT_EQ(body["payload"]["source"].string(), "shop");
  EXPECT_FALSE(body["payload"]["summary"].string().empty());
  // The answer and the end are of the incident that the first event opened.
  one.key = "incident/7/acknowledged-1";
  one.event = Event::acknowledge;
  body = parse_json(pagerduty_body(one, "R")).take();
  EXPECT_EQ(body["event_action"].string(), "acknowledge");
  EXPECT_EQ(body["dedup_key"].string(), "incident/7");
  one.key = "incident/7/closed";
  one.event = Event::resolve;
  body = parse_json(pagerduty_body(one, "R")).take();
  EXPECT_EQ(body["event_action"].string(), "resolve");
  EXPECT_EQ(body["dedup_key"].string(), "incident/7");
  EXPECT_TRUE(body["payload"].is_null());
  one.about = std::string(300, 'x');
  EXPECT_EQ(parse_json(pagerduty_body(one, "R")).take()["dedup_key"].string().size(), 64U);
}

struct Hooked {
  explicit Hooked(std::function<std::string(const std::string&)> answer)
      : server(std::move(answer)), references(real.world, environment(), "/") {}
  std::map<std::string, std::string> environment() const {
    return {{"HOOK", server.url("/services/T0K3N/SECRET?k=v4lue")},
            {"ROUTING", "R0UT1NG-K3Y"},
            {"SIGN", "s1gning-key"},
            {"DEAD", "http://127.0.0.1:1/services/T0K3N"},
            {"WRONG", "not-an-address-but-secret"}};
  }
  Sent send(const std::string& channel, const Letter& what = letter("k")) {
    auto plan = plan_of(cat("channels: {c: {", channel, "}}\npeople: {ada: {via: c}}\n"));
    auto routes = routes_of(plan, plan.people.at(0));
    return send_letter(real.world, references, routes.at(0), what, {});
  }
  RealWorld real;
  TestServer server;
  References references;
};

constexpr const char* fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(Channels, SlackOverTheWire) {
  std::string seen;
  Hooked hooked([&](const std::string& request) {
    seen = request;
    return fine;
  });
  auto sent = hooked.send("slack: env:HOOK");
  EXPECT_EQ(word(sent.how), "delivered") << sent.text;
  EXPECT_TRUE(seen.starts_with("POST /services/T0K3N/SECRET?k=v4lue HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("*shop: recovery started*"), std::string::npos);
  EXPECT_GT(sent.took, Micros(0));
}

// Somebody else's program, which knows no more than docs/messages.md and the key.
std::string verdict_of_a_receiver(Hooked& hooked, const std::string& request) {
  static constexpr const char* receiver = R"(
import hashlib, hmac, sys
head, body = sys.stdin.buffer.read().split(b"\r\n\r\n", 1)
fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
parts = dict(part.split(b"=", 1) for part in fields[b"Lifeboat-Signature"].split(b","))
right = hmac.new(b"s1gning-key", parts[b"t"] + b"." + body, hashlib.sha256).hexdigest()
print("right" if hmac.compare_digest(right, parts[b"v1"].decode()) else "wrong")
)";
  Command command;
  command.argv = {"python3", "-c", receiver};
  command.input = request;
  command.environment = {{"PATH", "/usr/bin:/bin"}};
  auto done = hooked.real.world.processes.run(command, Seconds(60), {});
  EXPECT_TRUE(done.ok() && done->ok()) << (done.ok() ? done->errors : done.error().text());
  return done.ok() ? std::string(trim(done->output)) : std::string();
}

TEST(Channels, WebhooksAreSigned) {
  std::string seen;
  Hooked hooked([&](const std::string& request) {
    seen = request;
    return "HTTP/1.1 204 No Content\r\n\r\n";
  });
  EXPECT_EQ(word(hooked.send("webhook: env:HOOK, sign: env:SIGN").how), "delivered");
  const auto body = seen.substr(seen.find("\r\n\r\n") + 4);
  const auto at = seen.find("Lifeboat-Signature: t=");
  ASSERT_NE(at, std::string::npos) << seen;
  const auto value = seen.substr(at + 20, seen.find("\r\n", at) - at - 20);
  const auto seconds = parse_int(value.substr(2, value.find(',') - 2)).take();
  const auto signed_text = cat(seconds, ".", body);
  EXPECT_EQ(value, cat("t=", seconds,
                       ",v1=", to_hex(hmac_sha256(view_of("s1gning-key"), view_of(signed_text)))));
  EXPECT_EQ(verdict_of_a_receiver(hooked, seen), "right");
  EXPECT_EQ(verdict_of_a_receiver(hooked, seen + " "), "wrong") << "a changed body";
  EXPECT_EQ(verdict_of_a_receiver(hooked, replace_all(seen, "t=1", "t=2")), "wrong")
      << "a changed time";
  auto json = parse_json(body).take();
  EXPECT_EQ(json["schema"].string(), "lifeboat.message/1");
  EXPECT_EQ(json["id"].string(), message_id(letter("k"), "ada"));
  EXPECT_EQ(json["at"].string(), "2026-01-13T02:00:00Z");
  EXPECT_NE(seen.find(cat("Idempotency-Key: ", json["id"].string())), std::string::npos);
}

TEST(Channels, PagerDutyOverTheWire) {
  std::string seen;
  Hooked hooked([&](const std::string& request) {
    seen = request;
    return "HTTP/1.1 202 Accepted\r\n\r\n{\"status\":\"success\"}";
  });
  auto channel = cat("pagerduty: env:ROUTING, at: \"", hooked.server.url("/v2/enqueue"), "\"");
  EXPECT_EQ(word(hooked.send(channel).how), "delivered");
  EXPECT_TRUE(seen.starts_with("POST /v2/enqueue HTTP/1.1\r\n"));
  EXPECT_NE(seen.find("R0UT1NG-K3Y"), std::string::npos);
}

// Whatever goes wrong, and whatever the service says: no text that is kept holds a secret.
TEST(Channels, NoSecretComesBack) {
  std::string reply;
  Hooked hooked([&](const std::string&) { return reply; });
  const auto expect_clean = [](const Sent& sent) {
    EXPECT_NE(word(sent.how), "delivered");
    EXPECT_FALSE(sent.text.empty());
    for (const char* secret : {"T0K3N", "SECRET", "v4lue", "R0UT1NG", "s1gning", "but-secret"})
      EXPECT_EQ(sent.text.find(secret), std::string::npos) << sent.text;
    EXPECT_EQ(sent.text.find('\n'), std::string::npos);
  };
  reply = "HTTP/1.1 404 Nope\r\n\r\nno hook\n/services/T0K3N/SECRET";
  expect_clean(hooked.send("slack: env:HOOK"));
  reply = cat("HTTP/1.1 500 Oops\r\n\r\n", hooked.server.url("/services/T0K3N/SECRET?k=v4lue"),
              " s1gning-key");
  expect_clean(hooked.send("webhook: env:HOOK, sign: env:SIGN"));
  reply = "HTTP/1.1 400 Bad\r\n\r\n{\"status\":\"invalid event\",\"key\":\"R0UT1NG-K3Y\"}";
  expect_clean(hooked.send(cat("pagerduty: env:ROUTING, at: \"", hooked.server.url("/"), "\"")));
  reply = cat("HTTP/1.1 200 OK\r\n\r\n", std::string(100'000, 'x'));  // larger than is read
  expect_clean(hooked.send("webhook: env:HOOK"));
  expect_clean(hooked.send("slack: env:DEAD"));
  expect_clean(hooked.send("slack: env:WRONG"));
}

TEST(Channels, TheHostMayBeSeenAndNothingElse) {
  const std::string address =
      "https://user:passw@hooks.example.com/services/T00000/B0000/xyzxyz?k=vvvvv#frag9";
  EXPECT_EQ(
      without_secrets("POST https://hooks.example.com/services/T00000/B0000/xyzxyz: no", {address}),
      "POST https://hooks.example.com…: no");
  EXPECT_EQ(without_secrets("token xyzxyz of T00000 with vvvvv, frag9 by user:passw", {address}),
            "token … of … with …, … by …");
  EXPECT_EQ(without_secrets("http://127.0.0.1:1/ failed", {"http://127.0.0.1:1/"}),
            "http://127.0.0.1:1/ failed");
  EXPECT_EQ(without_secrets("a\nb " + std::string(500, 'x'), {}).size(), 303U);
}

TEST(Channels, WhatCannotBeTriedSaysWhy) {
  Hooked hooked([](const std::string&) { return "silence"; });
  auto unset = hooked.send("slack: env:UNSET");
  EXPECT_EQ(word(unset.how), "refused");
  EXPECT_EQ(unset.text,
            "plan.yaml:5:23: env:UNSET: the environment variable is not set (export UNSET=… and "
            "run again)");
  EXPECT_EQ(hooked.send("slack: env:WRONG").text,
            "what the reference gives is not an http or https address");
  EXPECT_EQ(word(hooked.send("slack: env:DEAD").how), "again");
  const auto silent = hooked.send("webhook: env:HOOK, limit: 200ms");
  EXPECT_EQ(word(silent.how), "again");
  EXPECT_LT(silent.took, Micros(Seconds(5)));
}

}  // namespace
}  // namespace lb::notify
