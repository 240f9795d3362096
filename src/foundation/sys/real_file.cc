#include "foundation/sys/real_file.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "foundation/base/text.h"

namespace lb {

FileKind kind_of_mode(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return FileKind::directory;
    case S_IFLNK:
      return FileKind::symlink;
    case S_IFIFO:
      return FileKind::fifo;
    case S_IFSOCK:
      return FileKind::socket;
    case S_IFBLK:
      return FileKind::block;
    case S_IFCHR:
      return FileKind::character;
    default:
      return FileKind::regular;
  }
}

namespace {
std::int64_t nanos(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}
}  // namespace

FileInfo info_of(const struct stat& raw) {
  FileInfo out;
  out.kind = kind_of_mode(raw.st_mode);
  out.mode = raw.st_mode & 07777;
  out.uid = raw.st_uid;
  out.gid = raw.st_gid;
  out.size = static_cast<std::uint64_t>(raw.st_size);
  out.mtime_ns = nanos(raw.st_mtim);
  out.ctime_ns = nanos(raw.st_ctim);
  out.device = raw.st_dev;
  out.inode = raw.st_ino;
  out.links = raw.st_nlink;
  out.special = raw.st_rdev;
  out.allocated = static_cast<std::uint64_t>(raw.st_blocks) * 512;
  return out;
}

timespec time_of_nanos(std::int64_t nanos) {
  constexpr std::int64_t second = 1'000'000'000;
  std::int64_t part = (nanos % second + second) % second;  // never negative, as the calls demand
  return {(nanos - part) / second, part};
}

Error path_error(int errno_value, std::string_view what, const std::string& path) {
  return system_error(errno_value, cat(what, " ", printable(path)));
}

RealFile::RealFile(Descriptor descriptor, std::string path, ReadCache cache)
    : descriptor_(std::move(descriptor)), path_(std::move(path)), cache_(cache) {}

Error RealFile::failed(std::string_view what) const { return path_error(errno, what, path_); }

