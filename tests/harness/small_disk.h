// A small file system of its own, in memory, gone with its content when the test ends.
#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <string>

namespace lb::test {

class SmallDisk {
 public:
  // `size` as mount takes it: "2m". Its root is readable by others only with `mode` 755.
  SmallDisk(const std::string& folder, const std::string& size, const std::string& mode = "755")
      : folder_(folder) {
    std::filesystem::create_directories(folder);
    auto options = "size=" + size + ",mode=" + mode;
    mounted_ = ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  // Not without root: the test is skipped then.
  bool mounted() const { return mounted_; }

 private:
  const std::string folder_;
  bool mounted_ = false;
};

}  // namespace lb::test
