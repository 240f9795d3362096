#include "stores/postgres/folder_backup.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/page_hints.h"
#include "stores/postgres/page_plan.h"

namespace lb::pg {
namespace {

constexpr std::uint64_t window_bytes = 128 << 10;  // a chunk of Cut::pages
// Read at once: so many chunks are hashed side by side.
constexpr std::uint64_t piece_bytes = 16 * window_bytes;
constexpr std::size_t queue_bytes_max = 4 << 20;
constexpr std::size_t named_max = 100;
constexpr std::uint32_t default_space = 1663, global_space = 1664;

FileAttributes attributes_of(const DataEntry& entry) {
  FileAttributes attributes;
  attributes.kind = entry.kind;
  attributes.mode = entry.mode;
  attributes.mtime = entry.mtime;
  return attributes;
}

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

void add_pieces(std::uint64_t from, std::uint64_t to, std::vector<DataRange>& out) {
  while (from < to) {
    const std::uint64_t end = std::min(to, (from / piece_bytes + 1) * piece_bytes);
    out.push_back({from, end - from});
    from = end;
  }
}

}  // namespace

std::optional<RelationPath> relation_path(std::string_view path) {
  if (!relation_file(path).relation) return std::nullopt;
  const std::vector<std::string> parts = split(path, '/');
  const auto name = relation_name(parts.back());
  if (!name) return std::nullopt;
  RelationPath out;
  out.name = *name;
  out.relation.filenode = name->filenode;
  const auto number = [](const std::string& text) {
    const auto value = parse_uint(text);
    return value.ok() ? static_cast<std::uint32_t>(*value) : 0;
  };
  if (parts[0] == "global") {
    out.relation.tablespace = global_space;
  } else if (parts[0] == "base") {
    out.relation.tablespace = default_space;
    out.relation.database = number(parts[1]);
  } else {
    out.relation.tablespace = number(parts[1]);
    out.relation.database = number(parts[3]);
  }
  return out;
}

// The parent's rows, met in step with a walk in nearly the same order.
class FolderBackup::ParentRows {
 public:
  explicit ParentRows(repo::SnapshotReader& parent) : parent_(parent) {}

  Result<std::optional<repo::Row>> find(const std::string& key) {
    if (!cursor_) cursor_ = LB_TRY(parent_.rows());
    const bool in_order = last_ < key;
    last_ = key;
    while (!row_ || row_->key < key) {
      row_ = LB_TRY(cursor_->next());
      if (!row_) break;
    }
    if (!row_) return parent_.find(key);
    if (row_->key == key) return std::optional<repo::Row>(std::move(*row_));
    return in_order ? Result<std::optional<repo::Row>>(std::nullopt) : parent_.find(key);
  }

 private:
  repo::SnapshotReader& parent_;
  std::unique_ptr<repo::RowCursor> cursor_;
  std::optional<repo::Row> row_;
  std::string last_;
};

// One file of a relation: pages as they are read, and between them those of the parent's row.
class FolderBackup::PageWriter {
 public:
  PageWriter(FolderBackup& backup, const WalkedFile& file, repo::ContentStream& stream,
             const repo::Row* row)
      : backup_(backup), file_(file), stream_(stream), row_(row) {}

  Status take(std::uint64_t offset, std::uint64_t asked, MutableBytes bytes) {
    if (ended_) return {};
    LB_TRY(reuse_until(offset));
    if (backup_.options_.judge != nullptr) {
      LB_TRY(backup_.options_.judge->check(file_.path, file_.relation, offset, bytes));
    }
    read_ += bytes.size();
    ended_ = bytes.size() < asked;
    // Windows in a row that are stored whole go together.
    ByteView whole;
    for (ByteView rest = bytes; !rest.empty();) {
      const std::uint64_t left = window_bytes - (at_ + whole.size()) % window_bytes;
      const ByteView part = rest.first(std::min<std::uint64_t>(left, rest.size()));
      rest = rest.subspan(part.size());
      const Form form = form_of(part);
      if (form == Form::whole) {
        whole = ByteView(whole.empty() ? part.data() : whole.data(), whole.size() + part.size());
        continue;
      }
      LB_TRY(write_whole(std::exchange(whole, {})));
      at_ += part.size();
      LB_TRY(form == Form::zero ? stream_.hole(part.size()) : stream_.write_apart(part));
    }
    return write_whole(whole);
  }

