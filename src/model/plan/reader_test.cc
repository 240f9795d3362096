#include "model/plan/reader.h"

#include <gtest/gtest.h>

#include "model/plan/plan_testing.h"

namespace lb::plan {
namespace {

using testing::lines;
using testing::read;
using testing::small_plan;

using Lines = std::vector<std::string>;

TEST(Reader, ReadsASmallPlan) {
  auto out = read(small_plan);
  ASSERT_EQ(lines(out.mistakes), Lines{});
  const auto& plan = out.plan;
  EXPECT_EQ(plan.system, "shop");
  EXPECT_EQ(plan.timezone, "UTC");
  EXPECT_EQ(plan.repository.at.value, "/backups");
  EXPECT_EQ(plan.repository.key.text(), "env:KEY");
  EXPECT_EQ(plan.repository.key.place.text(), "plan.yaml:3:33");
  ASSERT_EQ(plan.stores.size(), 2U);
  EXPECT_EQ(plan.store("db")->kind, StoreKind::postgres);
  EXPECT_EQ(plan.store("db")->address.text(), "env:DATABASE_URL");
  EXPECT_EQ(plan.store("media")->kind, StoreKind::files);
  EXPECT_EQ(plan.store("nothing"), nullptr);
  EXPECT_TRUE(plan.target("production")->protect);
  EXPECT_TRUE(plan.target("sandbox")->isolate_network);
  EXPECT_EQ(std::get<CheckTables>(plan.suite("db")->checks[0].what).tables, Lines{"users"});
  EXPECT_FALSE(plan.fingerprint.empty());
}

TEST(Reader, FillsStores) {
  auto out = read(small_plan + "objectives: {rpo: 2h, rto: 4h}\n" +
                  "groups: {app: {stores: [db, media], authority: db}}\n");
  ASSERT_EQ(lines(out.mistakes), Lines{});
  EXPECT_EQ(out.plan.group("app")->stores, (Lines{"db", "media"}));
  ASSERT_EQ(out.plan.not_acted_on.size(), 1U);
  EXPECT_EQ(out.plan.not_acted_on[0].name, "groups.app.authority");
  EXPECT_EQ(out.plan.stores[0].objective.rpo, Micros(std::chrono::hours(2))) << "inherited";
  EXPECT_EQ(out.plan.objectives.rto, Micros(std::chrono::hours(4)));

  auto whole = read(R"(version: 1
system: x
timezone: UTC
repository:
  at: /b
  key: file:/etc/key
  copies: [{at: "s3://c/west", within: 24h, immutable: 30d, key: kms:west}]
  retain: {hourly: 7d, daily: 30d, weekly: 6mo, monthly: 1y, yearly: 5y, pitr: 30d, log: deletions}
stores:
  db:
    {postgres: env:U, log: continuous, every: 0 2 * * *,
     objective: {rpo: 1h, rto: 2h, goal: 5m, why: w}}
  tree: {files: ./s, include: ["*.jpg"], exclude: ["*.tmp"], only: [a], optional: true}
  bucket: {bucket: "s3://b", mode: manifest, expect: {bytes: "> 1MiB", within: 15m, errors: 0}}
  fs: {firestore: "${P}", collections: {users: {priority: P0, impact: all, ttl: until}}}
  dump: {command: print-it}
)");
  ASSERT_EQ(lines(whole.mistakes), Lines{});
  const auto& plan = whole.plan;
  ASSERT_EQ(plan.repository.copies.size(), 1U);
  EXPECT_EQ(plan.repository.copies[0].at.value, "s3://c/west");
  EXPECT_EQ(plan.repository.copies[0].s3.lock, "compliance") << "the default";
  EXPECT_EQ(plan.repository.copies[0].key.kind, Reference::Kind::kms);
  EXPECT_EQ(plan.repository.retain.weekly, Micros(std::chrono::hours(24 * 180)));
  EXPECT_EQ(plan.repository.retain.log, "deletions");
  EXPECT_TRUE(plan.store("db")->log_continuous);
  EXPECT_EQ(plan.store("db")->every->text, "0 2 * * *");
  EXPECT_EQ(plan.store("db")->objective.why, "w");
  EXPECT_EQ(plan.store("tree")->exclude, Lines{"*.tmp"});
  EXPECT_TRUE(plan.store("tree")->optional);
  EXPECT_EQ(plan.store("bucket")->mode, "manifest");
  EXPECT_EQ(plan.store("bucket")->expect.bytes, "> 1MiB");
  EXPECT_EQ(plan.store("bucket")->expect.errors, 0);
  EXPECT_EQ(plan.store("fs")->collections.at(0).ttl, "until");
  EXPECT_EQ(plan.store("dump")->address.text(), "command:print-it");
}

TEST(Reader, FillsTargets) {
  auto out = read(R"(version: 1
system: x
repository: {at: /b, key: env:K}
stores: {db: {postgres: env:U}}
targets:
  t:
    start: {api: "./serve --port 80", worker: ./work}
    environment: {MODE: drill, TOKEN: env:TOKEN}
    memory: 512MiB
    cpus: 1.5
    folder: /var/tmp/x
    stores: {db: env:STAGING}
    redis: 127.0.0.1:6379
    migrate: make migrate
)");
  ASSERT_EQ(lines(out.mistakes), Lines{});
  const auto& target = *out.plan.target("t");
  ASSERT_EQ(target.start.size(), 2U);
  EXPECT_EQ(target.start[0].name, "api");
  EXPECT_EQ(target.start[0].command, "./serve --port 80");
  EXPECT_EQ(target.environment[1].second.text(), "env:TOKEN");
  EXPECT_EQ(target.memory_bytes, 512U * 1024 * 1024);
  EXPECT_DOUBLE_EQ(*target.cpus, 1.5);
  EXPECT_EQ(target.folder, "/var/tmp/x");
  ASSERT_EQ(target.addresses.size(), 2U);
  EXPECT_EQ(target.addresses[0].first, "db");
  EXPECT_EQ(target.addresses[1].first, "redis");
  EXPECT_FALSE(target.migrate.empty());
}

TEST(Reader, FillsDrills) {
  auto out = read(small_plan + R"(groups: {app: {stores: [db, media]}}
drills:
  a: {every: monthly, restore: app, into: sandbox, checks: [db, files],
      backup: first, at: 2026-01-13T02:00:00Z}
  b: {verify: 10%, gate: go-no-go, via: [instant]}
runbooks:
  r: {symptoms: [s], steps: [{run: x, undo: y}, {verify: all, critical: true}]}
evidence: {keep: 3y}
)");
  ASSERT_EQ(lines(out.mistakes), Lines{});
  const auto& drill = *out.plan.drill("a");
  EXPECT_EQ(drill.restore, (Lines{"db", "media"}));
  EXPECT_EQ(drill.group, "app");
  EXPECT_EQ(drill.into, "sandbox");
  EXPECT_EQ(drill.at, "2026-01-13T02:00:00Z");
  EXPECT_TRUE(drill.backup_first);
  EXPECT_EQ(out.plan.drill("b")->at, "latest");
  EXPECT_FALSE(drill.pitr.has_value());
  EXPECT_DOUBLE_EQ(*out.plan.drill("b")->verify_fraction, 0.1);
  EXPECT_EQ(out.plan.drill("b")->keys_not_built, (Lines{"via", "gate"}));
  ASSERT_EQ(out.plan.runbooks.size(), 1U);
  EXPECT_EQ(out.plan.runbooks[0].steps[1].verb, "verify");
  EXPECT_EQ(out.plan.evidence.formats, (Lines{"html", "json", "markdown"}));
  std::vector<std::string> idle;
  for (const auto& section : out.plan.not_acted_on) idle.push_back(section.name);
  EXPECT_EQ(idle, (Lines{"evidence.keep"}));
}

TEST(Reader, AnAuditThatNamesNoStoreAuditsEveryPostgres) {
  auto out = read(small_plan + R"(drills:
  audit: {every: yearly, into: sandbox, pitr: {window: 30d, samples: 30}}
  named: {restore: [db, media], into: sandbox, pitr: {window: 1h}}
)");
  ASSERT_EQ(lines(out.mistakes), Lines{});
  const auto& audit = *out.plan.drill("audit");
  EXPECT_EQ(audit.restore, Lines{"db"});
  EXPECT_EQ(audit.pitr->window, Micros(std::chrono::hours(24 * 30)));
  EXPECT_EQ(audit.pitr->samples, 30u);
  EXPECT_EQ(out.plan.drill("named")->restore, (Lines{"db", "media"}));
  EXPECT_EQ(out.plan.drill("named")->pitr->samples, 10u);
}

TEST(Reader, IncludesFiles) {
  auto out =
      read("include: parts/a.yaml\n" + small_plan,
           {{"parts/a.yaml", "include: [../b.yaml, ./c.yaml]\nstores: {more: {files: /m}}\n"},
            {"b.yaml", "include: parts/c.yaml\ndrills: {v: {verify: 10%}}\n"},
            {"parts/c.yaml", "version: 1\nchecks: {extra: [{tables: [x]}]}\n"}});
  ASSERT_EQ(lines(out.mistakes), Lines{});
  EXPECT_EQ(out.plan.store("more")->place.text(), "parts/a.yaml:2:16");
  EXPECT_NE(out.plan.suite("extra"), nullptr) << "a file asked for twice is read once";
  EXPECT_NE(out.plan.drill("v"), nullptr);
  EXPECT_EQ(out.plan.files, (Lines{"plan.yaml", "parts/a.yaml", "b.yaml", "parts/c.yaml"}));
}

TEST(Reader, RefusesIncludesThatDoNotFit) {
  EXPECT_EQ(lines(read("include: a.yaml\n" + small_plan,
                       {{"a.yaml", "include: b.yaml\n"}, {"b.yaml", "include: ./plan.yaml\n"}})
                      .mistakes),
            Lines{"b.yaml:1:10: include: './plan.yaml' includes itself"});
  EXPECT_EQ(lines(read("include: [a.yaml]\n" + small_plan).mistakes),
            Lines{"1:11: include: cannot read a.yaml"});
  auto twice =
      read("include: a.yaml\n" + small_plan,
           {{"a.yaml", "system: other\nstores:\n  db: {files: /x}\n  new: {files: /y}\n"}});
  EXPECT_EQ(lines(twice.mistakes),
            (Lines{"a.yaml:1:1: 'system' is given twice", "a.yaml:3:3: 'db' is given twice"}));
  EXPECT_EQ(twice.mistakes[1].suggestion, "it is already given in plan.yaml:6");
  EXPECT_EQ(twice.mistakes[1].source_line, "  db: {files: /x}");
  EXPECT_EQ(lines(read("include: a.yaml\n" + small_plan, {{"a.yaml", "- x\n"}}).mistakes),
            Lines{"a.yaml:1:1: an included file must be a map of sections"});
  EXPECT_EQ(lines(read("include: a.yaml\n" + small_plan, {{"a.yaml", "a: [\n"}}).mistakes).size(),
            1U);
}

TEST(Reader, FingerprintIgnoresLayoutAndComments) {
  auto one = read(small_plan).plan.fingerprint;
  auto two = read("# a comment\n" + replace_all(small_plan, "system: shop", "system:   'shop'"))
                 .plan.fingerprint;
  auto three = read(replace_all(small_plan, "system: shop", "system: other")).plan.fingerprint;
  EXPECT_EQ(one, two);
  EXPECT_NE(one, three);
}

TEST(Reader, FormatsMistakesWithACaret) {
  auto out = read(replace_all(small_plan, "every: hourly", "evry: hourly"));
  ASSERT_EQ(out.mistakes.size(), 2U);
  out.mistakes.resize(1);
  EXPECT_EQ(format_mistakes(out.mistakes, false),
            "plan.yaml:5:36: unknown key 'evry'\n"
            "    db: {postgres: env:DATABASE_URL, evry: hourly}\n"
            "                                     ^\n"
            "  did you mean 'every'?\n");
  auto colored = format_mistakes(out.mistakes, true);
  EXPECT_NE(colored.find("\x1b[31munknown key 'evry'\x1b[0m"), std::string::npos);
  Mistake wide{{"p", 1, 7}, "t", "", "\té: ü x"};
  EXPECT_EQ(format_mistakes({wide}, false), "p:1:7: t\n  \té: ü x\n  \t     ^\n")
      << "characters, tabs kept";
}

TEST(Reader, NeverShowsASecret) {
  auto out = read(replace_all(replace_all(small_plan, "key: env:KEY", "key: tops3cret"),
                              "postgres: env:DATABASE_URL",
                              "evry: x, postgres: 'postgres://u:hidden@h/db', rpo: 1"));
  auto text = format_mistakes(out.mistakes, false);
  EXPECT_EQ(text.find("tops3cret"), std::string::npos) << text;
  EXPECT_EQ(text.find("hidden"), std::string::npos) << text;
  EXPECT_NE(text.find("a secret must not stand in the plan"), std::string::npos);
  auto broken = read(
      "repository: {at: /b, key: env:K}\nurl: postgres://u:hidden@h/db\n  password: hidden2\n");
  ASSERT_EQ(broken.mistakes.size(), 1U);
  EXPECT_EQ(format_mistakes(broken.mistakes, false).find("hidden"), std::string::npos)
      << format_mistakes(broken.mistakes, false);
}

TEST(Reader, KeepsHowBucketsAreReached) {
  auto out = read(replace_all(small_plan, "at: /backups,", R"(at: "s3://vault/app", immutable: 30d,
  s3: {endpoint: "https://s3.example.org", region: eu-1, style: host, access_key: env:A,
       secret_key: file:/etc/s, session_token: env:T, ca: /etc/ca.pem, lock: governance},
  copies: [{at: "s3://west", s3: {style: path}}],)"));
  ASSERT_EQ(lines(out.mistakes), Lines{});
  const auto& repository = out.plan.repository;
  EXPECT_EQ(repository.immutable, Micros(std::chrono::hours(24 * 30)));
  EXPECT_EQ(repository.s3.endpoint.text(), "https://s3.example.org");
  EXPECT_EQ(repository.s3.region.text(), "eu-1");
  EXPECT_EQ(repository.s3.style, "host");
  EXPECT_EQ(repository.s3.access_key.text(), "env:A");
  EXPECT_EQ(repository.s3.secret_key.text(), "file:/etc/s");
  EXPECT_EQ(repository.s3.session_token.text(), "env:T");
  EXPECT_EQ(repository.s3.ca.text(), "/etc/ca.pem");
  EXPECT_EQ(repository.s3.lock, "governance");
  EXPECT_EQ(repository.copies.at(0).s3.style, "path");
  EXPECT_TRUE(repository.copies.at(0).s3.endpoint.empty());
}

}  // namespace
}  // namespace lb::plan
