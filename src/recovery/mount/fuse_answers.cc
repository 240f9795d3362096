#include "recovery/mount/fuse_answers.h"

#include <algorithm>
#include <array>

namespace lb::mount {

namespace {

constexpr std::size_t vectors_max = 512;
constexpr std::array<char, 64 << 10> zeros{};
constexpr std::int64_t second_ns = 1'000'000'000;

timespec time_of(std::int64_t ns) {
  auto seconds = ns / second_ns, rest = ns % second_ns;
  if (rest < 0) {
    --seconds;
    rest += second_ns;
  }
  return {seconds, rest};
}

iovec vector_of(const void* bytes, std::size_t size) {
  return {const_cast<void*>(bytes), size};  // the kernel only reads from it
}

}  // namespace

mode_t type_of(FileKind kind) {
  switch (kind) {
    case FileKind::directory:
      return S_IFDIR;
    case FileKind::symlink:
      return S_IFLNK;
    case FileKind::fifo:
      return S_IFIFO;
    case FileKind::socket:
      return S_IFSOCK;
    case FileKind::block:
      return S_IFBLK;
    case FileKind::character:
      return S_IFCHR;
    case FileKind::regular:
      break;
  }
  return S_IFREG;
}

struct stat stat_of(Id id, const Node& node) {
  const auto& from = node.attributes;
  struct stat out {};
  out.st_ino = id;
  out.st_mode = type_of(from.kind) | from.mode;
  out.st_nlink = from.links;
  out.st_uid = from.uid;
  out.st_gid = from.gid;
  out.st_rdev = from.special;
  out.st_size = static_cast<off_t>(node.size);
  out.st_blocks = static_cast<blkcnt_t>((node.allocated + 511) / 512);
  out.st_blksize = 128 << 10;
  out.st_mtim = out.st_atim = time_of(from.mtime_ns);
  out.st_ctim = time_of(from.ctime_ns);
  return out;
}

fuse_entry_param entry_of(Id id, const Node& node) {
  fuse_entry_param entry{};
  entry.ino = id;
  entry.attr = stat_of(id, node);
  entry.attr_timeout = entry.entry_timeout = cache_seconds;
  return entry;
}

std::vector<iovec> vectors_of(const std::vector<Part>& parts) {
  std::vector<iovec> out;
  for (const auto& part : parts) {
    if (part.bytes) {
      out.push_back(vector_of(part.bytes->data() + part.offset, part.size));
    } else {
      for (std::uint64_t left = part.size; left > 0;) {
        auto size = std::min<std::uint64_t>(left, zeros.size());
        out.push_back(vector_of(zeros.data(), size));
        left -= size;
      }
    }
    if (out.size() > vectors_max) return {};
  }
  return out;
}

Buffer joined(const std::vector<Part>& parts) {
  Buffer out;
  for (const auto& part : parts) {
    if (part.bytes) {
      auto from = part.bytes->begin() + static_cast<std::ptrdiff_t>(part.offset);
      out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(part.size));
    } else {
      out.insert(out.end(), part.size, 0);
    }
  }
  return out;
}

std::optional<std::uint64_t> seek_in(const std::vector<Piece>& pieces, std::uint64_t size,
                                     std::uint64_t offset, bool data) {
  if (offset >= size) return std::nullopt;
  for (auto i = piece_at(pieces, offset); i < pieces.size(); ++i) {
    if (pieces[i].hole != data) return std::max(offset, pieces[i].offset);
  }
  // Behind the last data there is a hole: the end of the file.
  return data ? std::nullopt : std::optional(size);
}

}  // namespace lb::mount
