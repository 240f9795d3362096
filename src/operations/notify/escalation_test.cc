#include "operations/notify/escalation.h"

#include "operations/notify/notify_testing.h"

namespace lb::notify {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Act = EscalationPlan::Act;
using Kind = IncidentEvent::Kind;

Timestamp time(const std::string& text) { return parse_time(text).take(); }
const Timestamp start = time("2026-01-13T02:14:00Z");  // a Tuesday

const std::string people = R"(people:
  ada:  {slack: "@ada", deputy: bob, escalate: lead}
  bob:  {slack: "@bob", escalate: lead}
  lead: {slack: "@lead", escalate: cto}
  cto:  {slack: "@cto"}
  team: {members: [ada, bob]}
channels: {ops: {slack: env:OPS}}
hours: {zone: Europe/Berlin, except: 2026-01-14}
escalation:
  P0: {within: 15m, to: ada, repeat: 1}
  P1: {within: 30m, to: team, then: [{within: 5m, to: lead}, {within: 10m, to: all}], repeat: 0}
  P2: {within: 24h, to: team, from: next-business-day, repeat: 0}
  P3: {within: 4h, to: lead, from: business-hours, repeat: 0}
)";

struct Bench {
  plan::Plan plan = plan_of(people);
  RealWorld real;
  TimeZone zone = load();
  WorkTimes work{plan.hours, zone};
  std::vector<IncidentEvent> events;

  TimeZone load() {
    auto read = load_zone(*real.files, "Europe/Berlin");
    EXPECT_TRUE(read.ok()) << "the package tzdata is needed";
    return read.ok() ? *read : TimeZone();
  }
  const plan::EscalationLevel& level(int number) {
    return plan.escalation.at(static_cast<std::size_t>(number));
  }
  EscalationPlan at(int number, Timestamp now) {
    return plan_escalation(level(number), steps_of(plan, level(number)), events, now, work);
  }
  void add(Kind kind, Timestamp when, const std::string& step = {}) {
    events.push_back({kind, when, step});
  }
};

std::string names(const std::vector<EscalationStep>& steps) {
  std::string out;
  for (const auto& step : steps)
    out += cat(out.empty() ? "" : " > ", join(step.to, "+"), " ", format_duration(step.within));
  return out;
}

TEST(Escalation, StepsComeFromThePlanOrFromThePeople) {
  Bench bench;
  EXPECT_EQ(names(steps_of(bench.plan, bench.level(0))), "ada 15m > bob 15m > lead 15m > cto 15m");
  EXPECT_EQ(names(steps_of(bench.plan, bench.level(1))), "team 30m > lead 5m > all 10m");
  EXPECT_EQ(names(steps_of(bench.plan, bench.level(2))), "team 1d > lead 1d > cto 1d");
}

TEST(Escalation, GoesThroughEveryStepAndRound) {
  Bench bench;
  bench.add(Kind::opened, start);
  auto now = start;
  std::string story;
  for (int i = 0; i < 20; ++i) {
    auto next = bench.at(0, now);
    if (next.act != Act::tell) {
      EXPECT_EQ(next.act, Act::wait);
      EXPECT_EQ(bench.at(0, next.due).act, Act::silent);
      break;
    }
    now = next.due;
    story += cat((now - start) / minutes(1), ":", join(next.to, "+"), "(", next.step, ") ");
    bench.add(Kind::told, now, next.step);
  }
  EXPECT_EQ(story,
            "0:ada(P0.1.1) 15:bob(P0.1.2) 30:lead(P0.1.3) 45:cto(P0.1.4) "
            "60:ada(P0.2.1) 75:bob(P0.2.2) 90:lead(P0.2.3) 105:cto(P0.2.4) ");
}

TEST(Escalation, StopsWhenSomebodyAnswersAndBeginsAnewWhenOpenedAgain) {
  Bench bench;
  EXPECT_EQ(bench.at(0, start).act, Act::over);
  bench.add(Kind::opened, start);
  bench.add(Kind::told, start, "P0.1.1");
  bench.add(Kind::acknowledged, start + minutes(3));
  EXPECT_EQ(bench.at(0, start + hours(5)).act, Act::over);
  bench.add(Kind::opened, start + hours(6));
  auto next = bench.at(0, start + hours(6));
  EXPECT_EQ(next.step, "P0.1.1");
  EXPECT_EQ(next.due, start + hours(6));
  bench.add(Kind::closed, start + hours(7));
  EXPECT_EQ(bench.at(0, start + hours(8)).act, Act::over);
}

