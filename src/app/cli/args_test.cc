#include "app/cli/args.h"

#include <gtest/gtest.h>

#include "app/cli/verbs.h"

namespace lb::cli {
namespace {

VerbHelp sample() {
  return {"restore",
          "Brings it back.",
          {"lifeboat restore db --to /x   # one", "lifeboat restore db --to /y   # two"},
          "restore STORE --to FOLDER",
          {{"to", 0, "FOLDER", "where", false},
           {"only", 0, "PATH", "what", true},
           {"dry-run", 'n', "", "say", false}},
          1};
}

TEST(Args, ReadsFlagsInEveryForm) {
  auto args = parse_args(sample(), {"db", "--to=/a", "-n", "--only", "x", "--only", "y", "--json"});
  ASSERT_TRUE(args.ok()) << args.error().text();
  EXPECT_EQ(args->positionals, std::vector<std::string>{"db"});
  EXPECT_EQ(args->get("to"), "/a");
  EXPECT_TRUE(args->has("dry-run"));
  EXPECT_TRUE(args->has("json"));
  EXPECT_EQ(args->all("only"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(args->get("missing", "fallback"), "fallback");
}

TEST(Args, WordsAfterTwoDashesAreNeverFlags) {
  auto args = parse_args(sample(), {"--", "--to"});
  ASSERT_TRUE(args.ok());
  EXPECT_EQ(args->positionals, std::vector<std::string>{"--to"});
}

TEST(Args, RefusesWithAHint) {
  struct Case {
    std::vector<std::string> words;
    std::string message, hint;
  };
  const std::vector<Case> cases = {
      {{"--too", "x"}, "unknown flag '--too' for restore", "did you mean --to?"},
      {{"-z"}, "unknown flag '-z' for restore", "see lifeboat restore --help"},
      {{"--to"}, "flag --to needs FOLDER", ""},
      {{"--to", "a", "--to", "b"}, "flag --to is given twice", ""},
      {{"--dry-run=yes"}, "flag --dry-run takes no value", ""},
      {{"a", "b"}, "'b' is one word too many", "usage: lifeboat restore STORE --to FOLDER"},
  };
  for (const auto& each : cases) {
    auto args = parse_args(sample(), each.words);
    ASSERT_FALSE(args.ok()) << each.message;
    EXPECT_EQ(args.error().text(), each.message);
    EXPECT_EQ(args.error().hint(), each.hint);
    EXPECT_EQ(args.error().exit_code(), ExitCode::usage);
  }
}

TEST(Args, HelpStartsWithTwoExamples) {
  for (const auto& verb : all_verbs()) {
    auto text = help_text(verb.help);
    EXPECT_TRUE(text.starts_with("Examples:\n  lifeboat ") ||
                text.starts_with("Examples:\n  LIFEBOAT_KEY"))
        << verb.help.name;
    EXPECT_GE(verb.help.examples.size(), 2u) << verb.help.name;
    EXPECT_NE(text.find("Usage: lifeboat " + verb.help.usage), std::string::npos);
    EXPECT_NE(text.find("--json"), std::string::npos);
  }
}

TEST(Console, TableAlignsAndCountsCharactersNotBytes) {
  EXPECT_EQ(table({{"A", "LONG"}, {"–", "1"}, {"xx", "22"}}, {1}),
            "A   LONG\n–      1\nxx    22\n");
}

}  // namespace
}  // namespace lb::cli
