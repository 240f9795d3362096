#include "stores/postgres/log_writer.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::pg {

Status follows(Lsn at, Lsn received) {
  if (at == received) return {};
  return Error(ErrorKind::corrupt, cat("the server sent log from ", format_lsn(at), ", expected ",
                                       format_lsn(received)));
}

LogWriter::LogWriter(repo::Repository& repository, std::string log_id, std::uint64_t segment_bytes,
                     Trouble on_trouble)
    : repository_(repository),
      log_id_(std::move(log_id)),
      segment_bytes_(segment_bytes),
      on_trouble_(std::move(on_trouble)) {}

repo::LogName LogWriter::name() const {
  return {log_id_, timeline_, segment_start_ / segment_bytes_};
}

Status LogWriter::begin(std::uint32_t timeline, Lsn at) {
  LB_ASSERT(at % segment_bytes_ == 0);
  timeline_ = timeline;
  segment_start_ = at;
  durable_ = at;
  bytes_.clear();
  scanner_ = WalScanner::create(at, segment_bytes_, {.detail = true});
  return open_segment();
}

// Another run may have stored a part of this segment, or all of it.
Status LogWriter::open_segment() {
  stored_ = 0;
  found_.reset();
  const std::vector<repo::LogInfo> infos = LB_TRY(repository_.logs(log_id_));
  const auto found = std::find_if(infos.begin(), infos.end(),
                                  [&](const repo::LogInfo& info) { return info.name == name(); });
  if (found == infos.end() || !repository_.may_read()) return {};
  const Buffer there = LB_TRY(repository_.get_log(name()));
  stored_ = there.size();
  if (stored_ > 0) found_ = Found{stored_, sha256(there)};
  return {};
}

Status LogWriter::append(Lsn at, ByteView bytes) {
  LB_TRY(follows(at, received()));
  if (bytes_.capacity() < segment_bytes_) bytes_.reserve(segment_bytes_);
  while (!bytes.empty()) {
    const std::size_t part = std::min<std::size_t>(segment_bytes_ - bytes_.size(), bytes.size());
    const ByteView piece = bytes.first(part);
    bytes_.insert(bytes_.end(), piece.begin(), piece.end());
    scan(piece);
    bytes = bytes.subspan(part);
    if (bytes_.size() == segment_bytes_) LB_TRY(put_segment());
  }
  return {};
}

// The log is kept as the server sent it, readable or not: it is the only copy. What cannot be read
// is said, and reading starts anew with the next segment.
void LogWriter::scan(ByteView bytes) {
  if (!scanner_) return;
  const Status scanned = scanner_->feed(bytes);
  if (scanned.ok()) {
    if (scanner_->summary().last_commit) pending_commit_ = scanner_->summary().last_commit;
    return;
  }
  scanner_.reset();
  on_trouble_(cat("the log received from the server cannot be read: ", scanned.error().text()));
}

Buffer LogWriter::take_summary(bool whole_segment) {
  if (!scanner_) {
    LogSummary unread;
    unread.first_lsn = unread.end_lsn = segment_start_;
    unread.timeline = timeline_;
    return encode(unread);
  }
  return whole_segment ? encode(scanner_->take_summary()) : encode(scanner_->summary());
}

Status LogWriter::compare_stored() {
  if (!found_ || bytes_.size() < found_->bytes) return {};
  const bool same = sha256(ByteView(bytes_).first(found_->bytes)) == found_->digest;
  found_.reset();
  if (same) return {};
  return Error(ErrorKind::conflict,
               cat("log segment ",
                   segment_name(timeline_, segment_start_ / segment_bytes_, segment_bytes_),
                   " differs from what the repository holds"))
      .with_hint(
          "the server is another one than before, or was restored: take a new backup under "
          "another store name");
}

Status LogWriter::put_segment() {
  LB_TRY(compare_stored());
  const Buffer summary = take_summary(true);
  // What cannot be read has no detail: who needs one scans the data, and meets the same trouble.
  const Buffer detail = scanner_ ? encode(scanner_->take_detail()) : Buffer();
  LB_TRY(repository_.put_log(name(), bytes_, summary, detail).context("store log segment"));
  segment_start_ += segment_bytes_;
  bytes_.clear();
  now_durable(pending_commit_);
  if (!scanner_) scanner_ = WalScanner::create(segment_start_, segment_bytes_, {.detail = true});
  stored_ = 0;
  found_.reset();
  return {};
}

Status LogWriter::flush() {
  Status put = put_tail();
  if (put.ok() || put.error().kind() != ErrorKind::conflict) return put;
  // Somebody else stored more of this segment since it was begun: the same bytes are welcome.
  LB_TRY(open_segment());
  return put_tail();
}

Status LogWriter::put_tail() {
  LB_TRY(compare_stored());
  if (bytes_.size() > stored_) {
    const ByteView fresh = ByteView(bytes_).subspan(stored_);
    LB_TRY(repository_.put_log_tail(name(), stored_, fresh, take_summary(false))
               .context("store log tail"));
    stored_ = bytes_.size();
  }
  now_durable(pending_commit_);
  return {};
}

void LogWriter::now_durable(const std::optional<Commit>& commit) {
  durable_ = received();
  if (commit) last_commit_ = commit->time;
}

}  // namespace lb::pg
