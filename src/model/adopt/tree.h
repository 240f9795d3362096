// The plan that is being made, as a tree whose values know the line of the source they came from;
// written as YAML with that line behind each. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lb::adopt {

struct Tree {
  enum class Kind { text, raw, map, list };  // raw: a number or true, written without quotes
  Kind kind = Kind::map;
  std::string text;
  struct Member;
  std::vector<Member> members;
  std::vector<Tree> items;
  std::size_t line = 0;            // of the source; 0: not from the source
  std::string remark;              // instead of the line, for values that are not from the source
  std::vector<std::string> above;  // comments before it

  static Tree of(std::string text, std::size_t line = 0);
  static Tree raw(std::string text, std::size_t line = 0);
  static Tree list();
  Tree with_remark(std::string words) &&;

  bool empty() const { return members.empty() && items.empty() && text.empty(); }
  const Tree* find(std::string_view key) const;
  Tree& at(std::string_view key);               // adds an empty map when it is not there
  Tree& set(std::string_view key, Tree value);  // adds or replaces; returns the value
};

struct Tree::Member {
  std::string first;
  Tree second;
};

struct Written {
  std::string yaml;
  std::size_t values = 0;            // as parse_yaml counts them, about
  std::vector<std::size_t> secrets;  // lines of the source whose text looked like a secret
};

// `file` stands in "# from FILE:LINE". A text that looks like a secret is not written.
Written write_yaml(const Tree& tree, const std::string& file);
// One comment line: printable, without secrets.
std::string comment_line(std::string_view text);

}  // namespace lb::adopt
