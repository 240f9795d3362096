// SegmentScan: the summaries of whole segments that come one after another, as archive_command
// hands them over. Records that lie across two segments are seen when the segments follow each
// other; the first of a run is read together with the one before it, where that can be had. One
// thread. put_segment() is the one place where an archived segment becomes part of the log.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "storage/repo/repository.h"
#include "stores/postgres/wal_reader.h"

namespace lb::pg {

// A segment that was read: what is stored beside it.
struct ScannedSegment {
  Buffer summary;
  Buffer detail;        // what it changed; empty when it cannot be read
  std::string trouble;  // the log is kept as it came, but cannot be read from here on; or empty
};

class SegmentScan {
 public:
  // The bytes of the segment before; nothing when it is out of reach.
  using Before = std::function<std::optional<Buffer>()>;

  ScannedSegment next(std::uint32_t timeline, std::uint64_t segment, ByteView bytes,
                      const Before& before);

 private:
  void begin(std::uint64_t segment, std::uint64_t segment_bytes, const Before& before);

  std::unique_ptr<WalScanner> scanner_;
  std::uint32_t timeline_ = 0;
  std::uint64_t next_ = 0;  // segment the scanner waits for
};

// conflict names both contents by their SHA-256 when the repository holds another one.
Status put_segment(repo::Repository& repository, const repo::LogName& name, ByteView bytes,
                   const ScannedSegment& scanned);

// How much of a segment is log: up to the end of its last whole record. What follows in a
// ".partial" file is left over from the file's former life.
std::uint64_t log_bytes_in(ByteView bytes, Lsn start);

}  // namespace lb::pg