TEST(Escalation, AfterALongSilenceNobodyIsPassedOver) {
  Bench bench;
  bench.add(Kind::opened, start);
  bench.add(Kind::told, start, "P0.1.1");
  const auto late = start + hours(9);  // nothing ran
  auto next = bench.at(0, late);
  EXPECT_EQ(next.step, "P0.1.2");
  EXPECT_LE(next.due, late);
  bench.add(Kind::told, late, next.step);
  EXPECT_EQ(bench.at(0, late).due, late + minutes(15));  // one at a time
  bench.add(Kind::told, late + minutes(1), next.step);   // two processes noted the same
  EXPECT_EQ(bench.at(0, late).step, "P0.1.3");
}

TEST(Escalation, AClockThatWentBackHoldsNobodyUp) {
  Bench bench;
  bench.add(Kind::opened, start + hours(24 * 365));
  bench.add(Kind::told, start + hours(24 * 365), "P0.1.1");
  auto next = bench.at(0, start);
  EXPECT_EQ(next.step, "P0.1.2");
  EXPECT_EQ(next.due, start);
}

TEST(Escalation, WaitsForBusinessDays) {
  Bench bench;
  bench.add(Kind::opened, start);  // Tuesday 03:14 in Berlin; Wednesday is off
  auto next = bench.at(2, start);
  EXPECT_EQ(format_time(next.due), "2026-01-15T08:00:00Z");
  bench.add(Kind::told, next.due, next.step);
  EXPECT_EQ(format_time(bench.at(2, next.due).due), "2026-01-16T08:00:00Z");
  bench.events.clear();
  bench.add(Kind::opened, start);
  next = bench.at(3, start);
  EXPECT_EQ(format_time(next.due), "2026-01-13T08:00:00Z");
  bench.add(Kind::told, time("2026-01-13T14:00:00Z"), next.step);
  // 18:00 and 19:00 are after hours, Wednesday is off.
  EXPECT_EQ(format_time(bench.at(3, start + hours(20)).due), "2026-01-15T08:00:00Z");
}

TEST(WorkTimes, AcrossTheChangeOfTheClock) {
  Bench bench;
  auto hours_of_night = bench.plan.hours;
  hours_of_night.days = {"sun"};
  hours_of_night.from = Micros(minutes(150));  // 02:30, which 29 March does not have
  hours_of_night.to = Micros(hours(6));
  WorkTimes night(hours_of_night, bench.zone);
  EXPECT_EQ(format_time(night.next_open(time("2026-03-28T12:00:00Z"))), "2026-03-29T01:00:00Z");
  EXPECT_FALSE(night.open(time("2026-03-29T00:59:59Z")));
  EXPECT_TRUE(night.open(time("2026-03-29T01:00:00Z")));
  EXPECT_TRUE(night.open(time("2026-03-29T03:59:59Z")));
  EXPECT_FALSE(night.open(time("2026-03-29T04:00:00Z")));
  // A day of work is 9 to 17 on the wall, before and after.
  EXPECT_EQ(format_time(bench.work.next_open(time("2026-03-27T20:00:00Z"))),
            "2026-03-30T07:00:00Z");
  EXPECT_EQ(format_time(bench.work.next_open(time("2026-10-23T20:00:00Z"))),
            "2026-10-26T08:00:00Z");
  const auto inside = time("2026-01-13T10:00:00Z");
  EXPECT_EQ(bench.work.next_open(inside), inside);
  EXPECT_EQ(format_time(bench.work.next_business_day(inside)), "2026-01-15T08:00:00Z");
  EXPECT_EQ(format_time(bench.work.next_open(time("2026-01-13T15:59:59Z"))),
            "2026-01-13T15:59:59Z");
  EXPECT_EQ(format_time(bench.work.next_open(time("2026-01-13T16:00:00Z"))),
            "2026-01-15T08:00:00Z");
}

TEST(WorkTimes, ZonesOfThisMachine) {
  RealWorld real;
  EXPECT_TRUE(load_zone(*real.files, "UTC").ok());
  auto eastern = load_zone(*real.files, "US/Eastern");  // a link on Debian
  ASSERT_TRUE(eastern.ok()) << eastern.error().text();
  EXPECT_EQ(eastern->offset_at(start), Seconds(-5 * 3600));
  auto unknown = load_zone(*real.files, "Europe/Atlantis");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().kind(), ErrorKind::not_found);
  EXPECT_FALSE(load_zone(*real.files, "../../../etc/passwd").ok());
  EXPECT_EQ(load_zone(*real.files, "leapseconds").error().kind(), ErrorKind::corrupt);
}

}  // namespace
}  // namespace lb::notify
