#include "foundation/sys/nameless_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "foundation/base/text.h"
#include "foundation/sys/real_file.h"

namespace lb {

Result<std::unique_ptr<NamelessFile>> NamelessFile::write(const std::string& folder,
                                                          ByteView bytes) {
  Descriptor made(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!made.valid()) {
    const bool cannot = errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT;
    if (!cannot) return system_error(errno, cat("make a file in ", folder));
    return Error(ErrorKind::unsupported, cat(folder, " takes no files without a name"));
  }
  Descriptor kept(::fcntl(made.get(), F_DUPFD_CLOEXEC, 0));
  if (!kept.valid()) return system_error(errno, "keep a file");
  RealFile file(std::move(made), folder);
  LB_TRY(file.write_at(bytes, 0));
  LB_TRY(file.close());
  return std::make_unique<NamelessFile>(std::move(kept));
}

Status NamelessFile::replace(const std::string& path) {
  const auto ours = cat("/proc/self/fd/", file_.get());
  const auto fresh = path + ".new";
  if (::unlink(fresh.c_str()) != 0 && errno != ENOENT)
    return system_error(errno, cat("remove ", fresh));
  if (::linkat(AT_FDCWD, ours.c_str(), AT_FDCWD, fresh.c_str(), AT_SYMLINK_FOLLOW) != 0)
    return system_error(errno, cat("name ", fresh));
  if (::rename(fresh.c_str(), path.c_str()) == 0) return {};
  const int failed = errno;
  (void)::unlink(fresh.c_str());
  return system_error(failed, cat("rename ", fresh));
}

}  // namespace lb
