// docs/commands.md is what --help says of every verb. After a change of a verb: ./dev docs
#include "app/cli/verbs.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "foundation/base/text.h"

namespace lb::cli {
namespace {

std::string commands_document() {
  std::string out =
      "# Commands\n\n"
      "What `lifeboat VERB --help` says, of all verbs. Every verb takes `--plan FILE`, `--json`,\n"
      "`--quiet`, `--verbose` and `--help`; these are left out below.\n\n"
      "| verb | does |\n|---|---|\n";
  for (const auto& verb : all_verbs()) {
    const auto& help = verb.help;
    out += cat("| [", help.name, "](#lifeboat-", replace_all(help.name, " ", "-"), ") | ",
               replace_all(help.summary, "|", "\\|"), " |\n");
  }
  for (const auto& verb : all_verbs()) {
    const auto& help = verb.help;
    out += cat("\n## lifeboat ", help.name, "\n\n", help.summary, "\n\n```\nlifeboat ", help.usage,
               "\n\n");
    for (const auto& example : help.examples) out += cat(example, "\n");
    out += "```\n";
    if (!help.flags.empty()) out += "\n";
    for (const auto& flag : help.flags) {
      out += cat("- `--", flag.name, flag.value.empty() ? "" : cat(" ", flag.value), "`");
      if (flag.letter != 0) out += cat(", `-", flag.letter, "`");
      out += cat(": ", flag.help, flag.repeats ? " (may be given more than once)" : "", "\n");
    }
  }
  return out;
}

TEST(Verbs, HaveNamesOfTheirOwnAndExamples) {
  std::set<std::string> names;
  for (const auto& verb : all_verbs()) {
    EXPECT_TRUE(names.insert(verb.help.name).second) << verb.help.name;
    EXPECT_GE(verb.help.examples.size(), 1u) << verb.help.name;
    for (const auto& example : verb.help.examples)
      EXPECT_NE(example.find("lifeboat"), std::string::npos) << example;
    EXPECT_TRUE(verb.help.usage.starts_with(verb.help.name)) << verb.help.usage;
  }
}

TEST(Verbs, AreThoseOfTheDocument) {
  const std::string path = LIFEBOAT_DOCS "/commands.md";
  if (std::getenv("LIFEBOAT_WRITE_DOCS") != nullptr) std::ofstream(path) << commands_document();
  std::ostringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), commands_document()) << "./dev docs writes it anew";
}

}  // namespace
}  // namespace lb::cli
