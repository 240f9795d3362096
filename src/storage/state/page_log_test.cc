#include "storage/state/page_log.h"

#include <gtest/gtest.h>

#include "foundation/base/bytes.h"
#include "storage/state/record_shelf.h"

namespace lb::state {
namespace {

PageSet pages(const std::string& text) {
  return {"shop", "abc", from_micros(7), {{"loss", "<p>" + text, "# " + text}, {"fire", "", ""}}};
}

TEST(PageLog, GivesTheNewestBack) {
  RecordShelf shelf;
  auto none = newest_pages(shelf);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
  ASSERT_TRUE(put_pages(shelf, pages("old")).ok());
  ASSERT_TRUE(put_pages(shelf, pages("new")).ok());
  auto found = newest_pages(shelf);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->system, "shop");
  EXPECT_EQ((*found)->fingerprint, "abc");
  EXPECT_EQ((*found)->made, from_micros(7));
  ASSERT_EQ((*found)->pages.size(), 2U);
  EXPECT_EQ((*found)->pages[0].html, "<p>new");
  EXPECT_EQ((*found)->pages[0].markdown, "# new");
}

TEST(PageLog, ADamagedSetIsPassedOverForTheOneBefore) {
  RecordShelf shelf;
  ASSERT_TRUE(put_pages(shelf, pages("old")).ok());
  ASSERT_TRUE(put_pages(shelf, pages("new")).ok());
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
  ASSERT_TRUE(put_pages(shelf, pages("new")).ok());
  shelf.get_fails[shelf.held.begin()->first.second] = ErrorKind::unavailable;
  EXPECT_EQ(newest_pages(shelf).error().kind(), ErrorKind::unavailable);
  shelf.put_fails = ErrorKind::exhausted;
  EXPECT_EQ(put_pages(shelf, pages("more")).error().kind(), ErrorKind::exhausted);
}

}  // namespace
}  // namespace lb::state
