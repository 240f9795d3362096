// Patterns: gitignore-like globs over paths below a root. Pure; bytes, not characters; case
// matters.
//
//   *.log      a name at any depth            /build     the name in the root only
//   logs/      a folder only                  a/*.txt    a slash inside: anchored at the root
//   a/**/b     any depth between              a/**       everything below a
//   !keep.log  takes back an earlier match    \!x        the name "!x"
//
// '*' and '?' never match '/'. The last pattern that matches decides. What is below an excluded
// folder is never looked at, so '!' cannot bring it back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace lb::files {

class Patterns {
 public:
  // invalid, naming the pattern: empty, an unclosed '[', a ".." in it.
  static Result<Patterns> parse(const std::vector<std::string>& texts);

  bool empty() const { return patterns_.empty(); }
  // The verdict on this path itself (not on its parents): matched, taken back, or nothing said.
  std::optional<bool> match(std::string_view path, bool is_folder) const;
  // Whether something below this folder could match: false lets a walk leave it out.
  bool may_match_below(std::string_view folder) const;

 private:
  struct Pattern {
    std::vector<std::string> segments;  // of an anchored pattern; one name otherwise
    bool negated = false, folders_only = false, anchored = false;
  };
  static Result<Pattern> parse_one(const std::string& text);

  std::vector<Pattern> patterns_;
};

// One name against one segment of a pattern.
bool match_name(std::string_view pattern, std::string_view name);

}  // namespace lb::files
