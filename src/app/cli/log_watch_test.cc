#include "app/cli/log_watch.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lb::cli {
namespace {

const Timestamp now = from_micros(1'768'269'600'000'000);

plan::Store the_store() {
  plan::Store out;
  out.name = "db";
  out.kind = plan::StoreKind::postgres;
  return out;
}

// A server whose disk is full in an hour if nothing of its log can go.
LogWatch watched() {
  LogWatch out;
  out.kept = true;
  out.server = pg::ServerLog{};
  out.growth = archive::LogGrowth{1e6, std::chrono::hours(1)};
  out.disk_available = 3'600'000'000;
  return out;
}

std::optional<bool> wrong(const LogWatch& watch, const std::string& event) {
  for (const auto& finding : findings_of(watch, the_store(), "h1", now)) {
    if (finding.event == event) return finding.wrong;
  }
  return std::nullopt;
}

TEST(LogWatch, AWholeLogIsNoTrouble) {
  const auto watch = watched();
  EXPECT_EQ(judge_log(watch, now).state, "ok");
  for (const char* event : {"log gap", "log failing", "log filling", "store unreachable"})
    EXPECT_EQ(wrong(watch, event), false) << event;
}

TEST(LogWatch, AHoleHidesNothingElse) {
  auto watch = watched();
  watch.state.lost = 2;
  watch.server->archives = true;
  watch.server->last_failed = now - Seconds(5);
  EXPECT_EQ(judge_log(watch, now).state, "lost");
  EXPECT_EQ(wrong(watch, "log gap"), true);
  EXPECT_EQ(wrong(watch, "log failing"), true);
  EXPECT_EQ(wrong(watch, "log filling"), true);
  watch.server->last_archived = now;
  EXPECT_EQ(wrong(watch, "log failing"), false);
  EXPECT_EQ(wrong(watch, "log filling"), false);
}

// A slot that nobody fetches from keeps log until the disk is full, whatever the archive does.
TEST(LogWatch, ASlotOfNobodyFillsTheDisk) {
  auto watch = watched();
  watch.server->slots = {{"old_standby", "extended", false, 5'000'000}};
  EXPECT_EQ(judge_log(watch, now).state, "filling");
  EXPECT_EQ(wrong(watch, "log filling"), true);
  watch.server->slots[0].active = true;
  EXPECT_EQ(wrong(watch, "log filling"), false);
  watch.server->slots[0].active = false;
  watch.disk_available = 3'600'000'000 * std::uint64_t{48};
  EXPECT_EQ(wrong(watch, "log filling"), false) << "in two days";
  EXPECT_EQ(judge_log(watch, now).state, "ok");
}

TEST(LogWatch, ASlotAtItsLimitIsTroubleOnAnyDisk) {
  auto watch = watched();
  watch.disk_available.reset();
  watch.server->slots = {{"lifeboat_db", "unreserved", true, 5'000'000}};
  EXPECT_EQ(judge_log(watch, now).state, "filling");
  EXPECT_EQ(wrong(watch, "log filling"), true);
}

TEST(LogWatch, WhatCouldNotBeAskedIsNeitherWrongNorRight) {
  auto watch = watched();
  watch.server.reset();
  watch.server_trouble = "the role may not";
  EXPECT_EQ(wrong(watch, "log failing"), std::nullopt);
  EXPECT_EQ(wrong(watch, "log filling"), std::nullopt);
  EXPECT_EQ(wrong(watch, "store unreachable"), std::nullopt);
  watch.server_away = true;
  EXPECT_EQ(wrong(watch, "store unreachable"), true);
}

TEST(LogWatch, LogThatIsOnlyInASpoolFails) {
  auto watch = watched();
  watch.spool = "/spool";
  EXPECT_EQ(judge_log(watch, now).state, "ok");
  watch.spool_bytes = 1000;
  EXPECT_EQ(judge_log(watch, now).state, "spooled");
  const auto findings = findings_of(watch, the_store(), "h1", now);
  EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [](const auto& one) {
    return one.event == "log failing" && one.subject == "spool of db on h1" && one.wrong;
  }));
}

}  // namespace
}  // namespace lb::cli
