// A line of a log as text: its words with what stands around them, its key=value pairs, its
// colours. Internal to this folder, pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lb::check {

bool is_digit(char c);
bool is_blank(char c);

struct Word {
  std::size_t at = 0;           // in the line
  std::string text;             // letters only
  std::string before;           // the token in front of it: "0" of "0 errors"; empty: none
  char previous = 0, next = 0;  // 0: the line begins or ends there
  bool capitals = false;        // all of them, and two at least
  bool first = false;           // but for times, numbers and what stands in brackets

  // Not a part of a name, a path or a URL.
  bool stands_alone() const;
  // "[error]", "<warn>", "[core:error]".
  bool bracketed() const;
};

// The first 400: a level stands at the beginning.
std::vector<Word> words_of_line(std::string_view line);

// The letters after `"key": "` or `key=`, beginning at `at`; empty when no value follows.
std::string_view value_after(std::string_view line, std::size_t at);

// Without the sequences that colour text on a terminal.
std::string without_colours(std::string_view line);

}  // namespace lb::check
