#include "app/cli/text_width.h"

#include <gtest/gtest.h>

namespace lb::cli {
namespace {

TEST(TextWidth, TextIsBrokenBetweenWordsAndWhatFollowsIsIndented) {
  EXPECT_EQ(wrapped("  ? 4/9  look into it  now", 80, 4), "  ? 4/9  look into it  now");
  EXPECT_EQ(wrapped("  ? 4/9  look into it  now", 14, 4), "  ? 4/9  look\n    into it\n    now");
  EXPECT_EQ(wrapped("  ? 4/9  look into it  now", 0, 4), "  ? 4/9  look into it  now")
      << "no terminal";
  EXPECT_EQ(wrapped("", 10, 2), "");
  EXPECT_EQ(wrapped("a bb", 1, 0), "a\nbb");
}

TEST(TextWidth, ColumnsAreCountedNotBytes) {
  EXPECT_EQ(wrapped("✔ ✔ ✔ ✔", 7, 2), "✔ ✔ ✔ ✔");
  EXPECT_EQ(wrapped("✔ ✔ ✔ ✔", 6, 2), "✔ ✔ ✔\n  ✔");
}

TEST(TextWidth, WhatDoesNotFitIsCutBetweenSigns) {
  EXPECT_EQ(cut_to("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to("abcdef", 5), "abcd…");
  EXPECT_EQ(cut_to("✔✔✔", 2), "✔…");
}

TEST(TextWidth, ALongWordStaysWhole) {
  EXPECT_EQ(wrapped("see https://example.org/status now", 10, 2),
            "see\n  https://example.org/status\n  now");
  EXPECT_EQ(wrapped("https://example.org/status", 10, 2), "https://example.org/status");
}

}  // namespace
}  // namespace lb::cli
