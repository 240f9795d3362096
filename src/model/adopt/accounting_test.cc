// Nothing of a source is lost: what a small scan of its own finds in the text is in the plan with
// its line, or listed as not understood. Over the runbooks of tests/runbooks, and over those in the
// folder LIFEBOAT_RUNBOOKS names in the environment.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "model/adopt/adopt_testing.h"

namespace lb::adopt {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<std::string> sources() {
  std::vector<std::string> out;
  std::vector<fs::path> folders = {LIFEBOAT_RUNBOOKS};
  if (const char* more = std::getenv("LIFEBOAT_RUNBOOKS")) folders.emplace_back(more);
  for (const auto& folder : folders) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".md") out.push_back(entry.path().string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

struct Found {
  char kind;  // h, i, f, r
  std::size_t line;
  std::string text;
};

// A scan that shares no code with the parser: by lines and expressions. Fences of Markdown are read
// as text of the document.
std::vector<Found> scan(const std::string& text) {
  static const std::regex fence("^\\s*(```|~~~)\\s*([a-z]*).*$");
  static const std::regex heading("^#{1,6}\\s+(.*)$"), item("^\\s*(?:[-*+]|\\d+[.)])\\s+(.*)$");
  static const std::regex underline("^=+$"), delimiter("^[|:\\s-]*-[|:\\s-]*$");
  std::vector<Found> out;
  std::istringstream lines(text);
  std::string line, before, open;
  bool document = false;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    std::smatch match;
    if (std::regex_match(line, match, fence)) {
      if (!open.empty() && match[1] == open) {
        open.clear();
        document = false;
        continue;
      }
      if (open.empty()) {
        out.push_back({'f', number, ""});
        open = match[1];
        document = match[2] == "markdown" || match[2] == "md";
        continue;
      }
    }
    if (!open.empty() && !document) continue;
    if (std::regex_match(line, match, heading)) out.push_back({'h', number, match[1]});
    if (std::regex_match(line, underline) && !before.empty())
      out.push_back({'h', number - 1, before});
    if (std::regex_match(line, match, item)) out.push_back({'i', number, match[1]});
    bool row = line.find('|') != std::string::npos && trim(line).starts_with("|");
    if (row && !std::regex_match(line, delimiter)) out.push_back({'r', number, line});
    before = line;
  }
  return out;
}

// Words of letters and digits, without the marks of Markdown and YAML.
std::string bare(const std::string& text) {
  std::string out;
  for (char c : text) {
    bool keep = std::isalnum(static_cast<unsigned char>(c)) != 0;
    out += keep ? c : ' ';
  }
  std::istringstream words(out);
  std::string word, joined;
  while (words >> word) joined += word + " ";
  return joined;
}

char kind_of(Block::Kind kind) {
  switch (kind) {
    case Block::Kind::heading:
      return 'h';
    case Block::Kind::item:
      return 'i';
    case Block::Kind::fence:
      return 'f';
    case Block::Kind::row:
      return 'r';
    case Block::Kind::paragraph:
      break;
  }
  return 'p';
}

class Accounting : public ::testing::TestWithParam<std::string> {};

TEST_P(Accounting, EveryPieceIsInThePlanOrListed) {
  auto text = text_of(GetParam());
  ASSERT_FALSE(text.empty());
  auto name = fs::path(GetParam()).filename().string();
  auto out = adopt(name, text);
  ASSERT_TRUE(out.ok());
  auto wanted = scan(text);
  std::map<char, int> counts, pieces;
  for (const auto& found : wanted) ++counts[found.kind];
  for (const auto& piece : out->pieces) ++pieces[kind_of(piece.kind)];
  pieces.erase('p');
  EXPECT_EQ(pieces, counts);
  auto part = out->yaml.find("# Not understood");
  auto yaml_bare = bare(out->yaml);
  for (const auto& found : wanted) {
    auto piece = std::find_if(out->pieces.begin(), out->pieces.end(), [&](const Piece& one) {
      return one.line == found.line && kind_of(one.kind) == found.kind;
    });
    ASSERT_NE(piece, out->pieces.end()) << found.line << " " << found.text;
    auto mark = cat(name, ":", found.line);
    auto at = out->yaml.find(mark + "\n");
    if (at == std::string::npos) at = out->yaml.find(mark + ":");
    if (at == std::string::npos) at = out->yaml.find(mark + ",");
    EXPECT_NE(at, std::string::npos) << "no trace of line " << found.line << ": " << found.text;
    if (!piece->understood) {
      EXPECT_NE(part, std::string::npos);
      EXPECT_GT(out->yaml.find(mark + ": ", part), part) << mark;
    }
    if (found.kind != 'h' && found.kind != 'i') continue;
    // The words themselves: numbers and labels may stand elsewhere, so each word is looked for.
    auto text_here = std::regex_replace(found.text, std::regex("\\]\\(#[^)]*\\)"), "");
    std::istringstream words(bare(text_here));
    for (std::string word; words >> word;) {
      if (word.size() < 4 || word == "Step" || word == "Scenario") continue;
      bool there = lower(yaml_bare).find(lower(word)) != std::string::npos;
      EXPECT_TRUE(there) << mark << ": " << word;
    }
  }
}

TEST_P(Accounting, ThePlanIsAccepted) {
  auto name = fs::path(GetParam()).filename().string();
  auto out = adopt(name, text_of(GetParam()));
  ASSERT_TRUE(out.ok());
  auto read = plan::read_plan("plan.yaml", out->yaml, nullptr);
  EXPECT_EQ(plan::format_mistakes(read.mistakes, false), "");
  EXPECT_EQ(read.plan.runbooks.size(), out->runbooks);
  EXPECT_GT(out->runbooks, 0U);
  for (const auto& runbook : read.plan.runbooks) {
    for (const auto& step : runbook.steps) {
      EXPECT_TRUE(step.review || step.verb != "run") << runbook.name << ": " << step.what.text;
    }
  }
}

// However a text is cut off or torn, it becomes a plan or is refused.
TEST_P(Accounting, TornTextsStillBecomePlans) {
  auto text = text_of(GetParam());
  auto name = fs::path(GetParam()).filename().string();
  for (std::size_t i = 0; i < 60; ++i) {
    auto cut = text.size() * i / 60;
    auto torn = i % 2 == 0 ? text.substr(0, cut) : text.substr(cut) + text.substr(0, cut);
    if (i % 3 == 0) torn = replace_all(torn, "\n\n", "\n");
    auto out = adopt(name, torn);
    if (!out.ok()) continue;
    auto read = plan::read_plan("plan.yaml", out->yaml, nullptr);
    ASSERT_EQ(plan::format_mistakes(read.mistakes, false), "") << "cut " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Accounting, ::testing::ValuesIn(sources()), [](const auto& test) {
  auto path = fs::path(test.param);
  auto name = cat(path.parent_path().filename().string(), "_", path.stem().string());
  return replace_all(replace_all(name, "-", "_"), ".", "_");
});

}  // namespace
}  // namespace lb::adopt
