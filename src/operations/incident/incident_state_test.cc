#include "operations/incident/incident_state.h"

#include <algorithm>

#include "operations/incident/incident_testing.h"

namespace lb::incident {
namespace {

using record::Fact;
using std::chrono::minutes;
using testing::change;
using testing::fact;
using testing::opening;
using testing::start;
using Kind = notify::IncidentEvent::Kind;

IncidentState folded(std::vector<Fact> facts) {
  record::sort_facts(facts);
  auto out = fold("i1", facts);
  EXPECT_TRUE(out.ok()) << out.error().text();
  return out.ok() ? std::move(out).take() : IncidentState{};
}

std::string kinds(const IncidentState& state) {
  std::string out;
  for (const auto& event : state.escalation) {
    out += event.kind == Kind::opened         ? "o"
           : event.kind == Kind::told         ? "t"
           : event.kind == Kind::acknowledged ? "a"
                                              : "c";
  }
  return out;
}

TEST(IncidentState, KnowsWhatWasSaidOfIt) {
  Json people = Json::array();
  people.push("lead");
  auto told = Json::object().set("step", "P1.1.1").set("people", people);
  auto state = folded(
      {fact(1, kind::opened, minutes(0), opening("P1")), fact(2, kind::told, minutes(0), told),
       fact(3, kind::told, minutes(1), told), fact(4, kind::acknowledged, minutes(2)),
       fact(5, kind::acknowledged, minutes(3)),
       fact(6, kind::assigned, minutes(4), Json::object().set("to", "dba")),
       fact(7, kind::linked, minutes(5), Json::object().set("run", "r1").set("runbook", "loss")),
       fact(8, "of a newer program", minutes(6)), fact(9, kind::closed, minutes(9))});
  EXPECT_EQ(state.title, "no orders");
  EXPECT_EQ(state.affected, "all customers");
  EXPECT_EQ(state.opened, start);
  EXPECT_EQ(state.since(), start - minutes(10));
  EXPECT_EQ(state.acknowledged->at, start + minutes(2)) << "the first answer counts";
  EXPECT_EQ(state.assigned_to, "dba");
  ASSERT_EQ(state.runs.size(), 1U);
  EXPECT_EQ(state.runs[0].runbook, "loss");
  EXPECT_EQ(state.told, std::vector<std::string>{"lead"});
  EXPECT_EQ(state.closed->at, start + minutes(9));
  EXPECT_EQ(kinds(state), "ottac");
}

TEST(IncidentState, EscalationBeginsAnewWhenOthersAnswerForIt) {
  struct Case {
    const char* name;
    std::vector<Fact> facts;
    std::string events, severity;
    unsigned round;
  };
  const auto first = fact(1, kind::opened, minutes(0), opening("P2"));
  const auto ack = fact(2, kind::acknowledged, minutes(1));
  const std::vector<Case> cases = {
      {"raised",
       {first, fact(3, kind::severity_changed, minutes(2), change("P2", "P0"))},
       "oo",
       "P0",
       2},
      {"raised after an answer",
       {first, ack, fact(3, kind::severity_changed, minutes(2), change("P2", "P0"))},
       "oao",
       "P0",
       2},
      {"lowered, nobody had answered",
       {first, fact(3, kind::severity_changed, minutes(2), change("P2", "P3"))},
       "oo",
       "P3",
       2},
      {"lowered after an answer",
       {first, ack, fact(3, kind::severity_changed, minutes(2), change("P2", "P3"))},
       "oa",
       "P3",
       1},
      {"the same",
       {first, fact(3, kind::severity_changed, minutes(2), change("P2", "P2"))},
       "o",
       "P2",
       1},
      {"nonsense",
       {first, fact(3, kind::severity_changed, minutes(2), change("P2", "worst"))},
       "o",
       "P2",
       1},
      {"raised after the end",
       {first, fact(2, kind::closed, minutes(1)),
        fact(3, kind::severity_changed, minutes(2), change("P2", "P0"))},
       "oc",
       "P0",
       1},
      {"answered after the end",
       {first, fact(2, kind::closed, minutes(1)), fact(3, kind::acknowledged, minutes(2))},
       "oc",
       "P2",
       1},
      {"opened twice", {first, fact(2, kind::opened, minutes(1), opening("P0"))}, "o", "P2", 1},
  };
  for (const auto& one : cases) {
    auto state = folded(one.facts);
    EXPECT_EQ(kinds(state), one.events) << one.name;
    EXPECT_EQ(state.severity, one.severity) << one.name;
    EXPECT_EQ(state.round, one.round) << one.name;
  }
}

TEST(IncidentState, IsTheSameInWhateverOrderFactsArrive) {
  std::vector<Fact> facts = {fact(1, kind::opened, minutes(5), opening("P1")),
                             fact(2, kind::acknowledged, minutes(1)),
                             fact(3, kind::severity_changed, minutes(0), change("P1", "P0")),
                             fact(4, kind::closed, minutes(9))};
  std::vector<std::size_t> at = {0, 1, 2, 3};
  do {
    auto state = folded({facts[at[0]], facts[at[1]], facts[at[2]], facts[at[3]]});
    EXPECT_EQ(kinds(state), "oaoc");
    EXPECT_EQ(state.severity, "P0");
  } while (std::next_permutation(at.begin(), at.end()));
}

TEST(IncidentState, WithoutABeginningItIsDamaged) {
  EXPECT_EQ(fold("i1", {}).error().kind(), ErrorKind::corrupt);
  EXPECT_FALSE(fold("i1", {fact(1, kind::closed, minutes(0))}).ok());
  EXPECT_FALSE(fold("i1", {fact(1, kind::opened, minutes(0), opening("P9"))}).ok());
}

TEST(IncidentState, LinesSayWhatHappened) {
  EXPECT_EQ(line_of(fact(1, kind::opened, minutes(0), opening("P0"))), "P0 opened: no orders");
  auto changed = fact(2, kind::severity_changed, minutes(0), change("P1", "P0"));
  changed.text = "payments too\x1b";
  EXPECT_EQ(line_of(changed), "severity P1 became P0: payments too\\x1b");
  EXPECT_EQ(line_of(fact(3, kind::acknowledged, minutes(0))), "acknowledged");
}

}  // namespace
}  // namespace lb::incident
