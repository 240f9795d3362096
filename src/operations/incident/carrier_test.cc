#include "operations/incident/carrier.h"

#include "operations/incident/incident_testing.h"
#include "operations/notify/test_machine.h"
#include "storage/state/record_shelf.h"

namespace lb::incident {
namespace {

using record::Fact;
using std::chrono::minutes;
using testing::start;

const plan::Plan& the_plan() {
  static const plan::Plan plan = testing::plan_of(R"(channels: {out: {command: "cat > /dev/null"}}
people:
  ada: {via: out, deputy: bob}
  bob: {via: out, escalate: max}
  max: {via: out}
escalation:
  P0: {within: 15m, to: ada, repeat: 0, means: everything is down}
  P2: {within: 1h, to: bob, from: business-hours}
hours: {days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00"}
runbooks: {loss: {symptoms: [queries return errors], steps: [{manual: x}]}}
)");
  return plan;
}

struct Machine : notify::TestMachine {
  Machine(repo::Repository* shared, const std::string& its_name, Timestamp now = start,
          const plan::Plan& its_plan = the_plan())
      : TestMachine(its_plan, its_name, now), plan(its_plan), repository(shared) {
    log = std::make_unique<state::FactLog>(*journal, repository, "incident");
    restart();
  }
  // The program was killed and another one goes on.
  void restart() {
    carrier = std::make_unique<Carrier>(CarrierTools{world, plan, postman, *log, name, name});
  }
  void say(const char* kind, Json data = {}) {
    auto known = log->facts("i1", true);
    ASSERT_TRUE(known.ok()) << known.error().text();
    Fact fact = testing::fact(record::next_order(*known), kind, Micros(0), std::move(data));
    fact.id = log->fresh_id();
    fact.at = clock.now();
    auto put = log->put("i1", fact);
    ASSERT_TRUE(put.ok()) << put.error().text();
  }
  Turn turn(bool far = true) {
    auto out = carrier->turn("i1", far);
    EXPECT_TRUE(out.ok()) << out.error().text();
    return out.ok() ? std::move(out).take() : Turn{};
  }
  std::string told() {
    std::string out;
    for (const auto& item : outbox->items(50).take())
      out += cat(out.empty() ? "" : " ", item.to, ":", item.key.substr(item.key.rfind('/') + 1));
    return out;
  }

  const plan::Plan& plan;
  repo::Repository* repository;
  std::unique_ptr<state::FactLog> log;
  std::unique_ptr<Carrier> carrier;
};

TEST(Carrier, TellsOneAfterTheOtherUntilSomebodyAnswers) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one");
  one.say(kind::opened, testing::opening("P0"));
  EXPECT_EQ(one.turn().told, std::vector<std::string>{"ada"});
  auto turn = one.turn(false);
  EXPECT_TRUE(turn.told.empty());
  EXPECT_EQ(turn.next.plan.to, std::vector<std::string>{"bob"});
  EXPECT_EQ(turn.next.plan.due, start + minutes(15));
  one.clock.advance(minutes(15));
  one.restart();
  EXPECT_EQ(one.turn(false).told, std::vector<std::string>{"bob"});
  one.say(kind::acknowledged);
  one.clock.advance(minutes(60));
  EXPECT_TRUE(one.turn().told.empty());
  EXPECT_EQ(one.turn().next.plan.act, notify::EscalationPlan::Act::over);
  EXPECT_EQ(one.told(), "ada:P0.1.1 bob:P0.1.2");
}

TEST(Carrier, NobodyAnsweredIsSaid) {
  Machine one(nullptr, "one");
  one.say(kind::opened, testing::opening("P0"));
  for (int i = 0; i < 6; ++i) {
    one.turn();
    one.clock.advance(minutes(15));
  }
  EXPECT_EQ(one.told(), "ada:P0.1.1 bob:P0.1.2 max:P0.1.3");
  EXPECT_EQ(one.turn().next.plan.act, notify::EscalationPlan::Act::silent);
}

TEST(Carrier, TwoMachinesTellEachStepOnce) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one"), two(&shelf, "two");
  one.say(kind::opened, testing::opening("P0"));
  EXPECT_EQ(one.turn().told.size(), 1U);
  EXPECT_TRUE(two.turn().told.empty());
  one.clock.advance(minutes(15));
  two.clock.advance(minutes(15));
  EXPECT_EQ(two.turn(false).told, std::vector<std::string>{"bob"});
  EXPECT_TRUE(one.turn(false).told.empty()) << "it has not looked there since, but claims";
  one.say(kind::acknowledged);
  two.clock.advance(minutes(15));
  EXPECT_TRUE(two.turn(false).told.empty()) << "looked at once more before anybody is woken";
  EXPECT_EQ(one.told(), "ada:P0.1.1");
  EXPECT_EQ(two.told(), "bob:P0.1.2");
}

TEST(Carrier, AMachineThatClaimedAndDiedIsReplaced) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one"), two(&shelf, "two");
  one.say(kind::opened, testing::opening("P0"));
  ASSERT_TRUE(one.log->claim("i1", "P0.1.1.1", "one").ok());  // and no more of it
  EXPECT_TRUE(two.turn().elsewhere);
  two.clock.advance(claim_time - Seconds(1));
  two.clock.set_wall(start - minutes(500));  // only steady time counts here
  EXPECT_TRUE(two.turn().elsewhere);
  two.clock.advance(Seconds(1));
  two.clock.set_wall(start + minutes(3));
  EXPECT_EQ(two.turn().told, std::vector<std::string>{"ada"});
  one.clock.advance(minutes(4));
  EXPECT_TRUE(one.turn().told.empty()) << "it comes back and sees that it was told";
  EXPECT_EQ(one.told(), "");
}

