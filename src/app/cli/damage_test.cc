#include "app/cli/damage.h"

#include <gtest/gtest.h>

namespace lb::cli {
namespace {

TEST(Damage, OfATreeInOneSentence) {
  files::TreeDamage damage;
  EXPECT_EQ(text_of(damage), "0 missing, 0 changed, 0 extra");
  damage.missing = 1200;
  damage.missing_bytes = 3 << 20;
  damage.changed = 3;
  damage.attributes = 2;
  damage.unseen = 1;
  EXPECT_EQ(text_of(damage),
            "1,200 missing (3.0 MiB), 3 changed (0 B), 0 extra, 2 with other attributes, 1 could "
            "not be looked at");
  damage = {};
  damage.no_root = true;
  damage.missing = 5;
  EXPECT_EQ(text_of(damage), "the folder is not there, 5 missing (0 B), 0 changed, 0 extra");
}

TEST(Damage, OfAServerInOneSentence) {
  pg::ServerDamage damage;
  EXPECT_EQ(text_of(damage), "there are no tables, as at the point");
  damage.equal = 4;
  EXPECT_EQ(text_of(damage), "as many rows as at the point in all 4 tables");
  damage.fewer = 2;
  damage.missing = 1;
  damage.rows_missing = 33'333;
  damage.estimated = 1;
  damage.unseen = 2;
  damage.other_system = true;
  EXPECT_EQ(text_of(damage),
            "1 table is missing, 2 tables have fewer rows, 1 table is only estimated, 2 could not "
            "be looked at (33,333 rows less); this is not the server that the point was taken "
            "from");
}

TEST(Damage, NamesTheAccidentAndWhatTheLogCannotTell) {
  Suspicions suspicions;
  EXPECT_EQ(text_of(suspicions), "; no commit since is in the log that is stored");
  suspicions.looked_at = 2;
  EXPECT_EQ(text_of(suspicions), "");
  Suspicion one;
  one.suspect.time = parse_time("2026-03-01T02:13:59Z").take();
  one.deeds = {"deleted 33,333 rows of shop public.appointments"};
  suspicions.found.push_back(one);
  EXPECT_EQ(text_of(suspicions),
            "; at 2026-03-01T02:13:59Z deleted 33,333 rows of shop public.appointments");
  suspicions.found[0].deeds = {"a", "b", "c", "d", "e", "f", "g"};
  EXPECT_EQ(text_of(suspicions),
            "; at 2026-03-01T02:13:59Z a and b and c and d and e and 2 deeds more");
  for (int n = 0; n < 4; ++n) suspicions.found.push_back(one);
  suspicions.unknown = 1;
  EXPECT_NE(text_of(suspicions)
                .find("; and 2 more transactions like that (lifeboat wal ls "
                      "--suspicious); of 1 segment of the log it is not fully "
                      "known"),
            std::string::npos);
}

}  // namespace
}  // namespace lb::cli
