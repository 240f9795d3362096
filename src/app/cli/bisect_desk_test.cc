#include "app/cli/bisect_desk.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "model/plan/plan_testing.h"

namespace lb::cli {
namespace {

constexpr const char* text = R"(version: 1
system: shop
repository: {at: /backups, key: env:KEY}
stores:
  db: {postgres: env:DB, every: hourly}
  other: {postgres: env:OTHER, every: hourly}
  media: {files: /srv/media, every: hourly}
  cache: {redis: env:R, every: hourly}
groups:
  app: {stores: [db, media, cache], authority: db}
  both: {stores: [db, media], authority: db}
targets:
  elsewhere: {protect: true}
  sandbox: {isolate: network, folder: ./sandboxes}
checks:
  all:
    - tables: [users]
      store: db
    - tables: [users]
      store: other
    - files: {count: 3}
    - references: {from: {store: db, sql: SELECT key FROM files}, to: media, missing: 0}
    - http: GET /health
    - {name: noise, entropy: [media, other]}
  web: [{http: GET /}]
)";

class BisectDesk : public testing::Test {
 protected:
  BisectDesk() {
    auto out = plan::testing::read(text);
    EXPECT_EQ(plan::format_mistakes(out.mistakes, false), "");
    plan = std::move(out.plan);
  }
  BisectSubject subject(const std::string& name) {
    auto out = bisect_subject(plan, name);
    EXPECT_TRUE(out.ok());
    return out.ok() ? *out : BisectSubject{};
  }
  std::vector<std::string> kept(const std::string& name, const std::string& check) {
    auto out = bisect_checks(plan, subject(name), check);
    if (!out.ok()) return {out.error().text()};
    std::vector<std::string> names;
    for (const auto& each : out->suite.checks) names.push_back(each.name);
    EXPECT_EQ(plan.suite(check) == nullptr ||
                  names.size() + out->left_out.size() == plan.suite(check)->checks.size(),
              true)
        << "each is asked, or said to be left out";
    return names;
  }
  using Names = std::vector<std::string>;

  plan::Plan plan;
};

TEST_F(BisectDesk, WhoIsLookedAt) {
  EXPECT_EQ(subject("db").stores.size(), 1u);
  EXPECT_EQ(subject("db").group, "");
  auto app = subject("app");
  EXPECT_EQ(app.group, "app");
  EXPECT_EQ(app.stores.size(), 2u);
  ASSERT_EQ(app.not_built.size(), 1u);
  EXPECT_EQ(app.not_built[0]->name, "cache");
  EXPECT_EQ(bisect_subject(plan, "cache").error().kind(), ErrorKind::unsupported);
  EXPECT_EQ(bisect_subject(plan, "nobody").error().kind(), ErrorKind::invalid);
}

TEST_F(BisectDesk, OnlyWhatTheseStoresCanAnswerIsAsked) {
  EXPECT_EQ(kept("db", "all").size(), 1u) << join(kept("db", "all"), ", ");
  EXPECT_EQ(kept("media", "all").size(), 2u) << "files, and noise in it alone";
  EXPECT_EQ(kept("both", "all").size(), 4u) << join(kept("both", "all"), ", ");
  EXPECT_EQ(kept("media", "noise"), Names{"noise"});
  auto noise = bisect_checks(plan, subject("media"), "noise");
  ASSERT_TRUE(noise.ok());
  EXPECT_EQ(std::get<plan::CheckEntropy>(noise->suite.checks[0].what).of, Names{"media"});
}

TEST_F(BisectDesk, ACheckThatSaysNothingOfThemIsRefused) {
  EXPECT_EQ(kept("db", "web"),
            Names{"nothing of 'web' can be asked of what is restored: GET /: it asks a "
                  "service"});
  EXPECT_EQ(kept("db", "noise").size(), 1u);
  EXPECT_EQ(bisect_checks(plan, subject("db"), "noise").error().kind(), ErrorKind::invalid);
  EXPECT_EQ(bisect_checks(plan, subject("db"), "unheard").error().kind(), ErrorKind::invalid);
}

TEST_F(BisectDesk, EntropyNeedsNoPlaceInThePlan) {
  EXPECT_EQ(kept("media", "entropy"), Names{"noise"}) << "the plan's own knows what is normal";
  EXPECT_EQ(kept("db", "entropy"), Names{"entropy"}) << "that one is about others";
  std::erase_if(plan.suites, [](const auto& suite) { return suite.name == "all"; });
  EXPECT_EQ(kept("db", "entropy"), Names{"entropy"});
}

}  // namespace
}  // namespace lb::cli
