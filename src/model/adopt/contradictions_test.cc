// Each rule with a text that contradicts itself and with neighbours of it that do not.
#include <gtest/gtest.h>

#include "model/adopt/adopt_testing.h"

namespace lb::adopt {
namespace {

using testing::contradictions;
using Lines = std::vector<std::string>;

TEST(Contradictions, AScheduleThatCannotMeetTheRpo) {
  EXPECT_EQ(
      contradictions(
          "| Metric | Target | Notes |\n|-|-|-|\n| RPO | 1 hour | exports run hourly |\n"),
      (Lines{"3: an RPO of 1h under backups made hourly: what is lost at worst is one interval "
             "and the time that a backup takes"}));
  EXPECT_EQ(contradictions("- **RPO:** 30 minutes\n\n## Export\n**Schedule:** every hour\n").size(),
            1U);
  EXPECT_EQ(contradictions("- **RPO:** 1 day\n\n## Backup\n**Frequency:** weekly\n").size(), 1U);
  EXPECT_EQ(contradictions(
                "## A\nHow we are backing up.\n\n**Frequency:** Quarterly\n- **RPO**: 1 hour\n")
                .size(),
            1U);
}

TEST(Contradictions, AScheduleThatCanMeetTheRpo) {
  EXPECT_EQ(contradictions(
                "| RPO | Target | N |\n|-|-|-|\n| RPO | 1 hour | exports every 15 minutes |\n"),
            Lines{});
  EXPECT_EQ(contradictions("- **RPO:** 1 hour (hourly backups + WAL)\n"), Lines{});
  EXPECT_EQ(contradictions("- **RPO:** 4 hours\n\n## Export\n**Schedule:** hourly\n"), Lines{});
  EXPECT_EQ(
      contradictions("- **RPO:** 1 hour\n\n## Drill\n**Schedule:** monthly test of a backup\n"),
      Lines{});
  EXPECT_EQ(contradictions("- **RTO:** 1 hour (checked hourly)\n"), Lines{});
}

TEST(Contradictions, FewerScenariosThanAskedFor) {
  const std::string two = "## Scenario 1: A\n1. x\n## Scenario 2: B\n1. y\n## Done\n";
  EXPECT_EQ(contradictions(two + "- [ ] 3+ failure scenarios covered\n"),
            Lines{"1, 3, 6: 3 scenarios are asked for and 2 are given"});
  EXPECT_EQ(contradictions(two + "- [ ] 2+ failure scenarios covered\n"), Lines{});
  EXPECT_EQ(contradictions(two + "- [ ] scenarios covered by 3 people\n"), Lines{});
}

TEST(Contradictions, DroppedBeforeAccepted) {
  auto with = [](const std::string& command, const std::string& end) {
    return contradictions("## Loss\n### Swap\n```sh\n" + command + "\n```\n### " + end +
                          "\n- [ ] rows are there\n");
  };
  EXPECT_EQ(
      with("psql -c 'DROP DATABASE shop;'", "Verify"),
      Lines{"4, 6: the old database is dropped before the restored one is accepted (line 6)"});
  EXPECT_EQ(with("dropdb shop", "Acceptance").size(), 1U);
  EXPECT_EQ(with("psql -c 'DROP DATABASE shop_staging;'", "Verify"), Lines{})
      << "a place for trials";
  EXPECT_EQ(with("psql -c 'DROP DATABASE shop;'", "Tell"), Lines{}) << "nothing is accepted later";
  EXPECT_EQ(with("psql -c 'ALTER DATABASE a RENAME TO b;'", "Verify"), Lines{});
  EXPECT_EQ(
      contradictions("## Loss\n### Verify\n- [ ] rows\n### End\n```sh\ndropdb shop_old\n```\n"),
      Lines{})
      << "accepted first";
}

TEST(Contradictions, DeletesInTheLivePlace) {
  auto with = [](const std::string& command) {
    return contradictions("## A\n```sh\n" + command + "\n```\n");
  };
  EXPECT_EQ(
      with("aws s3 sync s3://shop-backups/x s3://shop-live/ --delete"),
      Lines{"3: a restore that deletes in the live place everything written since the backup"});
  EXPECT_EQ(with("gsutil -m rsync -r -d gs://backups/x gs://live").size(), 1U);
  EXPECT_EQ(with("rsync -a --delete ./backup/ web1:/srv/files/").size(), 1U);
  EXPECT_EQ(with("rclone sync backup:x live:y").size(), 1U);
  EXPECT_EQ(with("aws s3 sync s3://shop-live/ s3://shop-backups/x --delete"), Lines{})
      << "the backup";
  EXPECT_EQ(with("aws s3 sync s3://shop-backups/x s3://shop-live/"), Lines{}) << "deletes nothing";
  EXPECT_EQ(with("aws s3 sync s3://shop-backups/x s3://shop-staging/ --delete"), Lines{});
}

TEST(Contradictions, BackupsAsTheFirstThingToDelete) {
  auto with = [](const std::string& title, const std::string& step) {
    return contradictions("## Scenario 1: " + title + "\n1. " + step + "\n");
  };
  EXPECT_EQ(with("Disk full", "Delete old backups"),
            Lines{"2: backups are deleted to make room while something is failing"});
  EXPECT_EQ(with("Out of disk space", "Free space (remove logs, old backups)").size(), 1U);
  EXPECT_EQ(with("Disk full", "Delete logs"), Lines{});
  EXPECT_EQ(with("Disk full", "Never delete backups"), Lines{});
  EXPECT_EQ(with("Upgrade", "Delete old backups"), Lines{}) << "no emergency";
}

TEST(Contradictions, ManifestsAreNoContent) {
  EXPECT_EQ(contradictions("## Backup\n1. Write manifests, they allow recreation of the files\n"),
            Lines{"2: a list of objects is called enough to recreate them: it has their names, not "
                  "their content"});
  EXPECT_EQ(contradictions("## Backup\n1. Write manifests; content is not recoverable from them\n"),
            Lines{});
  EXPECT_EQ(contradictions("## Backup\n1. Restore the structure of buckets from manifests\n"),
            Lines{});
}

TEST(Contradictions, UnlikeCounts) {
  auto with = [](const std::string& one, const std::string& other) {
    return contradictions("## A\n```sh\n" + one + "\n" + other + "\n```\n");
  };
  EXPECT_EQ(
      with("find ./f -type f | wc -l", "tar -tzf f.tgz | wc -l"),
      Lines{"3, 4: unlike is compared: the archive's list counts folders, find -type f does not"});
  EXPECT_EQ(with("find ./f -type f | wc -l", "tar -tzf f.tgz | grep -v '/$' | wc -l"), Lines{});
  EXPECT_EQ(with("find ./f | wc -l", "tar -tzf f.tgz | wc -l"), Lines{});
}

TEST(Contradictions, WhoDecides) {
  auto with = [](const std::string& row) {
    return contradictions("| Task | X | Y |\n|-|-|-|\n| Go live | " + row +
                          " |\n| Other | R | A |\n");
  };
  EXPECT_EQ(with("R | R"), Lines{"3: nobody is accountable (A) for go live, 2 responsible (R)"});
  EXPECT_EQ(with("R/A | A"), Lines{"3: 2 are accountable (A) for go live: none of them decides"});
  EXPECT_EQ(with("R | R/A"), Lines{});
}

TEST(Contradictions, TheBaseMustBeOlderThanTheMoment) {
  auto with = [](const std::string& one, const std::string& other) {
    return contradictions("## Scenario 1: Deletion\n1. " + one + "\n2. " + other + "\n");
  };
  EXPECT_EQ(
      with("Restore latest backup", "Replay the log up to the deletion time"),
      Lines{"2, 3: the latest backup is restored and then brought to a moment: it may be younger "
            "than that moment"});
  EXPECT_EQ(
      with("Restore the most recent backup before the deletion", "Replay up to the deletion time"),
      Lines{});
  EXPECT_EQ(with("Restore latest backup", "Replay all of the log"), Lines{});
  EXPECT_EQ(with("Restore last verified backup", "Replay up to that time"), Lines{});
}

TEST(Contradictions, AnObjectiveWithoutAProcedure) {
  const std::string aims = "| Component | RPO |\n|-|-|\n| Redis | 1 hour |\n\n## A\n";
  EXPECT_EQ(contradictions(aims + "1. Start redis\n"),
            Lines{"3: an RPO of 1h for Redis, and no procedure that backs it up or restores it"});
  EXPECT_EQ(contradictions(aims + "1. Restore redis from its dump\n"), Lines{});
}

TEST(Contradictions, AnArchiveToolOnSql) {
  EXPECT_EQ(contradictions("## A\n```sh\npg_restore --list x.sql | head\n```\n").size(), 1U);
  EXPECT_EQ(contradictions("## A\n```sh\npg_restore --list x.dump | head\n```\n"), Lines{});
}

}  // namespace
}  // namespace lb::adopt
