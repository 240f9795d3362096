// The small parts: Markdown to blocks, mended bytes, words as values, fences cut into commands,
// trees written as YAML.
#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/codec/yaml.h"
#include "model/adopt/encoding.h"
#include "model/adopt/markdown.h"
#include "model/adopt/shell_text.h"
#include "model/adopt/tree.h"
#include "model/adopt/words.h"

namespace lb::adopt {
namespace {

using Lines = std::vector<std::string>;

// "line kind level text" of each block.
Lines blocks(const std::string& text) {
  static const char* kinds[] = {"h", "p", "i", "f", "r"};
  Lines out;
  for (const auto& block : parse_markdown(text)) {
    auto words = block.kind == Block::Kind::row ? join(block.cells, "|") : block.text;
    out.push_back(cat(block.line, " ", kinds[static_cast<int>(block.kind)], block.level,
                      block.ordered ? "#" : "", block.task ? "?" : "", " ",
                      replace_all(words, "\n", "/")));
  }
  return out;
}

TEST(Markdown, HeadingsInBothForms) {
  EXPECT_EQ(blocks("# A\n## B ##\n#no\n\nC\n===\nD\n---\n####### seven\n"),
            (Lines{"1 h1 A", "2 h2 B", "3 p0 #no", "5 h1 C", "7 h2 D", "9 p0 ####### seven"}));
}

TEST(Markdown, ItemsStandInOneAnother) {
  EXPECT_EQ(blocks("1. a\n   - b\n     more of b\n   - [ ] c\n2) d\n\n   still d\n\nend\n* e\n"),
            (Lines{"1 i1# a", "2 i2 b/more of b", "4 i2? c", "5 i1# d", "7 p1 still d", "9 p0 end",
                   "10 i1 e"}));
}

TEST(Markdown, FencesKeepTheirTextAndEndWhereTheyEnd) {
  EXPECT_EQ(blocks("```bash\n# no heading\n- no item\n\n```\n~~~\n```\n~~~\n1. x\n   ```\n   y\n   "
                   " z\n   ```\n"),
            (Lines{"1 f0 # no heading/- no item/", "6 f0 ```", "9 i1# x", "10 f1 y/ z"}));
  EXPECT_EQ(blocks("a\n\n    code\n    more\n\nb\n"),
            (Lines{"1 p0 a", "3 f0 code/more", "6 p0 b"}));
  EXPECT_EQ(blocks("```\nnever ends\n"), (Lines{"1 f0 never ends"}));
}

TEST(Markdown, Tables) {
  EXPECT_EQ(blocks("| a | b |\n|:--|--:|\n| `x|y` | p \\| q |\n| only |\n\n| no | table |\n"),
            (Lines{"1 r0 a|b", "3 r0 `x|y`|p | q", "4 r0 only", "6 p0 | no | table |"}));
}

TEST(Words, Dates) {
  for (const auto* text : {"January 13, 2026", "as of 13 Jan 2026, at noon", "2026-01-13",
                           "on the 13th January 2026", "Jan 13 2026"})
    EXPECT_EQ(find_date(text), "2026-01-13") << text;
  for (const auto* text : {"", "{date}", "13/01/2026", "February 30, 2026", "2026-13-01", "Q1 2026",
                           "May 5", "99999-01-13"})
    EXPECT_FALSE(find_date(text)) << text;
}

TEST(Encoding, MendsAndSaysWhere) {
  auto check = mend_encoding("a\n\xC3\xA2\xC5\x93\xE2\x80\xA6 done\nd\xC3\xA9j\xC3\xA0\n");
  EXPECT_EQ(check.text, "a\n\xE2\x9C\x85 done\nd\xC3\xA9j\xC3\xA0\n") << "proper accents stay";
  ASSERT_EQ(check.mends.size(), 1U);
  EXPECT_EQ(check.mends[0].line, 2U);
  auto broken = mend_encoding(
      "\xEF\xBB\xBF"
      "a\xFF\n\xE2\x9C");
  EXPECT_EQ(broken.text, "a\xEF\xBF\xBD\n\xEF\xBF\xBD\xEF\xBF\xBD");
  ASSERT_EQ(broken.mends.size(), 2U);
  EXPECT_EQ(broken.mends[0].before, "\\xff");
}

TEST(Words, SpansOfTime) {
  auto span = [](const std::string& text) { return find_span(text) ? find_span(text)->text : "-"; };
  EXPECT_EQ(span("≤ 1 hour (hourly)"), "1h");
  EXPECT_EQ(span("minimum 7-day retention"), "7d");
  EXPECT_EQ(span("15 min response"), "15m");
  EXPECT_EQ(span("6 months weekly"), "6mo");
  EXPECT_EQ(span("within 90s"), "90s");
  EXPECT_EQ(span("version 1.2 hours"), "-");
  EXPECT_EQ(span("0 days, p95 hours, 3 apples"), "-");
  EXPECT_EQ(find_spans("30 days PITR, 6 months").size(), 2U);
}

TEST(Words, HowOften) {
  auto every = [](const std::string& text) {
    return find_cadence(text) ? find_cadence(text)->text : "-";
  };
  EXPECT_EQ(every("Every hour at :00"), "hourly");
  EXPECT_EQ(every("exports every 15 minutes"), "15m");
  EXPECT_EQ(every("Quarterly (every 3 months)"), "quarterly");
  EXPECT_EQ(every("Annual review"), "yearly");
  EXPECT_EQ(every("every engineer"), "-");
}

TEST(Words, LabelsNamesAndMarks) {
  EXPECT_EQ(labelled("**RPO** (Recovery Point): 1 hour").label, "RPO");
  EXPECT_EQ(labelled("**RPO (Recovery Point):** 1 hour").value, "1 hour");
  EXPECT_EQ(labelled("**Verification**:").label, "Verification");
  EXPECT_EQ(labelled("see http://x/y").label, "");
  EXPECT_EQ(labelled("**Stop** the service").label, "");
  EXPECT_EQ(without_number("Scenario 12: Disk - full"), "Disk - full");
  EXPECT_EQ(without_number("2. Export"), "Export");
  EXPECT_EQ(without_number("Step by step"), "Step by step");
  EXPECT_EQ(slug("Ransomware/Data  Encryption!"), "ransomware-data-encryption");
  EXPECT_EQ(plain("**Look** at `a_b*` and [this](x.md) or [that](#y)"),
            "Look at a_b* and this (x.md) or that");
}

Lines commands(const std::string& fence) {
  Lines out;
  for (const auto& one : commands_of(fence))
    out.push_back(cat(one.line, " [", one.title, "] ", one.text));
  return out;
}

TEST(ShellText, CommentsCutAFence) {
  EXPECT_EQ(commands("# One:\na\nb\n\n# Two\nc # not a title\n"),
            (Lines{"0 [One] a\nb", "4 [Two] ", "5 [not a title] c"}));
  EXPECT_EQ(commands("make a   # first\nmake b   # second\n"),
            (Lines{"0 [first] make a", "1 [second] make b"}));
  EXPECT_EQ(commands("# To be done\n# By hand\n"), (Lines{"0 [To be done] ", "1 [By hand] "}));
}

TEST(ShellText, NeverCutsWhatBelongsTogether) {
  EXPECT_EQ(commands("psql -c \"\n# inside\nSELECT 1\n\"\n").size(), 1U);
  EXPECT_EQ(commands("cat <<EOF\n# inside\nEOF\n# next\nls\n"),
            (Lines{"0 [] cat <<EOF\n# inside\nEOF", "3 [next] ls"}));
  EXPECT_EQ(commands("curl a \\\n# odd\n b\n").size(), 1U);
  EXPECT_EQ(commands("echo 'never closed\n# x\n"), (Lines{"0 [] echo 'never closed\n# x"}));
  EXPECT_EQ(commands("echo $# a#b\n"), (Lines{"0 [] echo $# a#b"}));
}

TEST(ShellText, KnowsCommandsFromForms) {
  EXPECT_TRUE(is_shell("bash", ""));
  EXPECT_TRUE(is_shell("", "make all"));
  EXPECT_TRUE(is_shell("", "$ anything"));
  EXPECT_FALSE(is_shell("", "Report of {date}\n- a"));
  EXPECT_FALSE(is_shell("yaml", "make: x"));
  EXPECT_EQ(listed_steps("{ step: 'a', critical: true },\n{ \"step\": \"b\" }\n").size(), 2U);
  EXPECT_EQ(listed_steps("const step = 'a'\n").size(), 0U);
}

TEST(Tree, GivesEveryTextBack) {
  for (const std::string text : {"plain",
                                 "no",
                                 "1",
                                 "",
                                 " lead",
                                 "trail ",
                                 "a: b",
                                 "# c",
                                 "a # b",
                                 "- x",
                                 "{a}",
                                 "two\nlines",
                                 " two\nlines",
                                 "two\n lines",
                                 "two\n\nlines",
                                 "two\nlines\n",
                                 "tab\there\nx",
                                 "\ttab\nx",
                                 "a\r\nb",
                                 "a\n\xE2\x80\xA8 b",
                                 "a\n\x7f",
                                 "a\n  ",
                                 "\n",
                                 "'\"",
                                 "\xC2\x85\nx",
                                 "x\n\xEF\xBB\xBF"}) {
    Tree tree;
    tree.set("a", Tree::of(text, 7));
    tree.at("b").set("c", Tree::list()).items.push_back(Tree::of(text));
    auto yaml = write_yaml(tree, "f.md").yaml;
    auto back = parse_yaml(yaml);
    ASSERT_TRUE(back.faults.empty()) << yaml << back.faults[0].text;
    EXPECT_EQ(back.root.find("a")->text, text) << yaml;
    EXPECT_EQ(back.root.find("b")->find("c")->items[0].text, text) << yaml;
  }
}

TEST(Tree, CommentsNeverEndEarly) {
  EXPECT_EQ(comment_line("a\nb\xE2\x80\xA8"
                         "c"),
            "a\\x0ab c");
  EXPECT_EQ(comment_line("password=sesame"), "password=****");
}

}  // namespace
}  // namespace lb::adopt
