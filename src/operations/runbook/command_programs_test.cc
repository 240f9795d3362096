#include "operations/runbook/command_programs.h"

#include <gtest/gtest.h>

namespace lb::runbook {
namespace {

using Names = std::vector<std::string>;

TEST(CommandPrograms, EveryProgramOfAListIsSeen) {
  auto found =
      programs_of("cd /srv && docker compose stop api; pg_isready -q || curl -s x | jq .a");
  EXPECT_EQ(found.names, (Names{"docker", "pg_isready", "curl", "jq"}));
  EXPECT_TRUE(found.whole);
}

TEST(CommandPrograms, ShellWordsAssignmentsAndFilesAreNone) {
  auto found = programs_of(
      "A=1 B='x y' make -j2 2>/dev/null >log # not this\nif test -e f; then rsync a b; fi\n"
      "for host in a b; do ping -c1 \"$host\"; done; (true && ! grep -q stop \"$LEDGER\")");
  EXPECT_EQ(found.names, (Names{"make", "rsync", "ping", "grep"}));
  EXPECT_TRUE(found.whole);
}

TEST(CommandPrograms, QuotesHideWhatLooksLikeACommand) {
  auto found = programs_of("psql -c 'SELECT 1; DROP TABLE x && y' \"a;b|c\" a\\;b");
  EXPECT_EQ(found.names, Names{"psql"});
  EXPECT_TRUE(found.whole);
}

TEST(CommandPrograms, WhatRunsAnotherIsFollowedAsFarAsItIsPlain) {
  EXPECT_EQ(programs_of("sudo systemctl stop api").names, (Names{"sudo", "systemctl"}));
  EXPECT_EQ(programs_of("exec ./serve --port 1").names, Names{"./serve"});
  EXPECT_EQ(programs_of("env A=1 node x.js").names, (Names{"env", "node"}));
  auto user = programs_of("sudo -u postgres psql");
  EXPECT_EQ(user.names, Names{"sudo"});
  EXPECT_FALSE(user.whole);
}

TEST(CommandPrograms, WhatTheTextDoesNotTellIsSaid) {
  for (const char* text :
       {"$TOOL stop", "echo $(uname)", "echo `uname`", "sh -c 'anything'", "eval \"$X\"",
        "cat <<END\nrm x\nEND", "case $x in a) one;; esac", "stop() { kill 1; }; stop",
        "cd /srv && ./run", "PATH=/opt/bin:$PATH tool", ". ./functions", "echo 'unfinished"}) {
    auto found = programs_of(text);
    EXPECT_FALSE(found.whole) << text;
  }
  EXPECT_EQ(programs_of("cd /srv && ./run").names, Names{});
  EXPECT_EQ(programs_of("cat <<END\nrm x\nEND").names, Names{"cat"});
  EXPECT_EQ(programs_of("PATH=/opt/bin:$PATH tool").names, Names{});
  EXPECT_EQ(programs_of("").names, Names{});
}

}  // namespace
}  // namespace lb::runbook
