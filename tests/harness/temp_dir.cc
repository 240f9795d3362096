#include "tests/harness/temp_dir.h"

#include <sys/ipc.h>
#include <sys/shm.h>
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

// A killed PostgreSQL leaves a segment of shared memory, named in the seventh line of its lock
// file by key and id. The machine has some thousands of them for all, and then starts none.
void free_shared_memory(const fs::path& lock_file) {
  std::ifstream in(lock_file);
  std::string line;
  for (int number = 1; number <= 7; ++number) {
    if (!std::getline(in, line)) return;
  }
  std::istringstream words(line);
  unsigned long key = 0;
  int id = -1;
  if (!(words >> key >> id)) return;
  shmid_ds found{};
  if (::shmctl(id, IPC_STAT, &found) != 0 || found.shm_nattch != 0) return;
  if (static_cast<unsigned long>(static_cast<unsigned>(found.shm_perm.__key)) != key) return;
  ::shmctl(id, IPC_RMID, nullptr);
}

void remove_folder(const fs::path& folder, std::error_code& error) {
  constexpr int deep = 4;  // a data directory of a restore in a sandbox
  std::error_code unread;
  fs::recursive_directory_iterator each(folder, fs::directory_options::skip_permission_denied,
                                        unread);
  for (; !unread && each != fs::recursive_directory_iterator(); each.increment(unread)) {
    if (each.depth() >= deep) each.disable_recursion_pending();
    if (each->path().filename() == "postmaster.pid") free_shared_memory(each->path());
  }
  fs::remove_all(folder, error);
}

}  // namespace

int sweep_temp_dirs() {
  int removed = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const std::string name = entry.path().filename();
    if (name.rfind(prefix, 0) != 0 || !owner_is_gone(name)) continue;
    std::error_code ignored;
    remove_folder(entry.path(), ignored);
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
  remove_folder(path_, ignored);
}

}  // namespace lb::test