Result<std::size_t> RealFile::read_at(MutableBytes out, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < out.size()) {
    auto got = read_piece(out.subspan(done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

// Kernels before 6.14 do not know the flag, some file systems refuse it: then the usual way.
ssize_t RealFile::read_piece(MutableBytes out, std::uint64_t offset) {
  constexpr int dont_cache = 0x80;  // RWF_DONTCACHE, younger than the headers
  const auto at = static_cast<off_t>(offset);
  if (cache_ == ReadCache::passing) {
    const iovec piece{out.data(), out.size()};
    auto got = ::preadv2(descriptor_.get(), &piece, 1, at, dont_cache);
    bool refused = got < 0 && (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS);
    if (!refused) return got;
    cache_ = ReadCache::kept;
  }
  return ::pread(descriptor_.get(), out.data(), out.size(), at);
}

std::unique_ptr<MappedBytes> RealFile::map() {
  auto now = info();
  return now.ok() ? MappedBytes::of(descriptor_.get(), now->size) : nullptr;
}

// In pieces: for one large call the kernel takes its memory in blocks of 2 MiB, which have been
// free for long. A virtual machine gave those back to its host, and they cost ten times as much to
// fill as smaller ones that were in use a moment ago.
Status RealFile::write_at(ByteView bytes, std::uint64_t offset) {
  constexpr std::size_t piece_bytes = 256 << 10;
  while (!bytes.empty()) {
    auto put = ::pwrite(descriptor_.get(), bytes.data(), std::min(bytes.size(), piece_bytes),
                        static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed("write");
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Status RealFile::append(ByteView bytes) {
  auto now = LB_TRY(info());
  return write_at(bytes, now.size);
}

// The part of whole blocks goes direct. What the kernel or the file system does not want (EINVAL on
// some, before anything is written) goes the usual way.
Status RealFile::append_direct(ByteView bytes) {
  constexpr std::size_t worth_it = 1 << 20;
  auto now = LB_TRY(info());
  auto offset = now.size;
  auto address = reinterpret_cast<std::uintptr_t>(bytes.data());  // NOLINT: its alignment
  bool aligned = address % direct_alignment == 0 && offset % direct_alignment == 0;
  int flags = ::fcntl(descriptor_.get(), F_GETFL);
  if (bytes.size() < worth_it || !aligned || flags < 0) return write_at(bytes, offset);
  if (::fcntl(descriptor_.get(), F_SETFL, flags | O_DIRECT) == 0) {
    auto blocks = bytes.first(bytes.size() / direct_alignment * direct_alignment);
    while (!blocks.empty()) {
      auto put =
          ::pwrite(descriptor_.get(), blocks.data(), blocks.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      auto whole = put < 0 ? 0 : static_cast<std::size_t>(put);
      offset += whole;
      bytes = bytes.subspan(whole);
      blocks = blocks.subspan(whole);
      if (put <= 0 || whole % direct_alignment != 0) break;  // the usual way says what is wrong
    }
    if (::fcntl(descriptor_.get(), F_SETFL, flags) != 0) return failed("write");
  }
  return write_at(bytes, offset);
}

PageBytes make_page_bytes(std::size_t size) {
  return PageBytes(new (std::align_val_t(direct_alignment)) std::uint8_t[size]);
}

// What is not on the disk yet stays in memory, so a distance is kept. What lies before this range
// may be another thread's work, which is about as far.
void RealFile::write_behind(DataRange range) {
  constexpr std::uint64_t distance = 16 << 20, dropped = 8 << 20;
  const auto offset = static_cast<off_t>(range.offset);
  (void)::sync_file_range(descriptor_.get(), offset, static_cast<off_t>(range.length),
                          SYNC_FILE_RANGE_WRITE);
  if (range.offset < distance) return;
  (void)::posix_fadvise(descriptor_.get(), static_cast<off_t>(range.offset - distance), dropped,
                        POSIX_FADV_DONTNEED);
}

// The wait is what tells this descriptor of an error; a file system that cannot wait for a range
// tells of it in the sync that makes all durable.
Status RealFile::end_behind() {
  constexpr unsigned all =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  while (::sync_file_range(descriptor_.get(), 0, 0, all) != 0) {
    if (errno == EINTR) continue;
    if (errno != EINVAL && errno != ENOSYS && errno != ESPIPE) return failed("write");
    break;
  }
  (void)::posix_fadvise(descriptor_.get(), 0, 0, POSIX_FADV_DONTNEED);
  return {};
}

Status RealFile::sync() {
  // After a failed fsync the kernel may have dropped the pages and marked them clean: a second
  // call would report success for data that is not there.
  if (sync_failed_) {
    return Error(ErrorKind::unavailable, cat("sync ", printable(path_), ": an earlier sync failed"))
        .with_hint("write the file anew");
  }
  for (;;) {
    if (::fsync(descriptor_.get()) == 0) return {};
    if (errno == EINTR) continue;
    sync_failed_ = true;
    return failed("sync");
  }
}

Status RealFile::truncate(std::uint64_t size) {
  for (;;) {
    if (::ftruncate(descriptor_.get(), static_cast<off_t>(size)) == 0) return {};
    if (errno != EINTR) return failed("truncate");
  }
}

Result<FileInfo> RealFile::info() {
  struct stat raw {};
  if (::fstat(descriptor_.get(), &raw) != 0) return failed("stat");
  return info_of(raw);
}

Result<std::vector<DataRange>> RealFile::data_ranges() {
  auto now = LB_TRY(info());
  std::vector<DataRange> out;
  std::uint64_t at = 0;
  while (at < now.size) {
    auto start = ::lseek(descriptor_.get(), static_cast<off_t>(at), SEEK_DATA);
    if (start < 0 && errno == ENXIO) break;  // a hole up to the end
    if (start < 0 && at == 0 && errno == EINVAL) {
      return std::vector<DataRange>{{0, now.size}};  // the file system does not know
    }
    if (start < 0) return failed("look for data in");
    auto end = ::lseek(descriptor_.get(), start, SEEK_HOLE);
    if (end < 0) return failed("look for a hole in");
    if (end <= start) break;
    out.push_back({static_cast<std::uint64_t>(start), static_cast<std::uint64_t>(end - start)});
    at = static_cast<std::uint64_t>(end);
  }
  return out;
}

Status RealFile::set_mode(std::uint32_t mode) {
  if (::fchmod(descriptor_.get(), mode) != 0) return failed("change mode of");
  return {};
}

Status RealFile::set_owner(std::uint32_t uid, std::uint32_t gid) {
  if (::fchown(descriptor_.get(), uid, gid) != 0) return failed("change owner of");
  return {};
}

Status RealFile::set_mtime(std::int64_t mtime_ns) {
  timespec times[2] = {{0, UTIME_OMIT}, time_of_nanos(mtime_ns)};
  if (::futimens(descriptor_.get(), times) != 0) return failed("change time of");
  return {};
}

Status RealFile::close() {
  int code = descriptor_.reset();
  if (code != 0) return path_error(code, "close", path_);
  return {};
}

}  // namespace lb
