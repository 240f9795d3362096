// What a runbook says against itself or against its own aims. Each rule asks for words of both
// sides and names the lines of both; a text without one of them is silent. Pure.
#pragma once

#include <vector>

#include "model/adopt/adopt.h"
#include "model/adopt/draft.h"

namespace lb::adopt {

// After the survey. In the order of the first line.
std::vector<Contradiction> find_contradictions(const Draft& draft);

// One line of what the source says, with where it stands.
struct Statement {
  std::string text, low;  // plain (commands as they are); and in lower case
  std::size_t line = 0, block = 0;
  std::size_t runbook = none;  // of the draft
  bool command = false;        // in a fence
  bool acceptance = false;     // checks that what was restored is right
};
std::vector<Statement> statements_of(const Draft& draft);

// The rules, by what they look at.
void contradict_objectives(const Draft& draft, const std::vector<Statement>& all,
                           std::vector<Contradiction>& out);
void contradict_commands(const Draft& draft, const std::vector<Statement>& all,
                         std::vector<Contradiction>& out);
void contradict_words(const Draft& draft, const std::vector<Statement>& all,
                      std::vector<Contradiction>& out);

}  // namespace lb::adopt
