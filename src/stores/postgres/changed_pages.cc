#include "stores/postgres/changed_pages.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/log_path.h"
#include "stores/postgres/timeline_history.h"
#include "stores/postgres/wal_bytes.h"
#include "stores/postgres/wal_page.h"

namespace lb::pg {

void ChangedPages::add(const SegmentDetail& detail, Lsn from, Lsn until) {
  for (const auto& [fork, changes] : detail.forks) {
    auto& known = forks_[fork];
    known.blocks.merge(changes.blocks);
    if (!changes.limit) continue;
    known.limit = known.limit ? std::min(*known.limit, *changes.limit) : changes.limit;
  }
  created_.insert(detail.created.begin(), detail.created.end());
  databases_.insert(detail.databases.begin(), detail.databases.end());
  maps_.insert(detail.maps.begin(), detail.maps.end());
  hints_unlogged_ = hints_unlogged_ || detail.wal_log_hints_off.within(from, until);
  if (detail.wal_level_minimal.within(from, until) && !unusable_) {
    unusable_ = cat("wal_level was minimal at ", format_lsn(detail.wal_level_minimal.last),
                    ": changes were made that the log does not hold");
  }
}

const ForkChanges* ChangedPages::find(const ForkId& fork) const {
  auto found = forks_.find(fork);
  return found == forks_.end() ? nullptr : &found->second;
}

bool ChangedPages::whole(const RelationId& relation) const {
  return created_.contains(relation) ||
         databases_.contains({relation.tablespace, relation.database});
}

std::vector<std::uint32_t> ChangedPages::blocks(const ForkId& fork, std::uint32_t first,
                                                std::uint32_t count) const {
  std::vector<std::uint32_t> out;
  const auto end = std::uint64_t{first} + count;
  const auto* changes = find(fork);
  auto all_from = end;
  if (whole(fork.relation)) {
    all_from = first;
  } else if (changes != nullptr && changes->limit) {
    all_from = std::clamp<std::uint64_t>(*changes->limit, first, end);
  }
  if (changes != nullptr) changes->blocks.list(first, all_from, out);
  out.reserve(out.size() + (end - all_from));
  for (auto block = all_from; block < end; ++block) {
    out.push_back(static_cast<std::uint32_t>(block));
  }
  return out;
}

bool ChangedPages::any(const ForkId& fork) const {
  const auto* changes = find(fork);
  return whole(fork.relation) ||
         (changes != nullptr && (changes->limit || !changes->blocks.empty()));
}

std::uint64_t ChangedPages::count() const {
  std::uint64_t sum = 0;
  for (const auto& [fork, changes] : forks_) sum += changes.blocks.count();
  return sum;
}

std::uint64_t ChangedPages::memory_bytes() const {
  constexpr std::uint64_t node_bytes = 48;
  std::uint64_t sum = forks_.size() * (sizeof(ForkId) + sizeof(ForkChanges) + node_bytes);
  for (const auto& [fork, changes] : forks_) sum += changes.blocks.memory_bytes();
  return sum + created_.size() * (sizeof(RelationId) + node_bytes);
}

bool is_unlogged_hint(ByteView page) {
  // spgist_private.h: the last 8 bytes are flags (1: meta page), counts, and the mark of the
  // method.
  constexpr std::uint16_t meta = 1, spgist_mark = 0xFF82;
  if (page.size() != 8192) return false;
  const auto flags = load<std::uint16_t>(&page[page.size() - 8]);
  return load<std::uint16_t>(&page[page.size() - 2]) == spgist_mark && (flags & meta) != 0;
}

namespace {

// Goes along the parts of the log. `covered_`: every record that ends behind the beginning and at
// or before it has been added.
class ChangeReader {
 public:
  ChangeReader(repo::Repository& repository, const LogIndex& index, const LogPath& path, Lsn from)
      : repository_(repository), index_(index), path_(path), from_(from), covered_(from) {}

  Status read(Lsn until) {
    until_ = until;
    for (std::size_t i = 0; i < path_.parts.size() && covered_ < until; ++i) {
      const bool told = LB_TRY(add_detail(i));
      if (!told) LB_TRY(scan(i));
    }
    return {};
  }
  Lsn covered() const { return covered_; }
  ChangedPages& pages() { return pages_; }

