#include "tests/harness/temp_dir.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace lb::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* root = "/var/tmp";
constexpr const char* prefix = "lifeboat-run-";

// Field 22 of /proc/<pid>/stat; empty when there is no such process. With it a process id that was
// given to somebody else is not mistaken for the owner.
std::string start_time_of(const std::string& pid) {
  std::ifstream in("/proc/" + pid + "/stat");
  std::string line;
  if (!std::getline(in, line)) return {};
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) rest >> field;
  return field;
}

bool owner_is_gone(const std::string& name) {
  std::istringstream in(name.substr(std::string(prefix).size()));
  std::string pid, start;
  std::getline(in, pid, '-');
  std::getline(in, start, '-');
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos) return false;
  return start_time_of(pid) != start;
}

}  // namespace

int sweep_temp_dirs() {
  int removed = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const std::string name = entry.path().filename();
    if (name.rfind(prefix, 0) != 0 || !owner_is_gone(name)) continue;
    std::error_code ignored;
    fs::remove_all(entry.path(), ignored);
    if (!ignored) ++removed;
  }
  return removed;
}

TempDir::TempDir() {
  static const int swept = sweep_temp_dirs();
  static_cast<void>(swept);
  const std::string pid = std::to_string(::getpid());
  std::ostringstream text;
  text << root << "/" << prefix << pid << "-" << start_time_of(pid) << "-XXXXXX";
  std::string name = text.str();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace lb::test
