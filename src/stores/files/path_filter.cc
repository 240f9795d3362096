#include "stores/files/path_filter.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/files/store.h"

namespace lb::files {

Result<std::string> path_below_root(std::string_view text) {
  std::vector<std::string> names;
  for (auto& name : split(text, '/')) {
    if (name.empty() || name == ".") continue;
    if (name == ".." || name.find('\0') != std::string::npos) {
      return Error(ErrorKind::invalid, cat("path '", printable(text), "': not below the root"));
    }
    names.push_back(std::move(name));
  }
  return join(names, "/");
}

bool is_within(std::string_view path, std::string_view folder) {
  if (folder.empty() || path == folder) return true;
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

Result<PathFilter> PathFilter::make(const std::vector<std::string>& only) {
  PathFilter out;
  std::vector<std::string> paths;
  for (const auto& text : only) {
    paths.push_back(LB_TRY(path_below_root(text)));
    if (paths.back().empty()) return PathFilter();
  }
  std::sort(paths.begin(), paths.end(),
            [](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
  for (auto& path : paths) {
    if (out.paths_.empty() || !is_within(path, out.paths_.back())) {
      out.paths_.push_back(std::move(path));
    }
  }
  return out;
}

bool PathFilter::wants(std::string_view path) const {
  return all() || std::any_of(paths_.begin(), paths_.end(),
                              [&](const auto& folder) { return is_within(path, folder); });
}

bool PathFilter::leads_to(std::string_view path) const {
  return std::any_of(paths_.begin(), paths_.end(),
                     [&](const auto& wanted) { return wanted != path && is_within(wanted, path); });
}

}  // namespace lb::files
