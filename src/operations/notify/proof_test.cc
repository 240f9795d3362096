#include "operations/notify/proof.h"

#include "operations/notify/notify_testing.h"

namespace lb::notify {
namespace {

const std::string plan_text = R"(channels:
  ops:  {slack: env:OPS}
  mail: {smtp: mail.example.com, from: dr@example.com}
  page: {command: "cat > /dev/null"}
people:
  customers: {email: customers@example.com}
  ada:  {email: ada@example.com, slack: "@ada"}
  bob:  {phone: "+1"}
  team: {members: [ada, bob]}
)";

std::string routes(const Result<std::vector<ProofRoute>>& found) {
  if (!found.ok()) return cat(found.error().text(), " (", found.error().hint(), ")");
  std::string out;
  for (const auto& one : *found)
    out += cat(out.empty() ? "" : " ", one.route.channel.name, ">", one.route.person,
               one.problem.empty() ? "" : "!");
  return out;
}

TEST(Proof, ChannelsAreTriedOnThoseWhoAreToldInNeed) {
  auto plan = plan_of(plan_text + "alerts: {critical: {on: [backup failed], send: team}}\n");
  EXPECT_EQ(routes(routes_to_prove(plan, {})), "ops>ada mail>ada page> ->bob!");
  auto all = plan_of(plan_text + "alerts: {critical: {on: [backup failed], send: all}}\n");
  EXPECT_EQ(routes(routes_to_prove(all, {})), "ops> mail>! page>");  // no customer
  auto levels = plan_of(plan_text + "escalation: {P0: {within: 5m, to: ada}}\n");
  EXPECT_EQ(routes(routes_to_prove(levels, {"mail"})), "mail>ada");
  // Whoever is told last must be reachable too.
  auto then =
      plan_of(plan_text + "escalation: {P0: {within: 5m, to: ada, then: {within: 5m, to: bob}}}\n");
  EXPECT_EQ(routes(routes_to_prove(then, {})), "ops>ada mail>ada page> ->bob!");
}

TEST(Proof, PeopleAreTriedByAllThatReachesThem) {
  auto plan = plan_of(plan_text);
  EXPECT_EQ(routes(routes_to_prove(plan, {"customers", "team", "page"})),
            "mail>customers mail>ada ops>ada ->bob! page>");
  EXPECT_EQ(routes(routes_to_prove(plan, {"adda"})),
            "there is no channel and no person 'adda' in the plan (did you mean 'ada'?)");
  EXPECT_NE(routes(routes_to_prove(plan_of(""), {})).find("has no channels:"), std::string::npos);
}

TEST(Proof, TellsWhatCameOfEach) {
  RealWorld real;
  auto plan = plan_of(plan_text);
  References references(real.world, {{"PATH", "/usr/bin:/bin"}}, "/");
  auto proofs = prove(real.world, references, plan,
                      routes_to_prove(plan, {"page", "bob", "ops"}).take(), "ada@host", {})
                    .take();
  ASSERT_EQ(proofs.size(), 3U);
  EXPECT_TRUE(proofs[0].ok());
  EXPECT_FALSE(proofs[1].ok());
  EXPECT_FALSE(proofs[2].ok());
  EXPECT_NE(proofs[2].sent.text.find("env:OPS: the environment variable is not set"),
            std::string::npos);
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(prove(real.world, references, plan, routes_to_prove(plan, {"page"}).take(), "x",
                  stopped.get_token())
                .error()
                .kind(),
            ErrorKind::cancelled);
}

}  // namespace
}  // namespace lb::notify
