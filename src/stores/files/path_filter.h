// PathFilter: "only these paths below the root". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace lb::files {

class PathFilter {
 public:
  // "a/b", "/a/b/", "./a/b" mean the same; empty or "." is everything. invalid for "..".
  static Result<PathFilter> make(const std::vector<std::string>& only);

  bool all() const { return paths_.empty(); }
  bool wants(std::string_view path) const;     // one of the paths, or below one
  bool leads_to(std::string_view path) const;  // a folder above one
  // In key order, none below another.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::vector<std::string> paths_;
};

// "a/b" of "/a/b/" or "./a/b": names a place below a root, or is invalid ("..", NUL).
Result<std::string> path_below_root(std::string_view text);
// True when `path` is `folder` or lies in it.
bool is_within(std::string_view path, std::string_view folder);

}  // namespace lb::files
