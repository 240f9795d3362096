#include "stores/postgres/wal_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "foundation/base/text.h"
#include "stores/postgres/row_deltas.h"
#include "stores/postgres/wal_bytes.h"
#include "stores/postgres/wal_changes.h"
#include "stores/postgres/wal_page.h"
#include "stores/postgres/wal_record.h"

namespace lb::pg {

namespace {

constexpr std::size_t restore_points_max = 1000;

// Walks the bytes: page header, rest of a record begun before the scan, records, padding. A record
// that lies whole in the bytes at hand is read in place; others are put together in `cut_`.
class Scanner final : public WalScanner {
 public:
  Scanner(Lsn start, std::uint64_t segment_bytes, ScanWishes wishes)
      : wishes_(wishes), start_(start), at_(start), segment_bytes_(segment_bytes) {
    if (wishes.detail) changes_.emplace(start);
    summary_.first_lsn = summary_.end_lsn = start;
  }

  Status feed(ByteView bytes) override {
    if (failure_) return *failure_;
    auto status = read(bytes);
    if (!status.ok()) failure_ = status.error();
    return status;
  }
  bool reached_end() const override { return summary_.ended || ended_; }
  const LogSummary& summary() const override { return summary_; }
  LogSummary take_summary() override {
    auto taken = std::move(summary_);
    summary_ = {};
    summary_.first_lsn = at_;
    summary_.end_lsn = taken.end_lsn;
    summary_.system_identifier = taken.system_identifier;
    summary_.timeline = taken.timeline;
    return taken;
  }
  SegmentDetail take_detail() override {
    if (changes_) return changes_->take(whole_until_);
    SegmentDetail nothing;
    nothing.complete_from = ~Lsn{0};
    return nothing;
  }
  const std::vector<Commit>& commits() const override { return commits_; }
  std::vector<Commit> take_commits() override { return std::exchange(commits_, {}); }
  Result<std::map<RelationId, std::int64_t>> row_deltas(const std::string& snapshot, Lsn until,
                                                        const std::string& as_of) override {
    if (!wishes_.row_deltas) return Error(ErrorKind::internal, "row deltas were not asked for");
    return rows_.total(snapshot, until, as_of);
  }

 private:
  Error bad(Lsn lsn, std::string_view what) const {
    return Error(ErrorKind::corrupt, cat("WAL record at ", format_lsn(lsn), ": ", what));
  }
  std::uint64_t left_in_page() const { return wal_page_bytes - at_ % wal_page_bytes; }
  void advance(ByteView& bytes, std::uint64_t count) {
    bytes = bytes.subspan(count);
    at_ += count;
  }

  Status read(ByteView bytes);
  Status read_header(ByteView& bytes);
  Status enter_page(ByteView header_bytes);
  Status continue_record(const PageHeader& header);
  Status check_zeros(ByteView& bytes);
  void skip(ByteView& bytes, std::uint64_t room);
  Status read_record(ByteView& bytes, std::uint64_t room);
  Status gather(ByteView& bytes, std::uint64_t room);
  Status finish_record(ByteView record);
  Status look_into(const RecordHeader& header, ByteView record, Lsn end_lsn);
  Status look_into_heap(const RecordHeader& header, ByteView record);
  Status look_into_xlog(const RecordHeader& header, ByteView record, Lsn end_lsn);
  Status look_into_standby(const RecordHeader& header, ByteView record);
  Status look_into_transaction(const RecordHeader& header, ByteView record, Lsn end_lsn);
  void note_commit(const Commit& commit);
  void end_of_log() {
    ended_ = summary_.ended = true;
    zeros_left_ = left_in_page();
  }

