// What Files does by its other calls unless it knows better.
#include "foundation/sys/files.h"

#include "foundation/base/text.h"
#include "foundation/sys/real_folder.h"

namespace lb {

namespace {

class FolderByPath final : public OpenFolder {
 public:
  FolderByPath(Files& files, std::string path)
      : files_(files), path_(std::move(path)), inside_(path_inside(path_)) {}
  Result<std::vector<DirEntry>> list() override { return files_.list(path_); }
  Result<FileInfo> info(const std::string& name) override {
    return files_.info(path_join(inside_, name));
  }
  Result<std::unique_ptr<OpenFolder>> open_folder(const std::string& name) override {
    return files_.open_folder(path_join(inside_, name));
  }

 private:
  Files& files_;
  std::string path_, inside_;
};

class FileSystemByPath final : public FileSystem {
 public:
  FileSystemByPath(Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  Status sync() override { return files_.sync_filesystem(path_); }

 private:
  Files& files_;
  std::string path_;
};

}  // namespace

std::unique_ptr<OpenFolder> by_path(Files& files, const std::string& path) {
  return std::make_unique<FolderByPath>(files, path);
}

Result<std::unique_ptr<OpenFolder>> Files::open_folder(const std::string& path) {
  return by_path(*this, path);
}

Result<std::unique_ptr<FileSystem>> Files::watch_filesystem(const std::string& path) {
  return std::unique_ptr<FileSystem>(std::make_unique<FileSystemByPath>(*this, path));
}

}  // namespace lb
