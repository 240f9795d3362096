// The programs that a step's command starts, read from its text, so that a missing one is known
// before the step needs it. Shells compute much of what they run: what the text does not tell is
// said not to be told, never guessed. Pure.
#pragma once

#include <string>
#include <vector>

namespace lb::runbook {

struct CommandPrograms {
  std::vector<std::string> names;  // as written, each once, without the shell's own commands
  bool whole = true;               // false: it may start others, which only running it tells
};
CommandPrograms programs_of(const std::string& command);

}  // namespace lb::runbook
