#include "foundation/sys/real_path.h"

#include <deque>

#include "foundation/base/text.h"

namespace lb {

namespace {

constexpr int links_max = 40;

void prepend(std::deque<std::string>& names, const std::string& path) {
  auto parts = split(path, '/');
  names.insert(names.begin(), parts.begin(), parts.end());
}

}  // namespace

Result<std::string> real_path(Files& files, const std::string& path) {
  if (!path.starts_with('/'))
    return Error(ErrorKind::invalid, cat(printable(path), " is no absolute path"));
  std::deque<std::string> names;
  prepend(names, path);
  std::string out = "/";
  for (int links = 0; !names.empty();) {
    const auto name = names.front();
    names.pop_front();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      out = path_parent(out);
      continue;
    }
    const auto next = path_join(out, name);
    const auto facts = LB_TRY(files.info(next));
    if (facts.kind != FileKind::symlink) {
      out = next;
      continue;
    }
    if (++links > links_max)
      return Error(ErrorKind::invalid, cat(printable(path), " goes through too many links"));
    const auto target = LB_TRY(files.read_link(next));
    if (target.starts_with('/')) out = "/";
    prepend(names, target);
  }
  return out;
}

}  // namespace lb
