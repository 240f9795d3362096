#include "operations/notify/routes.h"

#include "operations/notify/notify_testing.h"

namespace lb::notify {
namespace {

const std::string plan_text = R"(channels:
  ops:    {slack: env:OPS, room: "#ops"}
  any:    {slack: env:ANY}
  mail:   {smtp: mail.example.com, from: dr@example.com}
  backup: {smtp: other.example.com, from: dr@example.com}
  duty:   {pagerduty: env:PD}
  page:   {command: ./page.sh}
people:
  ada:    {slack: "@ada", email: ada@example.com, deputy: bob, escalate: cto}
  bob:    {email: bob@example.com, slack: "#ops", escalate: ada}
  cto:    {email: cto@example.com, via: [duty, page, backup]}
  ops:    {slack: "#ops", members: [ada, bob]}
  quiet:  {members: [bob, cto, quieter]}
  quieter: {members: [ada]}
  phone:  {phone: "+1 000", deputy: quiet}
  public: {webhook: env:STATUS}
  night:  {pagerduty: env:NIGHT}
  lost:   {slack: "#lost"}
)";

std::string routes(const plan::Plan& plan, const std::string& person) {
  std::string out;
  for (const auto& route : routes_of(plan, *plan.person(person)))
    out += cat(out.empty() ? "" : " ", route.channel.name, "(", route.email, route.mention, ")");
  return out;
}

TEST(Routes, FollowTheAddressesAsTheyStand) {
  auto plan = plan_of(plan_text);
  EXPECT_EQ(routes(plan, "ada"),
            "ops(@ada) any(@ada) mail(ada@example.com) backup(ada@example.com)");
  EXPECT_EQ(routes(plan, "bob"), "mail(bob@example.com) backup(bob@example.com) ops()");
  EXPECT_EQ(routes(plan, "cto"), "duty() page() backup(cto@example.com)");
  EXPECT_EQ(routes(plan, "phone"), "");
  EXPECT_EQ(routes(plan, "public"), "webhook of public()");
  EXPECT_EQ(routes(plan, "night"), "pagerduty of night()");
  EXPECT_EQ(routes(plan, "lost"), "any()");  // a hook that does not say into which room it posts
}

TEST(Routes, TeamsAndEverybody) {
  auto plan = plan_of(plan_text);
  using Names = std::vector<std::string>;
  EXPECT_EQ(people_of(plan, {"ops"}), (Names{"ops"}));  // has a room of its own
  EXPECT_EQ(people_of(plan, {"quiet", "bob"}), (Names{"bob", "cto", "ada"}));
  EXPECT_EQ(people_of(plan, {"phone", "nobody"}), (Names{"phone"}));
  EXPECT_EQ(people_of(plan, {"all"}),
            (Names{"ada", "bob", "cto", "ops", "public", "night", "lost"}));
}

TEST(Routes, WhoIsTriedNext) {
  auto plan = plan_of(plan_text);
  EXPECT_EQ(next_person(plan, "ada", {"ada"}), "bob");
  EXPECT_EQ(next_person(plan, "ada", {"bob", "ada"}), "cto");
  EXPECT_EQ(next_person(plan, "bob", {"ada", "bob"}), "");
  EXPECT_EQ(next_person(plan, "phone", {"phone", "bob"}), "cto");  // through the team
  EXPECT_EQ(next_person(plan, "nobody", {}), "");
  auto alerted =
      plan_of(plan_text + "alerts: {critical: {on: [backup failed], send: [cto, night]}}\n");
  EXPECT_EQ(next_person(alerted, "bob", {"ada", "bob"}), "cto");
  EXPECT_EQ(next_person(alerted, "nobody", {"cto"}), "night");
  EXPECT_EQ(next_person(alerted, "night", {"cto", "night"}), "");
  auto named = plan_of(plan_text +
                       "alerts: {critical: {on: [backup failed], send: cto}, warning: {on: "
                       "[notification undelivered], send: ada}}\n");
  EXPECT_EQ(next_person(named, "public", {"public"}), "ada");
  auto several = plan_of(plan_text +
                         "alerts: {info: {on: [everything], send: night}, critical: {on: "
                         "[notification undelivered], send: cto}}\n");
  EXPECT_EQ(next_person(several, "public", {"public"}), "cto") << "who is named, not the first";
  EXPECT_EQ(next_person(several, "public", {"public", "cto"}), "night") << "and then the others";
}

}  // namespace
}  // namespace lb::notify
