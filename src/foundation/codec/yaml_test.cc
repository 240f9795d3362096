#include "foundation/codec/yaml.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"

namespace lb {
namespace {

YamlNode tree(std::string_view text) {
  auto document = parse_yaml(text);
  for (const auto& fault : document.faults) {
    ADD_FAILURE() << fault.line << ":" << fault.column << ": " << fault.text;
  }
  return document.root;
}

// The first fault as "line:column: text".
std::string fault(std::string_view text) {
  auto document = parse_yaml(text);
  if (document.faults.empty()) return "none";
  const auto& first = document.faults[0];
  return cat(first.line, ":", first.column, ": ", first.text);
}

TEST(Yaml, KnowsThePlaceOfEveryValue) {
  auto root = tree("# c\nstores:\n  db: {every: hourly}\n  list:\n    - é: one\n");
  const auto& stores = *root.find("stores");
  EXPECT_EQ(root.entries[0].key.line, 2U);
  EXPECT_EQ(root.entries[0].key.column, 1U);
  const auto& every = *stores.find("db")->find("every");
  EXPECT_EQ(every.line, 3U);
  EXPECT_EQ(every.column, 15U);
  const auto& one = *stores.find("list")->items[0].find("é");
  EXPECT_EQ(one.line, 5U);
  EXPECT_EQ(one.column, 10U) << "columns count characters, not bytes";
  EXPECT_EQ(stores.find("nothing"), nullptr);
  EXPECT_EQ(one.find("key"), nullptr);
}

TEST(Yaml, MeansWhatTheCoreSchemaSays) {
  auto root = tree(
      "[no, yes, on, 02:00, true, False, 12, -3, +4, 0x1F, 0o17, 017, 1.5, 1e3, .5, 'true', \"7\", "
      "~, "
      "null, Null, 0b1, 1_000, .inf, 1.2.3]");
  auto json = to_json(root).dump();
  EXPECT_EQ(
      json,
      R"(["no","yes","on","02:00",true,false,12,-3,4,31,15,17,1.5,1000.0,0.5,"true","7",null,)"
      R"(null,null,"0b1","1_000",".inf","1.2.3"])");
}

TEST(Yaml, ExpandsAnchors) {
  auto root = tree("a: &x {k: [1, 2]}\nb: *x\nc: &s text\nd: *s\n");
  EXPECT_EQ(to_json(root).dump(), R"({"a":{"k":[1,2]},"b":{"k":[1,2]},"c":"text","d":"text"})");
  EXPECT_EQ(root.find("b")->find("k")->line, 1U)
      << "an expanded value keeps the place it is written";
}

TEST(Yaml, ListsEveryDuplicateKeyAndKeepsTheFirst) {
  auto document = parse_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\n");
  ASSERT_EQ(document.faults.size(), 2U);
  EXPECT_TRUE(document.readable);
  EXPECT_EQ(document.faults[0].line, 2U);
  EXPECT_EQ(document.faults[0].column, 11U);
  EXPECT_EQ(document.faults[0].text, "duplicate key 'c'");
  EXPECT_EQ(document.faults[1].text, "duplicate key 'a'");
  EXPECT_EQ(document.faults[1].suggestion, "it is already given in line 1");
  EXPECT_EQ(document.root.find("a")->text, "1");
}

TEST(Yaml, NamesThePlaceOfWhatItRefuses) {
  EXPECT_EQ(fault("a: [1, 2\nb: 3\n").substr(0, 4), "2:2:");
  EXPECT_EQ(fault("a: 1\n b: 2\n").substr(0, 2), "2:");
  EXPECT_EQ(fault("a: 1\n---\nb: 2\n"), "2:1: a second document begins here");
  EXPECT_EQ(fault("a: *nothing\n"), "1:4: alias '*nothing' has no anchor before it");
  EXPECT_EQ(fault("a: &a [*a]\n"), "1:8: alias '*a' stands inside its own value");
  EXPECT_EQ(fault("a: !!python/object x\n"),
            "1:4: tag 'tag:yaml.org,2002:python/object' is not allowed");
  EXPECT_EQ(fault("? [a, b]\n: c\n"), "1:3: a key must be a text");
  EXPECT_EQ(fault("a: ok\nb: caf\xE9\n"), "2:7: this is not UTF-8");
  EXPECT_EQ(fault("é: \"\xC3\xA9\xFF\"\n"), "1:6: this is not UTF-8");
  EXPECT_EQ(fault(std::string_view("a: \0b\n", 6)), "1:4: control characters are not allowed");
}

TEST(Yaml, ReadsNothingAsNull) {
  EXPECT_TRUE(tree("").is_null());
  EXPECT_TRUE(tree("# only a comment\n").is_null());
  EXPECT_TRUE(tree("\xEF\xBB\xBF"
                   "a: 1\n")
                  .is_mapping());
}

TEST(Yaml, RefusesAliasBombs) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    std::string before(1, static_cast<char>(c - 1));
    bomb += cat(c, ": &", c, " [");
    for (int i = 0; i < 10; ++i) bomb += cat(i > 0 ? "," : "", "*", before);
    bomb += "]\n";
  }
  EXPECT_NE(fault(bomb).find("once aliases are expanded"), std::string::npos);
  std::string text = cat("a: &a ", std::string(100'000, 'x'), "\nb: [");
  for (int i = 0; i < 1000; ++i) text += "*a, ";
  EXPECT_NE(fault(text + "]\n").find("once aliases are expanded"), std::string::npos);
  std::string nested;
  for (int i = 0; i < 60; ++i) nested += cat("&n", i, " [");
  for (int i = 0; i < 20'000; ++i) nested += "x,";
  EXPECT_NE(fault(nested + std::string(60, ']')).find("once aliases are expanded"),
            std::string::npos);
}

TEST(Yaml, LimitsSizeAndDepth) {
  EXPECT_EQ(fault(std::string(10'000'001, '#')), "1:1: the file has 9.5 MiB, more than 10 MB");
  EXPECT_EQ(fault(std::string(10'000'000, '#')), "none");
  EXPECT_NE(fault(std::string(5'000'000, '[')).find("nested deeper than 64"), std::string::npos);
  std::string many;
  for (int i = 0; i < 60'000; ++i) many += "- a\n";
  EXPECT_NE(fault(many).find("more than 50,000 values"), std::string::npos);
  std::string chain = "l0: &a0 " + std::string(60, '[') + "x" + std::string(60, ']') + "\n";
  chain += "l1: " + std::string(10, '[') + "*a0" + std::string(10, ']') + "\n";
  EXPECT_NE(fault(chain).find("nested deeper than 64"), std::string::npos);
}

TEST(Yaml, WritesScalarsThatReadBack) {
  EXPECT_EQ(yaml_scalar("postgres"), "postgres");
  EXPECT_EQ(yaml_scalar("month day 1 03:00"), "month day 1 03:00");
  EXPECT_EQ(yaml_scalar("no"), "no");
  EXPECT_EQ(yaml_scalar("true"), "\"true\"");
  EXPECT_EQ(yaml_scalar("12"), "\"12\"");
  EXPECT_EQ(yaml_scalar(""), "\"\"");
  for (std::string text : {"a: b",
                           "a #b",
                           "- a",
                           "-a",
                           "--- x",
                           "é",
                           "\"q\"",
                           "line\nbreak",
                           "tab\t",
                           "*x",
                           "&y",
                           "{z}",
                           "%a",
                           "@b",
                           "a:",
                           " a",
                           "a ",
                           "\x7f",
                           "\xC2\x85",
                           "\xC2\x9F",
                           "\xE2\x80\xA8",
                           "\xEF\xBB\xBF",
                           "~",
                           "0x1F",
                           "1e3",
                           "null",
                           "a\\b",
                           "!t",
                           "?",
                           "key: value",
                           "a, b",
                           "s3://bucket/x",
                           "$.token",
                           "[",
                           "#",
                           "<<",
                           "=",
                           "."}) {
    auto root = tree(cat("k: ", yaml_scalar(text), "\n"));
    ASSERT_TRUE(root.is_mapping()) << text;
    EXPECT_EQ(root.find("k")->text, text);
    EXPECT_TRUE(to_json(*root.find("k")).is_string()) << text;
    auto flow = tree(cat("[", yaml_scalar(text), "]\n"));
    ASSERT_EQ(flow.items.size(), 1U) << text;
    EXPECT_EQ(flow.items[0].text, text);
  }
}

}  // namespace
}  // namespace lb
