// Markdown as a flat list of blocks in the order of the file, each with its lines. The parser is
// ours, because every heading, item, fence and row must be told apart with its line: parsers that
// call back give no place for blocks without text. Pure; never fails: what is nothing else is a
// paragraph.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lb::adopt {

struct Block {
  enum class Kind { heading, paragraph, item, fence, row };
  Kind kind = Kind::paragraph;
  std::size_t line = 0, line_last = 0;  // from 1; of the file, also inside an embedded document
  // heading: 1 to 6. Others: how many list items they stand in; an item of a top list has 1.
  int level = 0;
  bool ordered = false;            // item: numbered
  bool task = false;               // item: has a box, "- [ ]"
  bool head = false;               // row: the first of its table
  std::size_t table = 0;           // row: which table, from 0
  std::string text;                // without markers; several lines are kept as lines
  std::string language;            // fence: first word behind the opening, lower case
  std::vector<std::string> cells;  // row
};

// `line_first`: the line the text begins with in its file.
std::vector<Block> parse_markdown(std::string_view text, std::size_t line_first = 1);

}  // namespace lb::adopt