  ScanWishes wishes_;
  Lsn start_;
  Lsn at_;  // of the next byte
  std::uint64_t segment_bytes_;
  std::array<std::uint8_t, long_header_bytes> header_{};  // of a page, while it is cut
  std::size_t header_have_ = 0;
  bool in_page_ = false;  // the header of this page has been read, or the scan began inside it
  bool first_page_ = true;
  int version_ = 0;
  std::uint64_t skip_ = 0;     // rest of a record begun before the scan
  bool skip_segment_ = false;  // after a segment switch
  std::uint64_t padding_ = 0;
  Buffer cut_;  // the record at record_at_, as far as it came
  Lsn record_at_ = 0;
  std::optional<Lsn> previous_;  // start of the last whole record
  bool ended_ = false;
  std::uint64_t zeros_left_ = 0;  // of the page the log ended in
  std::optional<Error> failure_;
  LogSummary summary_;
  std::vector<Commit> commits_;
  RowCounter rows_;
  std::optional<ChangeCollector> changes_;
  Lsn whole_until_ = 0;  // end of the last whole record
};

Status Scanner::read(ByteView bytes) {
  if (start_ % 8 != 0) return Error(ErrorKind::invalid, "a scan begins at a record");
  in_page_ = in_page_ || at_ % wal_page_bytes != 0;
  while (!bytes.empty()) {
    if (ended_) return check_zeros(bytes);
    if (skip_segment_) {
      auto room = segment_bytes_ - at_ % segment_bytes_;
      advance(bytes, std::min<std::uint64_t>(room, bytes.size()));
      skip_segment_ = at_ % segment_bytes_ != 0;
      in_page_ = false;
      continue;
    }
    if (!in_page_) {
      LB_TRY(read_header(bytes));
      continue;
    }
    auto room = std::min<std::uint64_t>(left_in_page(), bytes.size());
    if (skip_ > 0 || padding_ > 0) {
      skip(bytes, room);
    } else {
      LB_TRY(cut_.empty() ? read_record(bytes, room) : gather(bytes, room));
    }
    if (at_ % wal_page_bytes == 0 && !ended_ && header_have_ == 0) in_page_ = false;
  }
  return {};
}

// The rest of the page in which the log ended is zero in a log that simply stops there.
Status Scanner::check_zeros(ByteView& bytes) {
  auto rest = bytes.first(std::min<std::uint64_t>(zeros_left_, bytes.size()));
  if (std::any_of(rest.begin(), rest.end(), [](std::uint8_t byte) { return byte != 0; })) {
    return bad(record_at_, "length zero, but more bytes follow");
  }
  zeros_left_ -= rest.size();
  return {};
}

Status Scanner::read_header(ByteView& bytes) {
  auto need = [this] {
    return header_have_ < short_header_bytes ? short_header_bytes : page_header_bytes(header_);
  };
  while (header_have_ < need() && !bytes.empty()) {
    auto part = std::min(need() - header_have_, bytes.size());
    std::copy_n(bytes.begin(), part, header_.begin() + static_cast<std::ptrdiff_t>(header_have_));
    header_have_ += part;
    bytes = bytes.subspan(part);
  }
  if (header_have_ < need()) return {};
  ByteView header(header_.data(), header_have_);
  record_at_ = cut_.empty() ? at_ : record_at_;
  if (std::all_of(header.begin(), header.end(), [](std::uint8_t byte) { return byte == 0; })) {
    end_of_log();
    zeros_left_ -= header_have_;
    return {};
  }
  LB_TRY(enter_page(header));
  at_ += header_have_;
  header_have_ = 0;
  in_page_ = true;
  first_page_ = false;
  return {};
}

Status Scanner::enter_page(ByteView header_bytes) {
  auto header = LB_TRY(parse_page_header(header_bytes, at_));
  if (segment_bytes_ == 0) segment_bytes_ = header.segment_bytes;
  if (header.is_long) {
    if (header.segment_bytes != segment_bytes_) return bad(at_, "segment size differs from before");
    if (summary_.system_identifier != 0 && summary_.system_identifier != header.system_identifier) {
      return bad(at_, "this page belongs to another database system");
    }
    summary_.system_identifier = header.system_identifier;
  } else if (segment_bytes_ == 0 || at_ % segment_bytes_ == 0) {
    return bad(at_, "segment begins without its own header");
  }
  if (version_ != 0 && header.version != version_) return bad(at_, "version of the log differs");
  if (header.timeline < summary_.timeline) return bad(at_, "timeline goes back");
  version_ = header.version;
  summary_.timeline = header.timeline;
  return continue_record(header);
}

// What the header says of a record that continues must be what is missing of it.
Status Scanner::continue_record(const PageHeader& header) {
  if (first_page_ && cut_.empty() && skip_ == 0 && at_ == start_) {
    skip_ = header.remaining;
    return {};
  }
  if (header.overwrites && !header.continues) {
    cut_.clear();
    skip_ = 0;
    return {};
  }
  auto missing = skip_;
  if (!cut_.empty()) missing = load<std::uint32_t>(cut_.data()) - cut_.size();
  if (missing != header.remaining) {
    return bad(cut_.empty() ? at_ : record_at_,
               cat("page at ", format_lsn(at_), " continues a record by ", header.remaining,
                   " bytes, but ", missing, " are missing"));
  }
  return {};
}

void Scanner::skip(ByteView& bytes, std::uint64_t room) {
  auto& left = skip_ > 0 ? skip_ : padding_;
  bool rest_of_record = skip_ > 0;
  auto part = std::min(left, room);
  advance(bytes, part);
  left -= part;
  if (!rest_of_record || left > 0) return;
  padding_ = align8(at_) - at_;
  summary_.end_lsn = align8(at_);
  if (changes_) changes_->missed_until(summary_.end_lsn);
}

Status Scanner::read_record(ByteView& bytes, std::uint64_t room) {
  record_at_ = at_;
  if (room < sizeof(std::uint32_t)) return gather(bytes, room);
  auto total = load<std::uint32_t>(bytes.data());
  if (total == 0) {
    end_of_log();
    return {};
  }
  if (total < record_header_bytes || total > record_bytes_max) {
    return bad(at_, cat("impossible length ", total));
  }
  if (total > room) return gather(bytes, room);
  auto record = bytes.first(total);
  advance(bytes, total);
  return finish_record(record);
}

// Puts a record together from slices and pages. Memory grows with the bytes that really come.
Status Scanner::gather(ByteView& bytes, std::uint64_t room) {
  auto take = [&](std::uint64_t upto) {
    auto part = std::min<std::uint64_t>(upto - cut_.size(), room);
    cut_.insert(cut_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part));
    advance(bytes, part);
    room -= part;
  };
  if (cut_.size() < sizeof(std::uint32_t)) {
    take(sizeof(std::uint32_t));
    if (cut_.size() < sizeof(std::uint32_t)) return {};
    auto total = load<std::uint32_t>(cut_.data());
    if (total == 0) {
      cut_.clear();
      at_ = record_at_;
      end_of_log();
      zeros_left_ -= sizeof(std::uint32_t);
      return {};
    }
    if (total < record_header_bytes || total > record_bytes_max) {
      return bad(record_at_, cat("impossible length ", total));
    }
  }
  auto total = load<std::uint32_t>(cut_.data());
  take(total);
  if (cut_.size() < total) return {};
  auto record = std::move(cut_);
  cut_ = {};
  return finish_record(record);
}

Status Scanner::finish_record(ByteView record) {
  auto header = read_record_header(record);
  if (!record_crc_ok(record, header.crc)) return bad(record_at_, "checksum does not match");
  if (previous_ && header.previous != *previous_) {
    return bad(record_at_, cat("says the record before it lies at ", format_lsn(header.previous),
                               ", but it lies at ", format_lsn(*previous_)));
  }
  previous_ = record_at_;
  auto end = align8(at_);
  padding_ = end - at_;
  if (header.rmgr == rmgr_xlog && (header.info & 0xf0) == xlog_switch) {
    if (segment_bytes_ == 0) return Error(ErrorKind::invalid, "the segment size must be given");
    padding_ = 0;
    skip_segment_ = at_ % segment_bytes_ != 0;
    end = (at_ + segment_bytes_ - 1) / segment_bytes_ * segment_bytes_;
  }
  ++summary_.records;
  summary_.end_lsn = whole_until_ = end;
  return look_into(header, record, end).context(cat("WAL record at ", format_lsn(record_at_)));
}

Status Scanner::look_into(const RecordHeader& header, ByteView record, Lsn end_lsn) {
  if (changes_) LB_TRY(changes_->add(header, record, version_, end_lsn));
  switch (header.rmgr) {
    case rmgr_xact:
      return look_into_transaction(header, record, end_lsn);
    case rmgr_xlog:
      return look_into_xlog(header, record, end_lsn);
    case rmgr_standby:
      return wishes_.row_deltas ? look_into_standby(header, record) : Status();
    case rmgr_heap:
    case rmgr_heap2:
      return wishes_.row_deltas ? look_into_heap(header, record) : Status();
    default:
      return {};
  }
}

Status Scanner::look_into_heap(const RecordHeader& header, ByteView record) {
  auto operation = header.info & heap_operation;
  bool many = header.rmgr == rmgr_heap2;
  if (many ? operation != heap2_multi_insert
           : operation != heap_insert && operation != heap_delete) {
    return {};
  }
  auto body = LB_TRY(parse_record_body(record, version_));
  if (!body.relation || body.fork != 0) {
    return Error(ErrorKind::corrupt, "a row without its table");
  }
  std::int64_t rows = operation == heap_delete && !many ? -1 : 1;
  if (many) {
    auto count = LB_TRY(parse_multi_insert_count(body.main));
    rows = count;
  }
  rows_.add(header.xid, *body.relation, rows);
  return {};
}

Status Scanner::look_into_standby(const RecordHeader& header, ByteView record) {
  if ((header.info & 0xf0) != standby_running_xacts) return {};
  auto body = LB_TRY(parse_record_body(record, version_));
  auto running = LB_TRY(parse_running_transactions(body.main));
  rows_.next_known(running.next);
  rows_.forget_below(running.oldest);
  return {};
}

Status Scanner::look_into_xlog(const RecordHeader& header, ByteView record, Lsn end_lsn) {
  auto operation = header.info & 0xf0;
  if (operation == xlog_restore_point) {
    auto body = LB_TRY(parse_record_body(record, version_));
    auto point = LB_TRY(parse_restore_point(body.main));
    point.end_lsn = end_lsn;
    if (summary_.restore_points.size() < restore_points_max)
      summary_.restore_points.push_back(point);
    return {};
  }
  if (operation != xlog_checkpoint_online && operation != xlog_checkpoint_shutdown) return {};
  auto body = LB_TRY(parse_record_body(record, version_));
  auto checkpoint = LB_TRY(parse_checkpoint(body.main));
  if (checkpoint.redo >= start_) rows_.next_known(checkpoint.next);
  return {};
}

Status Scanner::look_into_transaction(const RecordHeader& header, ByteView record, Lsn end_lsn) {
  auto body = LB_TRY(parse_record_body(record, version_));
  auto end = LB_TRY(parse_transaction_end(header, body.main, version_));
  if (!end) return {};
  if (wishes_.row_deltas) rows_.ended(*end, end_lsn);
  if (changes_) changes_->ended(*end, record_at_, end_lsn);
  Commit noted{end->xid, record_at_, end_lsn, end->time, !end->commit};
  if (end->commit) {
    note_commit(noted);
  } else if (wishes_.aborts) {
    commits_.push_back(noted);
  }
  return {};
}

void Scanner::note_commit(const Commit& commit) {
  ++summary_.commits;
  if (!summary_.first_commit) summary_.first_commit = commit;
  summary_.last_commit = commit;
  auto& least = summary_.min_commit_time;
  auto& most = summary_.max_commit_time;
  least = least ? std::min(*least, commit.time) : commit.time;
  most = most ? std::max(*most, commit.time) : commit.time;
  if (wishes_.commits) commits_.push_back(commit);
}

}  // namespace

std::unique_ptr<WalScanner> WalScanner::create(Lsn start, std::uint64_t segment_bytes,
                                               ScanWishes wishes) {
  return std::make_unique<Scanner>(start, segment_bytes, wishes);
}

}  // namespace lb::pg
