// A code fence of shell commands, cut where its comments say that something else begins. Quotes,
// continued lines and here-documents are never cut. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lb::adopt {

struct Command {
  std::size_t line = 0;  // of its first line, counted from 0 within the fence
  std::string title;     // of the comment above or behind it; may be empty
  std::string text;      // empty: a comment that no command follows
};

std::vector<Command> commands_of(std::string_view fence);
// A step in program text: "{ step: 'Notify', critical: true }".
struct ListedStep {
  std::size_t line = 0;  // counted from 0 within the fence
  std::string text;
  bool critical = false;
};
// Empty unless there are two or more.
std::vector<ListedStep> listed_steps(std::string_view fence);
// Whether a fence of this language holds commands; without a language its text decides.
bool is_shell(const std::string& language, std::string_view fence);

}  // namespace lb::adopt