 private:
  const repo::LogName& name(std::size_t part) const { return path_.parts[part]->info.name; }
  std::string label(std::size_t part) const {
    return cat("WAL ", segment_name(name(part).timeline, name(part).segment, index_.segment_bytes));
  }
  Result<bool> add_detail(std::size_t part);
  Status scan(std::size_t part);
  Status feed(std::size_t part);

  repo::Repository& repository_;
  const LogIndex& index_;
  const LogPath& path_;
  Lsn from_, covered_;
  Lsn until_ = 0;
  ChangedPages pages_;
  std::unique_ptr<WalScanner> scanner_;
  std::size_t next_ = 0;  // the part that the scanner has not read yet
};

// False: there is none, or it does not go on where the one before ended. A receiver that begins in
// the middle of the log misses the record that lies across its first border.
Result<bool> ChangeReader::add_detail(std::size_t part) {
  if (!path_.parts[part]->info.complete) return false;
  auto bytes = LB_TRY(repository_.get_log_detail(name(part)).context(label(part)));
  if (!bytes) return false;
  auto detail = LB_TRY(decode_detail(*bytes).context(label(part)));
  if (detail.complete_from > covered_) return false;
  pages_.add(detail, from_, until_);
  covered_ = std::max(covered_, detail.end_lsn);
  scanner_.reset();
  return true;
}

// What ends behind `covered_` begins there or later: the scan starts in the segment that holds it.
Status ChangeReader::scan(std::size_t part) {
  const auto first = name(0).segment;
  if (!scanner_ || next_ != part) {
    const auto begin = std::max(covered_ / index_.segment_bytes, first);
    next_ = std::min<std::size_t>(begin - first, part);
    scanner_ = WalScanner::create((first + next_) * index_.segment_bytes, index_.segment_bytes,
                                  {.detail = true});
  }
  while (next_ <= part) LB_TRY(feed(next_++));
  auto detail = scanner_->take_detail();
  if (detail.complete_from > covered_) {
    return Error(ErrorKind::corrupt,
                 cat("no record of the log begins or ends at ", format_lsn(covered_)));
  }
  pages_.add(detail, from_, until_);
  covered_ = std::max(covered_, detail.end_lsn);
  return {};
}

Status ChangeReader::feed(std::size_t part) {
  auto bytes = LB_TRY(repository_.get_log(name(part)).context(label(part)));
  return scanner_->feed(bytes).context(label(part));
}

// Where a record would begin is told behind the header of its page; records end before it.
Lsn before_page_header(Lsn lsn, std::uint64_t segment_bytes) {
  const bool first_page = lsn % segment_bytes < wal_page_bytes;
  const auto header = first_page ? long_header_bytes : short_header_bytes;
  return lsn % wal_page_bytes == header ? lsn - header : lsn;
}

Error not_all_there(const LogPath& path, const LogIndex& index, Lsn until, Lsn end) {
  auto message = cat("the log of timeline ", path.timeline, " up to ", format_lsn(until),
                     " is not all in the repository: ");
  if (path.hole && path.hole->from < until) {
    return Error(
        ErrorKind::not_found,
        cat(message, "segments ",
            segment_name(path.hole->timeline, path.hole->first_segment, index.segment_bytes),
            " to ", segment_name(path.hole->timeline, path.hole->last_segment, index.segment_bytes),
            " are missing"));
  }
  return Error(ErrorKind::not_found, cat(message, "it ends at ", format_lsn(end)));
}

// The timeline of this descent that was in force at `from`.
std::uint32_t timeline_at(const LogIndex& index, std::uint32_t timeline, Lsn from) {
  for (const auto& generation : descent_of(index.switches, timeline)) {
    if (!generation.until || from < *generation.until) return generation.timeline;
  }
  return timeline;
}

}  // namespace

Result<ChangedPages> read_changed_pages(repo::Repository& repository, const LogIndex& index,
                                        std::uint32_t timeline, Lsn from, Lsn until) {
  SnapshotDetails begin;
  begin.timeline = timeline_at(index, timeline, from);
  begin.start_lsn = begin.stop_lsn = from;
  const auto path = LB_TRY(trace_path(index, begin, timeline));
  const auto end = before_page_header(until, index.segment_bytes);
  ChangeReader reader(repository, index, path, from);
  LB_TRY(reader.read(end));
  if (reader.covered() < end) return not_all_there(path, index, until, reader.covered());
  return std::move(reader.pages());
}

}  // namespace lb::pg
