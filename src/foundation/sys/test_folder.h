// A temporary folder of one test, removed at its end. For tests only.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace lb {

class TestFolder {
 public:
  // Not below /tmp: sandboxes hide it, and /var/tmp is a disk on most machines (xattrs, holes).
  TestFolder() {
    std::string name = "/var/tmp/lifeboat-test-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// The thread sanitizer ends a forked child that starts a thread. Tests that fork to have an owner
// they can kill are skipped under it.
#if defined(__SANITIZE_THREAD__)
constexpr bool forked_child_may_have_threads = false;
#else
constexpr bool forked_child_may_have_threads = true;
#endif

}  // namespace lb
