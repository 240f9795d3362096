// WAL reading: pages and records of PostgreSQL 13-18 segments (format facts: PostgreSQL's
// access/xlogrecord.h, xlog_internal.h, heapam_xlog.h, xact.h). Foreign bytes: bounds-checked,
// CRC-checked, fuzzed; every malformation is ErrorKind::corrupt with the LSN. A WalScanner takes
// segment bytes in order and reports what recovery decisions need. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"
#include "stores/postgres/lsn.h"
#include "stores/postgres/segment_detail.h"

namespace lb::pg {

struct Commit {
  std::uint32_t xid = 0;
  Lsn lsn = 0;      // start of the commit record
  Lsn end_lsn = 0;  // first byte after it
  Timestamp time{};
  bool aborted = false;  // listed only on request (ScanWishes::aborts); never in a summary
};

struct RestorePoint {
  std::string name;
  Lsn end_lsn = 0;
  Timestamp time{};
};

// What one scanned range held. Kept small as the log's summary beside each segment.
struct LogSummary {
  Lsn first_lsn = 0;  // first byte scanned
  Lsn end_lsn = 0;    // end of the last whole record
  std::uint64_t records = 0, commits = 0;
  std::optional<Commit> first_commit, last_commit;
  std::optional<Timestamp> min_commit_time, max_commit_time;
  std::vector<RestorePoint> restore_points;
  std::uint64_t system_identifier = 0;
  std::uint32_t timeline = 0;  // of the newest page
  bool ended = false;          // zeros ended the log inside the range
};
Buffer encode(const LogSummary& summary);
Result<LogSummary> decode_summary(ByteView bytes);

struct ScanWishes {
  bool commits = false;     // keep the list of commits (time, xid, lsn)
  bool aborts = false;      // list aborted transactions among the commits, marked
  bool row_deltas = false;  // rows inserted minus deleted by committed transactions, per relation
  bool detail = false;      // changed blocks and suspicious transactions, for take_detail()
};

class WalScanner {
 public:
  // `start`: where scanning begins; must be a record boundary or the beginning of a segment (then
  // the remainder of a record begun earlier is skipped). segment_bytes from the long page header
  // when 0.
  static std::unique_ptr<WalScanner> create(Lsn start, std::uint64_t segment_bytes,
                                            ScanWishes wishes);
  virtual ~WalScanner() = default;
  // The next bytes of the log. A record cut at the end waits for the next call. Zeros end the log:
  // `reached_end()` is then true and later bytes are not read.
  virtual Status feed(ByteView bytes) = 0;
  virtual bool reached_end() const = 0;
  virtual const LogSummary& summary() const = 0;
  // The summary of what was scanned since the last take, and a fresh one begins. One scanner over a
  // whole stream, taken at each segment's end, sees the records that lie across two segments (they
  // count where they end); a scanner per segment would see them in neither.
  virtual LogSummary take_summary() = 0;
  // What the records since the last take changed, told likewise. Empty, complete from nowhere, when
  // it was not asked for.
  virtual SegmentDetail take_detail() = 0;
  virtual const std::vector<Commit>& commits() const = 0;
  // Hands over the commits kept so far: who searches a long log need not hold all of it.
  virtual std::vector<Commit> take_commits() = 0;
  // Net rows per relation from transactions that committed with end_lsn <= `until` and are *not*
  // visible in `snapshot` ("xmin:xmax:xip,…"). not exact (unsupported, with the reason) when a
  // transaction open in the snapshot may have begun before the scan, or the range holds what cannot
  // be counted.
  // With `as_of`, a later snapshot: only from those that are visible in it.
  virtual Result<std::map<RelationId, std::int64_t>> row_deltas(const std::string& snapshot,
                                                                Lsn until,
                                                                const std::string& as_of = {}) = 0;
};

}  // namespace lb::pg
