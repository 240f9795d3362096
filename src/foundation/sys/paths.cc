// Paths as text: no system call, no normalising of "..".
#include "foundation/base/text.h"
#include "foundation/sys/files.h"

namespace lb {

namespace {
std::string_view without_end_slashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}
}  // namespace

std::string path_join(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  if (name.empty()) return std::string(folder);
  return folder.back() == '/' ? cat(folder, name) : cat(folder, "/", name);
}

std::string path_parent(std::string_view path) {
  path = without_end_slashes(path);
  auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(without_end_slashes(path.substr(0, slash == 0 ? 1 : slash)));
}

std::string path_name(std::string_view path) {
  path = without_end_slashes(path);
  auto slash = path.rfind('/');
  if (slash == std::string_view::npos || path == "/") return std::string(path);
  return std::string(path.substr(slash + 1));
}

}  // namespace lb
