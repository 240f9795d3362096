// MappedBytes: a file of the disk as memory, read-only, for random looks into what the page cache
// holds: a look costs a third of a read. The pages looked at count as resident, and the kernel
// takes them back as it does those of reads.
//
// What the disk refuses, or somebody cut off, reads as zeros instead of ending the process with
// SIGBUS (the first one made installs a handler for that, which leaves all other faults to who
// handled them before). And what others write shows at once. So it is only for contents that prove
// themselves: copy a piece, prove the copy, and ask the file itself when that fails.
#pragma once

#include <memory>

#include "foundation/base/bytes.h"

namespace lb {

// Thread-safe.
class MappedBytes {
 public:
  // `descriptor`: an open file, which may be closed then. Null where it cannot be: a size of 0,
  // file systems and limits that do not permit it, dozens of others at once.
  static std::unique_ptr<MappedBytes> of(int descriptor, std::uint64_t size);
  ~MappedBytes();
  MappedBytes(const MappedBytes&) = delete;
  MappedBytes& operator=(const MappedBytes&) = delete;

  ByteView view() const { return bytes_; }

 private:
  MappedBytes(ByteView bytes, std::size_t slot) : bytes_(bytes), slot_(slot) {}

  const ByteView bytes_;
  const std::size_t slot_;  // among those that the handler knows
};

}  // namespace lb
