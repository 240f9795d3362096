#include "model/plan/unsupported.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "model/plan/plan_testing.h"

namespace lb::plan {
namespace {

using testing::lines;
using testing::read;
using testing::small_plan;

using Lines = std::vector<std::string>;

Lines for_backup(const std::string& text, const Lines& stores = {}) {
  auto out = read(text);
  EXPECT_EQ(format_mistakes(out.mistakes, false), "");
  return lines(unsupported_for_backup(out.plan, stores));
}

Lines for_drill(const std::string& text) {
  auto out = read(text);
  EXPECT_EQ(format_mistakes(out.mistakes, false), "");
  return lines(unsupported_for_drill(out.plan, *out.plan.drill("d")));
}

TEST(Unsupported, WhatARestoreWouldLeaveOut) {
  auto text = replace_all(small_plan, "targets:\n",
                          "targets:\n"
                          "  staging: {mask: pii, migrate: make migrate, wipe: true}\n");
  auto out = read(cat(text, "masks: {pii: {users.email: redact}}\n"));
  EXPECT_EQ(format_mistakes(out.mistakes, false), "");
  EXPECT_EQ(unsupported_of_target(out.plan, *out.plan.target("sandbox")), "");
  EXPECT_EQ(unsupported_of_target(out.plan, *out.plan.target("staging")), "mask:, migrate:, wipe:");
  auto of = [&](const std::string& step, StoreKind kind) {
    Store store;
    store.name = "s";
    store.kind = kind;
    return unsupported_of_restore(parse_yaml(step).root, store);
  };
  EXPECT_EQ(of("how: beside-then-swap", StoreKind::postgres), "");
  const std::string whole = "only: of s, a database, but with store: and how: beside";
  EXPECT_EQ(of("{store: s, only: [t]}", StoreKind::postgres), whole);
  EXPECT_EQ(of("{group: g, only: [t], how: beside}", StoreKind::postgres), whole);
  EXPECT_EQ(of("{store: s, only: [t], how: beside}", StoreKind::postgres), "");
  EXPECT_EQ(of("mode: exact", StoreKind::postgres), "mode: exact of s, a database");
  EXPECT_EQ(of("{mode: exact, only: [t], how: in-place}", StoreKind::files), "");
  EXPECT_EQ(of("how: beside-then-swap", StoreKind::files), "");
  EXPECT_EQ(of("{how: beside-then-swap, only: [t]}", StoreKind::files),
            "only: of s, which is exchanged");
  EXPECT_EQ(of("{how: beside, only: [a]}", StoreKind::files), "");
  EXPECT_EQ(of("how: instant", StoreKind::files), "how: instant of s, a file tree");
}

TEST(Unsupported, NothingInAPlanOfToday) {
  EXPECT_EQ(for_backup(small_plan), Lines{});
  EXPECT_EQ(
      for_drill(small_plan +
                "drills: {d: {every: monthly, backup: first, restore: [db, media], into: sandbox, "
                "checks: [db, files], at: before-loss, verify: 5%, objective: {rto: 1h}}}\n"),
      Lines{});
}

TEST(Unsupported, KindsOfStores) {
  auto text = replace_all(small_plan, "stores:\n", "stores:\n  cache: {redis: env:R}\n");
  EXPECT_EQ(for_backup(text), Lines{"5:10: not supported yet: a redis store (cache)"});
  EXPECT_EQ(for_backup(text, {"db"}), Lines{}) << "only what is asked for";
  EXPECT_EQ(for_backup(text, {"cache"}).size(), 1U);
}

TEST(Unsupported, RepositoriesKeysCopiesAndZones) {
  EXPECT_EQ(for_backup(replace_all(small_plan, "at: /backups, key: env:KEY",
                                   "at: \"gs://b/c\", key: kms:x, copies: [{at: /c, key: kms:y}]")),
            (Lines{"3:18: not supported yet: a repository at gs://",
                   "3:35: not supported yet: a key service (kms:)",
                   "3:65: not supported yet: a key service (kms:)"}));
  EXPECT_EQ(for_backup(small_plan + "timezone: Europe/Berlin\n"),
            Lines{"13:11: not supported yet: schedules in time zone Europe/Berlin"});
}

TEST(Unsupported, KeysOfStores) {
  auto text = replace_all(small_plan, "files: /srv/media,",
                          "files: /srv/media, only: [a], optional: true,");
  EXPECT_EQ(for_backup(text), (Lines{"6:30: not supported yet: partial backups (only)",
                                     "6:41: not supported yet: optional stores"}));
}

TEST(Unsupported, AnAuditOfPointInTimeRecoveryIsBuilt) {
  EXPECT_EQ(for_drill(small_plan + "drills: {d: {into: sandbox, pitr: {window: 30d}}}\n"), Lines{});
}

TEST(Unsupported, KeysOfDrillsAndTargets) {
  const std::string drill =
      "drills: {d: {restore: db, into: sandbox, checks: [db], fault: full-disk, gate: go}}\n";
  EXPECT_EQ(for_drill(small_plan + drill), (Lines{"13:56: not supported yet: 'fault' of a drill",
                                                  "13:74: not supported yet: 'gate' of a drill"}));
  auto target =
      replace_all(small_plan, "isolate: network,", "wipe: true, migrate: make, postgres: env:S,");
  EXPECT_EQ(
      for_drill(target + "drills: {d: {restore: db, into: sandbox, checks: [db]}}\n"),
      (Lines{"9:13: not supported yet: wiping a target",
             "9:25: not supported yet: 'migrate' of a target",
             "9:50: not supported yet: a drill into a server that is there already (postgres)"}));
}

TEST(Unsupported, KindsOfChecks) {
  auto text = replace_all(small_plan, "{tables: [users]}",
                          "{manual: look}, {group: SELECT 1}, {scan: clamscan}, {connect: db}, "
                          "{cron: all}, {http: GET /x, expect: "
                          "{status: [401, 403]}}");
  EXPECT_EQ(for_drill(text + "drills: {d: {restore: db, into: sandbox, checks: [db]}}\n"),
            (Lines{"11:8: not supported yet: a manual check (look, suite db)",
                   "11:24: not supported yet: a group check (group SELECT 1, suite db)",
                   "11:43: not supported yet: check scan (scan clamscan, suite db)"}));
  EXPECT_EQ(for_drill(text + "drills: {d: {verify: 5%}}\nevidence: {sign: kms:S}\n"),
            Lines{"14:18: not supported yet: a key service (kms:)"});
}

}  // namespace
}  // namespace lb::plan
