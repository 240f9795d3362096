// Whole small files: read with a limit, write durably.
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "foundation/base/text.h"
#include "foundation/sys/files.h"

namespace lb {

Result<Buffer> read_file(Files& files, const std::string& path, std::uint64_t size_max) {
  auto too_large = [&] {
    return Error(ErrorKind::invalid,
                 cat("read ", printable(path), ": larger than ", size_max, " bytes"));
  };
  auto file = LB_TRY(files.open_read(path));
  auto facts = LB_TRY(file->info());
  if (facts.kind == FileKind::regular && facts.size > size_max) return too_large();
  Buffer out;
  // Files of /proc and /sys report size 0: the end is where a read comes back short.
  std::uint64_t step = std::clamp<std::uint64_t>(facts.size + 1, 4096, size_max + 1);
  for (;;) {
    auto before = out.size();
    if (before > size_max) return too_large();
    out.resize(before + step);
    auto got = LB_TRY(file->read_at(MutableBytes(out).subspan(before), before));
    out.resize(before + got);
    if (got < step) break;
    step = std::min<std::uint64_t>(step * 2, size_max + 1 - std::min(size_max, before + got));
  }
  if (out.size() > size_max) return too_large();
  return out;
}

namespace {

struct Temporary {
  std::string path;
  std::unique_ptr<File> file;
};

Result<Temporary> create_beside(Files& files, const std::string& path, std::uint32_t mode) {
  static std::atomic<std::uint64_t> next = 0;
  for (;;) {
    auto name = cat(".", path_name(path).substr(0, 200), ".tmp-", ::getpid(), "-", ++next);
    auto temporary = path_join(path_parent(path), name);
    auto file = files.create(temporary, mode);
    if (file.ok()) return Temporary{temporary, std::move(file).take()};
    // A name left by an earlier process with our number: take the next one.
    if (file.error().kind() != ErrorKind::conflict) return std::move(file).take_error();
  }
}

Status fill_and_sync(File& file, ByteView bytes) {
  LB_TRY(file.write_at(bytes, 0));
  LB_TRY(file.sync());
  return file.close();
}

}  // namespace

Status write_durably(Files& files, const std::string& path, ByteView bytes, std::uint32_t mode) {
  auto temporary = LB_TRY(create_beside(files, path, mode));
  auto written = fill_and_sync(*temporary.file, bytes);
  if (written.ok()) written = files.rename(temporary.path, path);
  if (!written.ok()) {
    // Best effort: the caller learns of the first failure, and the name cannot be mistaken.
    (void)files.remove(temporary.path);
    return std::move(written).context(cat("write ", printable(path)));
  }
  return files.sync_directory(path_parent(path));
}

}  // namespace lb
