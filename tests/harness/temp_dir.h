// TempDir: a folder of one test below /var/tmp (sandboxes hide /tmp), mode 0700, removed with
// everything in it at the end. Folders whose test process was killed are swept by the next one.
#pragma once

#include <string>

namespace lb::test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Removes what dead test processes left: folders that carry the id and start time of a process that
// no longer runs. Called by TempDir; returns how many it removed.
int sweep_temp_dirs();

}  // namespace lb::test
