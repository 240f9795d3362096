#include <gtest/gtest.h>

#include "model/plan/hours_text.h"
#include "model/plan/plan_testing.h"

namespace lb::plan {
namespace {

using testing::read;
using testing::small_plan;

Plan plan_of(const std::string& more) {
  auto out = read(small_plan + more);
  EXPECT_EQ(format_mistakes(out.mistakes, false), "");
  return out.plan;
}

TEST(People, ChannelsAreReadWithTheirDefaults) {
  auto plan = plan_of(R"(channels:
  ops:  {slack: env:HOOK, room: "#ops"}
  mail: {smtp: "mail.example.com:2525", from: dr@example.com, user: env:U, password: env:P}
  hook: {webhook: env:URL, sign: env:KEY, limit: 5s}
  duty: {pagerduty: env:PD, at: "http://127.0.0.1:1/v2/enqueue"}
  page: {command: ./page.sh}
people:
  ada: {slack: "@ada", email: ada@example.com, via: [duty, mail], deputy: bob}
  bob: {email: bob@example.com, slack: "#ops"}
)");
  ASSERT_EQ(plan.channels.size(), 5U);
  const auto* mail = plan.channel("mail");
  ASSERT_NE(mail, nullptr);
  EXPECT_EQ(mail->kind, ChannelKind::smtp);
  EXPECT_EQ(mail->address.value, "mail.example.com:2525");
  EXPECT_EQ(mail->tls, "starttls");
  EXPECT_EQ(mail->limit, channel_limit_default);
  EXPECT_EQ(mail->user.text(), "env:U");
  EXPECT_EQ(plan.channel("hook")->limit, Micros(Seconds(5)));
  EXPECT_EQ(plan.channel("hook")->sign.text(), "env:KEY");
  EXPECT_EQ(plan.channel("duty")->at, "http://127.0.0.1:1/v2/enqueue");
  EXPECT_EQ(plan.channel("page")->command, "./page.sh");
  EXPECT_EQ(plan.channel("ops")->room, "#ops");
  EXPECT_EQ(plan.channel("other"), nullptr);
  EXPECT_EQ(plan.person("ada")->via, (std::vector<std::string>{"duty", "mail"}));
  EXPECT_EQ(plan.person("bob")->addresses, (std::vector<std::string>{"email", "slack"}));
}

// What `lifeboat person key` prints goes into the plan as it is; beside it secrets are still seen.
TEST(People, APublicKeyIsNoSecret) {
  const std::string key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
  EXPECT_EQ(plan_of("people: {ada: {key: " + key + "}}\n").person("ada")->key, key);
  EXPECT_FALSE(read(small_plan + "people: {ada: {pagerduty: " + key + "}}\n").mistakes.empty());
}

TEST(People, EscalationIsReadWithItsDefaults) {
  auto plan = plan_of(R"(people: {a: {slack: "@a"}, b: {slack: "@b"}}
escalation:
  P0: {within: 15m, to: [a, b], then: [{within: 5m, to: a}, {within: 10m, to: all}], repeat: 0}
  P2: {within: 24h, to: b, from: next-business-day}
  P3: {within: 24h, to: b, from: business-hours, then: {within: 2h, to: a}}
)");
  ASSERT_EQ(plan.escalation.size(), 3U);
  ASSERT_EQ(plan.escalation[2].then.size(), 1U) << "one alone needs no list";
  EXPECT_EQ(plan.escalation[2].then[0].to, std::vector<std::string>{"a"});
  EXPECT_EQ(plan.escalation[0].from, EscalationLevel::From::now);
  ASSERT_EQ(plan.escalation[0].then.size(), 2U);
  EXPECT_EQ(plan.escalation[0].then[1].to, (std::vector<std::string>{"all"}));
  EXPECT_EQ(plan.escalation[0].repeat, 0U);
  EXPECT_EQ(plan.escalation[1].repeat, 2U);
  EXPECT_EQ(plan.escalation[1].from, EscalationLevel::From::next_business_day);
  EXPECT_EQ(plan.escalation[2].from, EscalationLevel::From::business_hours);
}

TEST(People, AlertsAreEventsAndBounds) {
  auto plan = plan_of(R"(people: {a: {slack: "@a"}, b: {slack: "@b"}}
alerts:
  critical: {on: [backup failed, {disk: 80%}, notification undelivered], send: [a, b]}
  warning:  {on: [drill overdue, {lag: 5m}, {slow_queries: 5}], send: all}
  info:     {on: [everything], send: a}
  heartbeat: env:HEARTBEAT
)");
  ASSERT_EQ(plan.alerts.size(), 3U);
  ASSERT_EQ(plan.alerts[0].bounds.size(), 1U);
  EXPECT_EQ(plan.alerts[0].bounds[0].what, "disk");
  EXPECT_DOUBLE_EQ(plan.alerts[0].bounds[0].bound, 0.8);
  EXPECT_EQ(plan.alerts[0].bounds[0].text, "80%");
  ASSERT_EQ(plan.alerts[1].bounds.size(), 2U);
  EXPECT_DOUBLE_EQ(plan.alerts[1].bounds[0].bound, 300) << "in seconds";
  EXPECT_TRUE(plan.alerts[1].names("drill overdue"));
  EXPECT_FALSE(plan.alerts[1].names("backup failed"));
  EXPECT_TRUE(plan.alerts[2].names("backup failed"));
  EXPECT_EQ(plan.heartbeat.text(), "env:HEARTBEAT");
  EXPECT_TRUE(plan.not_acted_on.empty()) << "all of them are measured";
  EXPECT_EQ(plan.alerts[0].level, "critical");
  EXPECT_EQ(plan.alerts[0].on,
            (std::vector<std::string>{"backup failed", "notification undelivered"}));
  EXPECT_EQ(plan.alerts[0].to, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(plan.alerts[1].to, (std::vector<std::string>{"all"}));
}

TEST(People, HoursAreReadWithTheirDefaults) {
  auto without = plan_of("");
  EXPECT_EQ(without.hours.days, (std::vector<std::string>{"mon", "tue", "wed", "thu", "fri"}));
  EXPECT_EQ(without.hours.from, Micros(std::chrono::hours(9)));
  EXPECT_EQ(without.hours.zone, "UTC");
  auto with = plan_of(
      "hours: {days: [sat-mon, mon], from: 08:30, to: 24:00, zone: Europe/Berlin, "
      "except: 2026-12-25}\n");
  EXPECT_EQ(with.hours.days, (std::vector<std::string>{"sat", "sun", "mon"}));
  EXPECT_EQ(with.hours.from, Micros(std::chrono::minutes(510)));
  EXPECT_EQ(with.hours.to, Micros(std::chrono::hours(24)));
  EXPECT_EQ(with.hours.zone, "Europe/Berlin");
  EXPECT_EQ(with.hours.except, (std::vector<std::string>{"2026-12-25"}));
}

TEST(People, SmallTextsOfHours) {
  for (const char* text : {"9:00", "09:60", "24:01", "25:00", "+9:00", "09:0x", "", "09-00"})
    EXPECT_FALSE(parse_time_of_day(text).ok()) << text;
  for (const char* text : {"2026-13-01", "2026-2-1", "26-12-25", "2026/12/25", "+026-12-25"})
    EXPECT_FALSE(parse_date(text).ok()) << text;
  for (const char* text : {"", "mon-", "-fri", "mon-fri-sat", "monday"})
    EXPECT_FALSE(parse_days(text).ok()) << text;
  for (const char* text : {"", "/etc", "a//b", "Europe Berlin", "a\nb"})
    EXPECT_FALSE(check_zone_name(text).ok()) << text;
  EXPECT_TRUE(check_zone_name("America/Argentina/Buenos_Aires").ok());
  EXPECT_TRUE(check_zone_name("Etc/GMT+5").ok());
}

}  // namespace
}  // namespace lb::plan
