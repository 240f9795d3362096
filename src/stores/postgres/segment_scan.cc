#include "stores/postgres/segment_scan.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"

namespace lb::pg {

void SegmentScan::begin(std::uint64_t segment, std::uint64_t segment_bytes, const Before& before) {
  const auto earlier = segment > 0 ? before() : std::nullopt;
  if (earlier && earlier->size() == segment_bytes) {
    scanner_ = WalScanner::create((segment - 1) * segment_bytes, segment_bytes, {.detail = true});
    const bool usable = scanner_->feed(*earlier).ok() && !scanner_->reached_end();
    (void)scanner_->take_summary();
    (void)scanner_->take_detail();
    if (usable) return;
  }
  scanner_ = WalScanner::create(segment * segment_bytes, segment_bytes, {.detail = true});
}

ScannedSegment SegmentScan::next(std::uint32_t timeline, std::uint64_t segment, ByteView bytes,
                                 const Before& before) {
  const bool follows = scanner_ && timeline == timeline_ && segment == next_;
  if (!follows) begin(segment, bytes.size(), before);
  timeline_ = timeline;
  next_ = segment + 1;
  const Status read = scanner_->feed(bytes);
  ScannedSegment out;
  if (read.ok()) {
    const bool ended = scanner_->reached_end();
    out.summary = encode(scanner_->take_summary());
    out.detail = encode(scanner_->take_detail());
    if (ended) scanner_.reset();
    return out;
  }
  // It is kept all the same: it may be the only copy.
  scanner_.reset();
  LogSummary unread;
  unread.first_lsn = unread.end_lsn = segment * bytes.size();
  unread.timeline = timeline;
  out.summary = encode(unread);
  out.trouble = cat("log segment ", segment_name(timeline, segment, bytes.size()),
                    " is kept, but it cannot be read: ", read.error().text());
  return out;
}

Status put_segment(repo::Repository& repository, const repo::LogName& name, ByteView bytes,
                   const ScannedSegment& scanned) {
  Status put = repository.put_log(name, bytes, scanned.summary, scanned.detail);
  const bool differs =
      !put.ok() && put.error().kind() == ErrorKind::conflict && repository.may_read();
  if (!differs) return put;
  const auto stored = LB_TRY(repository.get_log(name).context("compare what is stored"));
  return Error(ErrorKind::conflict,
               cat("log segment ", segment_name(name.timeline, name.segment, bytes.size()),
                   " is in the repository with other content: SHA-256 ", to_hex(sha256(stored)),
                   " there, ", to_hex(sha256(bytes)), " here"))
      .with_hint("two servers write one log: a clone, or a server that was restored to the past")
      .with_exit(ExitCode::refused);
}

std::uint64_t log_bytes_in(ByteView bytes, Lsn start) {
  const auto scanner = WalScanner::create(start, bytes.size(), {});
  (void)scanner->feed(bytes);  // ends where the log ends: what follows is no log
  const Lsn end = scanner->summary().end_lsn;
  return end > start ? std::min<std::uint64_t>(end - start, bytes.size()) : 0;
}

}  // namespace lb::pg
