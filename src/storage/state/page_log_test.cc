#include "storage/state/page_log.h"

#include <gtest/gtest.h>

#include "foundation/base/bytes.h"
#include "storage/state/record_shelf.h"

namespace lb::state {
namespace {

// `number` tells the sets apart, and their order.
PageSet pages(const std::string& text, std::int64_t number) {
  PageSet out{"shop", "abc", from_micros(number * 1'000'000), {}, "", "", "0123456789abcdef0"};
  out.pages = {{"loss", "<p>" + text, "# " + text, true}, {"fire", "", ""}};
  return out;
}

Status put(RecordShelf& shelf, PageSet set) { return put_pages(shelf, set); }

TEST(PageLog, GivesTheNewestBack) {
  RecordShelf shelf;
  auto none = newest_pages(shelf);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
  ASSERT_TRUE(put(shelf, pages("old", 1)).ok());
  ASSERT_TRUE(put(shelf, pages("new", 2)).ok());
  auto found = newest_pages(shelf);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->system, "shop");
  EXPECT_EQ((*found)->fingerprint, "abc");
  EXPECT_EQ((*found)->made, from_micros(2'000'000));
  EXPECT_EQ((*found)->id, "19700101-000002-0123456789abcdef");
  ASSERT_EQ((*found)->pages.size(), 2U);
  EXPECT_EQ((*found)->pages[0].html, "<p>new");
  EXPECT_EQ((*found)->pages[0].markdown, "# new");
  EXPECT_TRUE((*found)->pages[0].open);
  EXPECT_FALSE((*found)->pages[1].open);
}

TEST(PageLog, ADamagedSetIsPassedOverForTheOneBefore) {
  RecordShelf shelf;
  ASSERT_TRUE(put(shelf, pages("old", 1)).ok());
  ASSERT_TRUE(put(shelf, pages("new", 2)).ok());
  std::string torn = "{";
  shelf.held.rbegin()->second = Buffer(torn.begin(), torn.end());
  auto found = newest_pages(shelf);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->pages[0].html, "<p>old");
  for (auto& [key, bytes] : shelf.held) bytes = Buffer(torn.begin(), torn.end());
  EXPECT_EQ(newest_pages(shelf).error().kind(), ErrorKind::corrupt);
}

TEST(PageLog, AServiceThatDoesNotAnswerIsNoDamage) {
  RecordShelf shelf;
  ASSERT_TRUE(put(shelf, pages("new", 2)).ok());
  shelf.get_fails[shelf.held.begin()->first.second] = ErrorKind::unavailable;
  EXPECT_EQ(newest_pages(shelf).error().kind(), ErrorKind::unavailable);
  shelf.put_fails = ErrorKind::exhausted;
  EXPECT_EQ(put(shelf, pages("more", 3)).error().kind(), ErrorKind::exhausted);
}

// As earlier versions put them: other ids, nothing open.
TEST(PageLog, ReadsWhatEarlierVersionsPut) {
  RecordShelf shelf;
  const std::string text =
      R"({"schema":"lifeboat.runbook-pages/1","system":"shop","fingerprint":"abc","made_us":7,)"
      R"("pages":[{"runbook":"loss","html":"<p>old","markdown":"# old"}]})";
  shelf.held[{"runbook-pages", "06fq0kz4vg1s0000000000000g"}] = Buffer(text.begin(), text.end());
  auto found = newest_pages(shelf);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->pages[0].html, "<p>old");
  EXPECT_FALSE((*found)->open());
  EXPECT_FALSE(made_of((*found)->id));
  auto newer = pages("new", 1'790'000'000);
  ASSERT_TRUE(put_pages(shelf, newer).ok());
  EXPECT_EQ((*newest_pages(shelf))->pages[0].html, "<p>new") << "ids of today sort behind";
}

TEST(PageLog, TheIdSaysWhenAndWhat) {
  const auto id = set_id(parse_time("2026-11-28T02:14:07Z").take(), "0123456789abcdef55");
  EXPECT_EQ(id, "20261128-021407-0123456789abcdef");
  EXPECT_EQ(made_of(id), parse_time("2026-11-28T02:14:07Z").take());
  EXPECT_TRUE(says_same(id, "0123456789abcdef99"));
  EXPECT_FALSE(says_same(id, "1123456789abcdef55"));
  for (const auto* odd :
       {"", "20261128-021407-0123456789abcdeg", "20261328-021407-0123456789abcdef",
        "20261128-021407-0123456789abcdef0", "../../../../../../../../../../.."})
    EXPECT_FALSE(made_of(odd)) << odd;
}

}  // namespace
}  // namespace lb::state
