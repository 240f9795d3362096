// Answers of the file system in the kernel's forms. Pure. Private to
// recovery/mount.
#pragma once

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <vector>

#include "recovery/mount/content_reader.h"
#include "recovery/mount/mount_tree.h"

namespace lb::mount {

// Nothing changes while it is mounted.
inline constexpr double cache_seconds = 365.0 * 86400;

struct stat stat_of(Id id, const Node& node);
mode_t type_of(FileKind kind);
fuse_entry_param entry_of(Id id, const Node& node);

// The parts one after another without a copy; zeros come from a common page.
// Too many for one answer give an empty list.
std::vector<iovec> vectors_of(const std::vector<Part>& parts);
Buffer joined(const std::vector<Part>& parts);

// SEEK_DATA or SEEK_HOLE. Empty: no data behind.
std::optional<std::uint64_t> seek_in(const std::vector<Piece>& pieces, std::uint64_t size,
                                     std::uint64_t offset, bool data);

}  // namespace lb::mount