  // Not beyond the end of a file that was cut while it was read.
  Status reuse_until(std::uint64_t offset) {
    if (ended_ || offset <= at_) return {};
    LB_ASSERT(row_ != nullptr);
    LB_TRY(stream_.reuse(*row_, at_, offset - at_));
    at_ = offset;
    return {};
  }

  std::uint64_t bytes() const { return at_; }
  std::uint64_t bytes_read() const { return read_; }
  bool ended() const { return ended_; }

 private:
  enum class Form { whole, apart, zero };

  Form form_of(ByteView part) const {
    if (part.size() % page_bytes == 0 && all_zero(part)) return Form::zero;
    return part.size() == window_bytes || row_ == nullptr ? Form::whole : Form::apart;
  }

  Status write_whole(ByteView bytes) {
    at_ += bytes.size();
    return bytes.empty() ? Status() : stream_.write(bytes);
  }

  FolderBackup& backup_;
  const WalkedFile& file_;
  repo::ContentStream& stream_;
  const repo::Row* row_;
  std::uint64_t at_ = 0, read_ = 0;
  bool ended_ = false;
};

FolderBackup::FolderBackup(repo::SnapshotWriter& writer, DataFolder& folder,
                           FolderBackupOptions options, std::stop_token stop)
    : writer_(writer),
      folder_(folder),
      options_(std::move(options)),
      queue_(queue_bytes_max),
      tasks_(std::move(stop)) {
  if (options_.parent != nullptr) parent_ = std::make_unique<ParentRows>(*options_.parent);
}

FolderBackup::~FolderBackup() = default;

Result<FolderBackupResult> FolderBackup::run() {
  for (unsigned n = 0; n < std::max(1u, options_.workers); ++n) {
    tasks_.run([this](std::stop_token token) { return work(token); });
  }
  WalkFindings findings;
  const Status walked = walk_data(
      folder_, options_.server_version, [this](WalkedFile file) { return queue(std::move(file)); },
      findings);
  queue_.close();
  if (!walked.ok()) tasks_.stop();
  const Status worked = tasks_.wait();
  // A worker's own failure says more than the queue that was stopped by it.
  if (!worked.ok() && worked.error().kind() != ErrorKind::cancelled) return worked.error();
  if (!walked.ok()) return walked.error();
  LB_TRY(Status(worked));
  WalkedFile control;
  control.path = "global/pg_control";
  control.entry.name = "pg_control";
  LB_TRY(save_file(control).context(control.path));
  result_.left_out.insert(result_.left_out.end(), findings.left_out.begin(),
                          findings.left_out.end());
  std::sort(result_.disagreements.begin(), result_.disagreements.end());
  std::sort(result_.unreadable.begin(), result_.unreadable.end());
  if (unreadable_ > named_max)
    result_.unreadable.push_back(cat("and ", unreadable_ - named_max, " more"));
  if (lost_ > named_max) result_.lost.push_back(cat("and ", lost_ - named_max, " more"));
  if (disagreements_ > named_max)
    result_.disagreements.push_back(cat("and ", disagreements_ - named_max, " more"));
  return std::move(result_);
}

bool FolderBackup::may_splice(const WalkedFile& file) const {
  if (options_.changed == nullptr || file.entry.kind != FileAttributes::Kind::file) return false;
  const auto of = relation_path(file.path);
  return of && of->name.fork == RelationName::Fork::main && !options_.changed->whole(of->relation);
}

Status FolderBackup::queue(WalkedFile file) {
  Item item{std::move(file), {}};
  if (parent_ != nullptr && may_splice(item.file)) {
    item.row = LB_TRY(parent_->find(item.file.path));
  }
  std::size_t weight = sizeof(Item) + item.file.path.size();
  if (item.row) weight += item.row->extents.size() * sizeof(repo::Extent);
  if (queue_.push(std::move(item), weight, tasks_.token())) return {};
  return Error(ErrorKind::cancelled, "stopped").with_exit(ExitCode::interrupted);
}

Status FolderBackup::work(const std::stop_token& stop) {
  while (auto item = queue_.pop(stop)) {
    const std::string path = item->file.path;
    LB_TRY(save(std::move(*item)).context(printable(path)));
  }
  return {};
}

Status FolderBackup::save(Item item) {
  if (item.file.entry.kind != FileAttributes::Kind::file) {
    count(item.file, 0, 0);
    return writer_.add(item.file.path, encode(attributes_of(item.file.entry)));
  }
  Status spliced;
  if (item.row) {
    spliced = save_pages(item.file, *item.row);
    if (spliced.ok() || spliced.error().kind() != ErrorKind::not_found) return spliced;
  }
  Status saved = save_file(item.file);
  // The file is there, so what was missing is what the parent stored of it.
  if (saved.ok() && !spliced.ok()) note_lost(spliced.error());
  // A file that went meanwhile is not in the backup: replay removes it as well.
  if (!saved.ok() && saved.error().kind() == ErrorKind::not_found) return {};
  // Somebody else's in the server's folder, which the server does without.
  const bool denied = !saved.ok() && saved.error().kind() == ErrorKind::denied;
  if (!denied || is_servers(item.file.path)) return saved;
  note_unreadable(saved.error());
  return {};
}

Status FolderBackup::save_file(const WalkedFile& file) {
  const std::unique_ptr<DataFile> data = LB_TRY(folder_.open(file.path));
  return save_whole(file, *data);
}

Status FolderBackup::save_whole(const WalkedFile& file, DataFile& data) {
  auto stream = LB_TRY(
      writer_.open(file.path, file.relation.relation ? repo::Cut::pages : repo::Cut::content));
  std::uint64_t bytes = 0;
  if (file.relation.relation) {
    PageWriter pages(*this, file, *stream, nullptr);
    std::vector<DataRange> pieces;
    add_pieces(0, file.entry.size, pieces);
    LB_TRY(data.read(pieces, [&](const DataRange& asked, MutableBytes read) {
      return pages.take(asked.offset, asked.length, read);
    }));
    bytes = pages.bytes();
  } else {
    // Their sizes change while they are read: to the end, wherever that is by then.
    for (bool more = true; more;) {
      const DataRange piece{bytes, piece_bytes};
      LB_TRY(data.read({&piece, 1}, [&](const DataRange& asked, MutableBytes read) -> Status {
        bytes += read.size();
        more = read.size() == asked.length;
        return read.empty() ? Status() : stream->write(read);
      }));
    }
  }
  LB_TRY(stream->finish(encode(attributes_of(file.entry))));
  count(file, bytes, bytes);
  return {};
}

Status FolderBackup::save_pages(const WalkedFile& file, const repo::Row& row) {
  const auto of = relation_path(file.path);
  LB_ASSERT(of.has_value());
  const auto blocks = static_cast<std::uint32_t>((file.entry.size + page_bytes - 1) / page_bytes);
  const std::uint32_t base = of->name.segment * options_.blocks_per_segment;
  std::vector<std::uint32_t> changed = options_.changed->blocks({of->relation, 0}, base, blocks);
  for (std::uint32_t& block : changed) block -= base;
  const std::vector<PageStep> steps = plan_pages(row, file.entry.size, changed);
  const bool untouched =
      row.size == file.entry.size && (steps.empty() || (steps.size() == 1 && !steps[0].read));
  if (untouched && !options_.compare) {
    LB_TRY(writer_.reuse(row, encode(attributes_of(file.entry))));
    count(file, row.size, 0);
    return {};
  }
  const std::unique_ptr<DataFile> data = LB_TRY(folder_.open(file.path));
  std::vector<DataRange> ranges;
  std::uint64_t kept = 0;  // the end of what is reused last
  for (const PageStep& step : steps) {
    const std::uint64_t from = std::uint64_t{step.first} * page_bytes;
    const std::uint64_t to =
        std::min(file.entry.size, from + std::uint64_t{step.count} * page_bytes);
    if (step.read) {
      add_pieces(from, to, ranges);
    } else {
      kept = to;
    }
  }
  if (options_.compare) LB_TRY(compare(file, row, steps, *data, ranges));
  auto stream = LB_TRY(writer_.open(file.path, repo::Cut::pages));
  PageWriter pages(*this, file, *stream, &row);
  LB_TRY(data->read(ranges, [&](const DataRange& asked, MutableBytes read) {
    return pages.take(asked.offset, asked.length, read);
  }));
  LB_TRY(pages.reuse_until(kept));
  LB_TRY(stream->finish(encode(attributes_of(file.entry))));
  count(file, pages.bytes(), pages.bytes_read());
  return {};
}

std::uint32_t FolderBackup::block_at(const WalkedFile& file, std::uint64_t offset) const {
  return file.relation.segment * options_.blocks_per_segment +
         static_cast<std::uint32_t>(offset / page_bytes);
}

void FolderBackup::note_lost(const Error& error) {
  const std::lock_guard lock(mutex_);
  ++lost_;
  if (lost_ <= named_max) result_.lost.push_back(error.text());
}

void FolderBackup::note_unreadable(const Error& error) {
  const std::lock_guard lock(mutex_);
  ++unreadable_;
  if (unreadable_ <= named_max) result_.unreadable.push_back(error.text());
}

// What is not read stands in the parent's row: is it so?
Status FolderBackup::compare(const WalkedFile& file, const repo::Row& row,
                             const std::vector<PageStep>& steps, DataFile& data,
                             std::vector<DataRange>& ranges) {
  for (const PageStep& step : steps) {
    if (step.read) continue;
    std::vector<DataRange> pieces;
    const std::uint64_t from = std::uint64_t{step.first} * page_bytes;
    add_pieces(from, from + std::uint64_t{step.count} * page_bytes, pieces);
    std::vector<std::uint64_t> differ;
    const auto judge = [&](const DataRange& asked, MutableBytes now) -> Status {
      const std::uint64_t length = now.size() / page_bytes * page_bytes;
      const Buffer stored = LB_TRY(options_.parent->read(row, asked.offset, length));
      for (std::uint64_t at = 0; at < length; at += page_bytes) {
        if (!may_stand_for(file, asked.offset + at, ByteView(stored).subspan(at, page_bytes),
                           now.subspan(at, page_bytes)))
          differ.push_back(asked.offset + at);
      }
      const std::lock_guard lock(mutex_);
      result_.bytes_read += now.size();
      return {};
    };
    LB_TRY(data.read(pieces, judge));
    for (const std::uint64_t offset : differ) LB_TRY(look_again(file, row, offset, data, ranges));
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const DataRange& a, const DataRange& b) { return a.offset < b.offset; });
  return {};
}

