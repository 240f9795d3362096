#include "operations/notify/escalator.h"

#include "operations/notify/notify_testing.h"

namespace lb::notify {
namespace {

using std::chrono::minutes;

const Timestamp start = from_micros(1'768'269'600'000'000);

struct Bench {
  RealWorld real;
  SimClock clock{start};
  World world{clock, *real.random, *real.files, *real.http, *real.processes, real.sandboxes};
  std::string path = real.folder / "state/journal.sqlite";
  std::unique_ptr<state::Journal> journal = state::Journal::open(world, path).take();
  std::unique_ptr<state::Outbox> outbox = state::Outbox::open(world, *journal, path).take();
  plan::Plan plan = plan_of(R"(channels: {out: {command: "cat > /dev/null"}}
people:
  ada: {via: out, deputy: bob}
  bob: {via: out}
escalation: {P0: {within: 15m, to: ada, repeat: 0}}
)");
  References references{world, {{"PATH", "/usr/bin:/bin"}}, "/"};
  Postman postman{world, plan, references, *journal, *outbox};
  std::vector<IncidentEvent> events = {{IncidentEvent::Kind::opened, start, {}}};

  // One turn of whoever watches incidents. `noted`: it lives long enough to note what it did.
  bool turn(bool noted = true) {
    const auto& level = plan.escalation.at(0);
    const WorkTimes work(plan.hours, TimeZone());
    auto due = plan_escalation(level, steps_of(plan, level), events, clock.now(), work);
    auto what = letter("");
    what.about = "incident/7";
    auto told = escalate(postman, due, clock.now(), what);
    EXPECT_TRUE(told.ok()) << told.error().text();
    if (!told.ok() || !*told) return false;
    if (noted) events.push_back(**told);
    return true;
  }
  std::string told() {
    std::string out;
    for (const auto& item : outbox->items(20).take())
      out += cat(out.empty() ? "" : " ", item.to, ":", item.key);
    return out;
  }
};

TEST(Escalator, TellsEachStepOnce) {
  Bench bench;
  EXPECT_TRUE(bench.turn(false));  // it died before it could note it
  EXPECT_TRUE(bench.turn());
  EXPECT_FALSE(bench.turn());
  bench.clock.advance(minutes(14));
  EXPECT_FALSE(bench.turn());
  bench.clock.advance(minutes(1));
  EXPECT_TRUE(bench.turn());
  bench.clock.advance(minutes(60));
  EXPECT_FALSE(bench.turn());
  EXPECT_EQ(bench.told(), "ada:incident/7/P0.1.1 bob:incident/7/P0.1.2");
}

TEST(Escalator, AnAnswerEndsIt) {
  Bench bench;
  EXPECT_TRUE(bench.turn());
  bench.events.push_back({IncidentEvent::Kind::acknowledged, start + minutes(1), {}});
  bench.clock.advance(minutes(60));
  EXPECT_FALSE(bench.turn());
  EXPECT_EQ(bench.told(), "ada:incident/7/P0.1.1");
}

}  // namespace
}  // namespace lb::notify
