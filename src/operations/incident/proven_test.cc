#include "operations/incident/proven.h"

#include "foundation/base/bytes.h"
#include "foundation/crypto/signature.h"
#include "operations/incident/incident_testing.h"
#include "operations/incident/task_state.h"

namespace lb::incident {
namespace {

using record::Fact;

struct Key {
  explicit Key(char letter) : seed(view_of(std::string(32, letter))) {}
  std::string text() const { return to_hex(signing_public_key_of(seed)); }
  Fact signs(Fact fact, const char* family = "incident", const char* member = "i1") const {
    name_signer(fact, "ada", text());
    add_signature(fact, to_hex(sign(seed, view_of(signed_text(family, member, fact)))));
    return fact;
  }
  Secret seed;
};

plan::Plan plan_with(const Key& key) {
  return testing::plan_of(cat("people: {ada: {key: ", key.text(), "}}\n"));
}

std::vector<Fact> closed_by(const Key& key) {
  auto end = testing::fact(2, kind::closed, Seconds(5));
  end.text = "restored";
  return {testing::fact(1, kind::opened, Micros(0), testing::opening("P0")), key.signs(end)};
}

TEST(Proven, WhatIsSignedCountsAlsoAfterItWasWrittenDown) {
  const Key key('a');
  auto facts = closed_by(key);
  for (auto& fact : facts)
    fact = record::decode_fact(parse_json(encode(fact).dump()).take()).take();
  auto state = fold(plan_with(key), "i1", facts).take();
  ASSERT_TRUE(state.closed);
  EXPECT_EQ(state.closed->by, "ada (lead)");
  EXPECT_TRUE(state.unproven.empty());
}

// Each part of what was said, and what it was said about.
TEST(Proven, WhatWasChangedSinceDoesNotCount) {
  const Key key('a');
  const auto plan = plan_with(key);
  const std::vector<void (*)(Fact&)> changes = {
      [](Fact& fact) { fact.text = "false alarm"; },
      [](Fact& fact) { fact.by = "boss (boss)"; },
      [](Fact& fact) { fact.host = "elsewhere"; },
      [](Fact& fact) { fact.at += Seconds(1); },
      [](Fact& fact) { fact.order = 3; },
      [](Fact& fact) { fact.id = "another"; },
      [](Fact& fact) { fact.data.set("signed_by", "boss"); },
      [](Fact& fact) { fact.data.set("key", Key('b').text()); },
      [](Fact& fact) { fact.data.set("more", true); },
      [](Fact& fact) { fact.data.set("signature", ""); },
      [](Fact& fact) { fact.data.set("signature", Json()); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto facts = closed_by(key);
    changes[i](facts[1]);
    auto state = fold(plan, "i1", facts).take();
    EXPECT_FALSE(state.closed) << i;
    ASSERT_EQ(state.unproven.size(), 1U) << i;
    EXPECT_NE(state.unproven[0].find("does not count: the signature"), std::string::npos)
        << state.unproven[0];
  }
  auto facts = closed_by(key);
  EXPECT_FALSE(fold(plan, "i2", {facts[0], facts[1]}).take().closed) << "of another incident";
}

TEST(Proven, AnOpeningCountsAllTheSame) {
  const Key key('a');
  auto opened = key.signs(testing::fact(1, kind::opened, Micros(0), testing::opening("P0")));
  opened.text = "changed";
  auto state = fold(plan_with(key), "i1", {opened}).take();
  EXPECT_EQ(state.severity, "P0");
  EXPECT_EQ(state.unproven.size(), 1U);
}

// Somebody who was given another key since has closed what they closed.
TEST(Proven, AKeyThatThePlanNoLongerHasIsNamed) {
  const auto facts = closed_by(Key('a'));
  for (const auto& plan : {plan_with(Key('b')), testing::plan_of("")}) {
    auto state = fold(plan, "i1", facts).take();
    ASSERT_TRUE(state.closed);
    EXPECT_EQ(state.closed->by, "ada (lead), by a key of ada that the plan does not have");
  }
}

TEST(Proven, TasksToo) {
  const Key key('a');
  auto added = testing::fact(1, kind::added, Micros(0), Json::object().set("text", "order"));
  auto done = key.signs(testing::fact(2, kind::done, Seconds(5)), "task", "t1");
  EXPECT_TRUE(fold_task(plan_with(key), "t1", {added, done}).take().done);
  done.by = "boss (boss)";
  auto state = fold_task(plan_with(key), "t1", {added, done}).take();
  EXPECT_FALSE(state.done);
  EXPECT_EQ(state.unproven.size(), 1U);
}

}  // namespace
}  // namespace lb::incident