// A page that changed since the backup began is put right by replay. After a failover, and where
// backups of a standby and its primary alternate, hints differ, which are each server's own. The
// maps of a relation change without an LSN of their own. Bits that went bad look like hints.
bool FolderBackup::may_stand_for(const WalkedFile& file, std::uint64_t offset, ByteView stored,
                                 ByteView now) const {
  if (std::equal(stored.begin(), stored.end(), now.begin())) return true;
  if (page_lsn(now) >= options_.backup_start || is_unlogged_hint(now)) return true;
  const auto place = relation_path(file.path);
  const bool main = place && place->name.fork == RelationName::Fork::main;
  if (!main || !differ_in_hints_alone(stored, now)) return false;
  return options_.judge == nullptr ||
         judge_page(now, block_at(file, offset), options_.backup_start) != PageVerdict::bad;
}

// The first reading may have met a page that was just being written.
Status FolderBackup::look_again(const WalkedFile& file, const repo::Row& row, std::uint64_t offset,
                                DataFile& data, std::vector<DataRange>& ranges) {
  const Buffer stored = LB_TRY(options_.parent->read(row, offset, page_bytes));
  const DataRange page{offset, page_bytes};
  bool differs = false;
  LB_TRY(data.read({&page, 1}, [&](const DataRange&, MutableBytes now) -> Status {
    differs = now.size() == page_bytes && !may_stand_for(file, offset, stored, now);
    return {};
  }));
  if (!differs) return {};
  ranges.push_back(page);
  const std::lock_guard lock(mutex_);
  ++disagreements_;
  if (result_.disagreements.size() < named_max)
    result_.disagreements.push_back(cat(file.path, " block ", block_at(file, offset)));
  return {};
}

void FolderBackup::count(const WalkedFile& file, std::uint64_t bytes, std::uint64_t read) {
  const std::lock_guard lock(mutex_);
  result_.bytes += bytes;
  result_.bytes_read += read;
  ++items_;
  if (!options_.progress) return;
  Progress now;
  now.done_bytes = result_.bytes;
  now.total_bytes = std::max(result_.bytes, options_.estimated_bytes);
  now.new_bytes = writer_.stats().new_bytes;
  now.items = items_;
  now.current = printable(file.path);
  options_.progress(now);
}

}  // namespace lb::pg