TEST(Carrier, KilledBetweenMessageAndNoteItTellsNobodyTwice) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one");
  one.say(kind::opened, testing::opening("P0"));
  auto state = fold("i1", one.log->facts("i1", true).value()).take();
  auto letter = letter_of(the_plan(), state, start);
  letter.key = "incident/i1/P0.1.1";
  letter.event = notify::Event::trigger;
  ASSERT_TRUE(one.postman.post(letter, {"ada"}).ok());
  one.restart();
  EXPECT_EQ(one.turn().told.size(), 1U);
  EXPECT_EQ(one.told(), "ada:P0.1.1");
}

TEST(Carrier, WithoutTheRepositoryEachMachineTells) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one"), two(&shelf, "two");
  one.say(kind::opened, testing::opening("P0"));
  ASSERT_EQ(two.log->facts("i1", true).value().size(), 1U);
  shelf.put_fails = ErrorKind::unavailable;
  EXPECT_EQ(one.turn().told.size(), 1U);
  EXPECT_EQ(two.turn().told.size(), 1U);
}

TEST(Carrier, ARaisedSeverityTellsAnew) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one");
  one.say(kind::opened, testing::opening("P0"));
  one.turn();
  one.say(kind::acknowledged);
  one.say(kind::severity_changed, testing::change("P0", "P2"));
  one.say(kind::severity_changed, testing::change("P2", "P0"));
  one.turn();
  EXPECT_EQ(one.told(), "ada:P0.1.1 ada:P0.1.1-2");
}

TEST(Carrier, ClocksThatJumpPassNobodyOver) {
  state::RecordShelf shelf;
  Machine one(&shelf, "one");
  one.say(kind::opened, testing::opening("P0"));
  one.turn();
  one.clock.set_wall(start + minutes(60 * 24));
  EXPECT_EQ(one.turn().told, std::vector<std::string>{"bob"});
  EXPECT_TRUE(one.turn().told.empty()) << "one step, not all that is late";
  one.clock.set_wall(start - minutes(60 * 24));
  EXPECT_EQ(one.turn().told, std::vector<std::string>{"max"});
}

// 2026-01-13 is a Tuesday; the opening is at 02:00 UTC.
TEST(Carrier, BusinessHoursAreWaitedFor) {
  Machine one(nullptr, "one");
  one.say(kind::opened, testing::opening("P2"));
  auto turn = one.turn();
  EXPECT_TRUE(turn.told.empty());
  EXPECT_EQ(format_time(turn.next.plan.due), "2026-01-13T09:00:00Z");
  one.clock.set_wall(turn.next.plan.due);
  EXPECT_EQ(one.turn().told, std::vector<std::string>{"bob"});
}

// A machine without tzdata, or a zone that was renamed.
TEST(Carrier, AZoneThatIsUnknownHereKeepsNobodyFromBeingTold) {
  auto plan = the_plan();
  plan.hours.zone = "Nowhere/Town";
  Machine one(nullptr, "one", start, plan);
  EXPECT_NE(one.carrier->zone_trouble().find("time zone Nowhere/Town"), std::string::npos)
      << one.carrier->zone_trouble();
  one.say(kind::opened, testing::opening("P0"));
  EXPECT_EQ(one.turn().told, std::vector<std::string>{"ada"});
  EXPECT_TRUE(Machine(nullptr, "two").carrier->zone_trouble().empty());
}

TEST(Carrier, ASeverityThePlanDoesNotKnowTellsNobody) {
  Machine one(nullptr, "one");
  one.say(kind::opened, testing::opening("P3"));
  EXPECT_EQ(one.turn().next.level, nullptr);
  EXPECT_EQ(one.told(), "");
}

TEST(Carrier, LettersSayWhatToDo) {
  auto state = fold("i1", {testing::fact(1, kind::opened, Micros(0), testing::opening("P0"))});
  auto letter = letter_of(the_plan(), *state, start);
  EXPECT_EQ(letter.subject, "shop: P0 no orders");
  for (const char* part :
       {"Means: everything is down", "Failed at: 2026-01-13T01:50:00Z", "lifeboat incident ack i1",
        "lifeboat run loss --incident i1", "Affected: all customers"})
    EXPECT_NE(letter.text.find(part), std::string::npos) << part << "\n" << letter.text;
  EXPECT_EQ(letter.severity, notify::Severity::critical);
}

}  // namespace
}  // namespace lb::incident
