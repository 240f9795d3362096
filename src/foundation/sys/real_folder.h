// The OpenFolder of real_files(), and how paths are opened. Private to foundation/sys.
#pragma once

#include <sys/types.h>

#include <string>

#include "foundation/sys/descriptor.h"
#include "foundation/sys/files.h"

namespace lb {

// invalid: empty, or with a NUL byte, which would silently cut it and act on another file.
Status check_path(const std::string& path);
// Where things in the folder are: "x" for "x/.", which is how a link that leads to a folder is
// followed.
std::string path_inside(const std::string& folder);
// O_CLOEXEC is added. O_NOATIME is tried: only owners may leave access times alone.
Result<Descriptor> open_path(const std::string& path, int flags, mode_t mode = 0);

class RealFolder final : public OpenFolder {
 public:
  static Result<std::unique_ptr<RealFolder>> open(const std::string& path);
  RealFolder(Descriptor descriptor, std::string path);
  Result<std::vector<DirEntry>> list() override;
  Result<FileInfo> info(const std::string& name) override;
  Result<std::unique_ptr<OpenFolder>> open_folder(const std::string& name) override;

 private:
  Status add_entry(const char* name, unsigned char type, std::vector<DirEntry>& out) const;

  Descriptor descriptor_;
  std::string path_;  // for what is said of it
};

}  // namespace lb
