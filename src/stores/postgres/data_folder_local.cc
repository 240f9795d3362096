#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/data_folder.h"

namespace lb::pg {
namespace {

class LocalFile final : public DataFile {
 public:
  explicit LocalFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Status read(std::span<const DataRange> ranges, const Take& take) override {
    for (const DataRange& range : ranges) {
      if (buffer_.size() < range.length) buffer_.resize(range.length);
      const MutableBytes room = MutableBytes(buffer_).first(range.length);
      const std::size_t got = LB_TRY(file_->read_at(room, range.offset));
      LB_TRY(take(range, room.first(got)));
    }
    return {};
  }

 private:
  std::unique_ptr<File> file_;
  Buffer buffer_;
};

class LocalFolder final : public DataFolder {
 public:
  LocalFolder(Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  Result<std::vector<DataEntry>> list(const std::string& path) override {
    // With the slash a link is followed.
    const std::string folder = path.empty() ? path_ : path_join(path_, path) + "/";
    const std::vector<DirEntry> names = LB_TRY(files_.list(folder));
    std::vector<DataEntry> out;
    out.reserve(names.size());
    for (const DirEntry& found : names) {
      const auto info = files_.info(path_join(folder, found.name));
      if (!info.ok() && info.error().kind() == ErrorKind::not_found) continue;
      if (!info.ok()) return info.error();
      auto entry = entry_of(found.name, *info);
      if (entry) out.push_back(std::move(*entry));
    }
    return out;
  }

  Result<std::unique_ptr<DataFile>> open(const std::string& path) override {
    auto file = LB_TRY(files_.open_read(path_join(path_, path)));
    return std::unique_ptr<DataFile>(std::make_unique<LocalFile>(std::move(file)));
  }

 private:
  static std::optional<DataEntry> entry_of(const std::string& name, const FileInfo& info) {
    DataEntry entry;
    entry.name = name;
    entry.size = info.size;
    entry.mode = info.mode;
    entry.mtime = info.mtime_ns / 1'000'000'000;
    switch (info.kind) {
      case FileKind::regular:
        entry.kind = FileAttributes::Kind::file;
        return entry;
      case FileKind::directory:
        entry.kind = FileAttributes::Kind::directory;
        return entry;
      case FileKind::symlink:
        entry.kind = FileAttributes::Kind::symlink;
        return entry;
      default:
        return std::nullopt;  // sockets and the like are not data
    }
  }

  Files& files_;
  const std::string path_;
};

}  // namespace

std::unique_ptr<DataFolder> local_data_folder(Files& files, std::string path) {
  return std::make_unique<LocalFolder>(files, std::move(path));
}

Result<Buffer> read_data_file(DataFolder& folder, const std::string& path, std::size_t bytes_max) {
  const std::unique_ptr<DataFile> file = LB_TRY(folder.open(path));
  Buffer out;
  const DataRange range{0, bytes_max + 1};
  LB_TRY(file->read({&range, 1}, [&](const DataRange&, MutableBytes bytes) -> Status {
    out.assign(bytes.begin(), bytes.end());
    return {};
  }));
  if (out.size() <= bytes_max) return out;
  return Error(ErrorKind::exhausted, cat(printable(path), " has more than ", bytes_max, " bytes"));
}

}  // namespace lb::pg
