#include "stores/files/patterns.h"

#include <gtest/gtest.h>

#include "stores/files/selection.h"

namespace lb::files {
namespace {

struct Row {
  std::vector<std::string> patterns;
  std::string path;
  bool folder;
  std::optional<bool> expected;
};

constexpr auto no = std::nullopt;

void expect_all(const std::vector<Row>& table) {
  for (const auto& row : table) {
    auto patterns = Patterns::parse(row.patterns);
    ASSERT_TRUE(patterns.ok()) << patterns.error().text();
    EXPECT_EQ(patterns->match(row.path, row.folder), row.expected)
        << testing::PrintToString(row.patterns) << " on " << row.path;
  }
}

TEST(Patterns, NamesAndFolders) {
  expect_all({
      {{"*.log"}, "a.log", false, true},
      {{"*.log"}, "x/y/a.log", false, true},
      {{"*.log"}, "a.logs", false, no},
      {{"*.log"}, ".log", false, true},
      {{"/a"}, "a", false, true},
      {{"/a"}, "x/a", false, no},
      {{"./a"}, "a", false, true},
      {{"./a"}, "x/a", false, no},
      {{"a/"}, "a", true, true},
      {{"a/"}, "a", false, no},
      {{"a/"}, "x/a", true, true},
      {{"a/b"}, "a/b", false, true},
      {{"a/b"}, "x/a/b", false, no},
      {{"a/*"}, "a/b", false, true},
      {{"a/*"}, "a/b/c", false, no},
      {{"a/**"}, "a/b/c", false, true},
      {{"a/**"}, "a/b", false, true},
      {{"a/**"}, "a", true, no},
      {{"**/a"}, "a", false, true},
      {{"**/a"}, "x/y/a", false, true},
      {{"**/a"}, "x/y/ab", false, no},
      {{"a/**/b"}, "a/b", false, true},
      {{"a/**/b"}, "a/x/y/b", false, true},
      {{"a/**/b"}, "a/x/y/c", false, no},
      {{"a/**/b/**/c"}, "a/b/b/x/c", false, true},
      {{"a/**/b/**/c"}, "a/x/c", false, no},
      {{"**/*.txt"}, "q/w/e.txt", false, true},
      {{"a/**/**/b"}, "a/b", false, true},
  });
}

TEST(Patterns, ElementsOfAName) {
  expect_all({
      {{"?"}, "a", false, true},
      {{"?"}, "ab", false, no},
      {{"a?c"}, "a/c", false, no},
      {{"[abc]x"}, "bx", false, true},
      {{"[!abc]x"}, "bx", false, no},
      {{"[^abc]x"}, "dx", false, true},
      {{"[a-f0-9][a-f0-9]"}, "3e", false, true},
      {{"[a-f0-9][a-f0-9]"}, "3g", false, no},
      {{"[]]"}, "]", false, true},
      {{"[]-]"}, "-", false, true},
      {{"[a-]"}, "-", false, true},
      {{"[\\]]"}, "]", false, true},
      {{"[\x80-\xff]*"}, "\xc3\xa9t\xc3\xa9", false, true},
      {{"\\*"}, "*", false, true},
      {{"\\*"}, "a", false, no},
      {{"\\!x"}, "!x", false, true},
      {{"a*b*c"}, "aXbXbXc", false, true},
      {{"a*b*c"}, "aXbXb", false, no},
      {{"*.log", "!keep.log"}, "keep.log", false, false},
      {{"!keep.log", "*.log"}, "keep.log", false, true},
      {{"*", "!*/"}, "d", true, false},
      {{"*", "!*/"}, "d", false, true},
      {{"new\nline"}, "new\nline", false, true},
      {{"\xff\xfe"}, "\xff\xfe", false, true},
      {{}, "a", false, no},
  });
}

TEST(Patterns, RefusesWhatCannotMatchAnything) {
  for (const std::string text :
       {"", "/", "!", "a//b", "../x", "a/../b", "a/.", "[abc", "x/[a", "//"}) {
    auto parsed = Patterns::parse({text});
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid);
    EXPECT_NE(parsed.error().message().find("pattern '"), std::string::npos);
  }
}

TEST(Patterns, MayMatchBelow) {
  auto below = [](const std::string& pattern, const std::string& folder) {
    return Patterns::parse({pattern})->may_match_below(folder);
  };
  EXPECT_TRUE(below("*.pdf", "any/where"));
  EXPECT_TRUE(below("a/b/c", ""));
  EXPECT_TRUE(below("a/b/c", "a"));
  EXPECT_TRUE(below("a/b/c", "a/b"));
  EXPECT_FALSE(below("a/b/c", "a/b/c"));
  EXPECT_FALSE(below("a/b/c", "x"));
  EXPECT_TRUE(below("a/*/c", "a/q"));
  EXPECT_TRUE(below("a/**", "a/q/w"));
  EXPECT_FALSE(below("/a", "x"));
  EXPECT_FALSE(below("!a/b", "a"));
}

// Patterns come from plans, but a slow one must not stop a backup: the time is bounded by the
// product of the lengths. An exponential matcher would not come back from this.
TEST(Patterns, ManyStarsStayFast) {
  std::string stars, depth;
  for (int n = 0; n < 30; ++n) {
    stars += "*a";
    depth += "**/a/";
  }
  auto patterns = Patterns::parse({stars + "b", depth + "b"});
  std::string name(250, 'a'), path;
  for (int n = 0; n < 100; ++n) path += "a/";
  EXPECT_EQ(patterns->match(name, false), std::nullopt);
  EXPECT_EQ(patterns->match(path + "c", false), std::nullopt);
}

TEST(Selection, IncludesWithTheFoldersOnTheWay) {
  auto selection = Selection::make({"media/**", "*.pdf", "!draft.pdf"}, {"*.tmp", "media/cache/"});
  ASSERT_TRUE(selection.ok());
  auto chosen = [&](const std::string& path, bool folder, bool parent) {
    auto choice = selection->choose(path, folder, parent);
    return std::string(choice.included ? "in" : "out") + (choice.entered ? "+walk" : "");
  };
  EXPECT_EQ(chosen("media", true, false), "out+walk");
  EXPECT_EQ(chosen("media/a", false, false), "in");
  EXPECT_EQ(chosen("media/cache", true, false), "out");
  EXPECT_EQ(chosen("media/x.tmp", false, false), "out");
  EXPECT_EQ(chosen("other", true, false), "out+walk");  // a PDF may lie below
  EXPECT_EQ(chosen("other/a.txt", false, false), "out");
  EXPECT_EQ(chosen("other/a.pdf", false, false), "in");
  EXPECT_EQ(chosen("other/draft.pdf", false, true), "out");
  EXPECT_EQ(chosen("media/d/deep.bin", false, true), "in");
}

TEST(Selection, SurvivesTheWayThroughTheSnapshot) {
  auto selection = Selection::make({"a/**"}, {"*.tmp"});
  ASSERT_TRUE(selection.ok());
  selection->skipped = {"a/repository"};
  auto again = Selection::decode(selection->encode());
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_TRUE(again->choose("a/x", false, false).included);
  EXPECT_FALSE(again->choose("a/x.tmp", false, false).included);
  EXPECT_FALSE(again->choose("a/repository", true, true).entered);
  auto bytes = selection->encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Selection::decode(ByteView(bytes).first(size)).ok()) << size;
  }
}

}  // namespace
}  // namespace lb::files
