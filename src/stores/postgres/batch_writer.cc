#include "stores/postgres/batch_writer.h"

#include <algorithm>
#include <cstring>

namespace lb::pg {

namespace {

constexpr std::uint32_t file_mode = 0600;
constexpr std::size_t page_bytes = 8192;
constexpr std::uint64_t behind_bytes_min = 4 << 20;  // smaller files wait for the sync of all
constexpr std::size_t hole_bytes_max = 256 << 10;    // looked at together

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](auto byte) { return byte == 0; });
}

std::uint64_t content_bytes(const repo::Row& row) {
  std::uint64_t bytes = 0;
  for (const auto& extent : row.extents) bytes += extent.hole ? 0 : extent.length;
  return bytes;
}

std::vector<DataRange> holes_of(const repo::Row& row) {
  std::vector<DataRange> out;
  std::uint64_t at = 0;
  for (const auto& extent : row.extents) {
    if (extent.hole) out.push_back({at, extent.length});
    at += extent.length;
  }
  return out;
}

// Writes zeros where [range) of the file holds anything else.
Status clear_range(File& file, DataRange range, Buffer& room) {
  const Buffer zeros(page_bytes);
  while (range.length > 0) {
    auto piece = MutableBytes(room).first(std::min<std::uint64_t>(range.length, room.size()));
    auto got = LB_TRY(file.read_at(piece, range.offset));
    for (std::size_t at = 0; at < got; at += page_bytes) {
      auto page = piece.subspan(at, std::min(page_bytes, got - at));
      if (is_zero(page)) continue;
      LB_TRY(file.write_at(ByteView(zeros).first(page.size()), range.offset + at));
    }
    if (got < piece.size()) return {};
    range.offset += got;
    range.length -= got;
  }
  return {};
}

}  // namespace

RestoreProgress::RestoreProgress(std::uint64_t total_bytes, ProgressSink sink)
    : sink_(std::move(sink)) {
  progress_.total_bytes = total_bytes;
}

void RestoreProgress::add(const std::string& key, std::uint64_t bytes, std::uint64_t kept) {
  std::lock_guard lock(mutex_);
  progress_.done_bytes += bytes;
  kept_ += kept;
  progress_.current = key;
  if (sink_) sink_(progress_);
}

void RestoreProgress::add_item(const std::string& key) {
  std::lock_guard lock(mutex_);
  ++progress_.items;
  progress_.current = key;
  if (sink_) sink_(progress_);
}

RestoreOutcome RestoreProgress::outcome() const {
  std::lock_guard lock(mutex_);
  RestoreOutcome out;
  out.items = progress_.items;
  out.bytes = progress_.done_bytes;
  out.kept_bytes = kept_;
  return out;
}

BatchWriter::BatchWriter(Files& files, const LayoutOptions& options,
                         const std::vector<std::string>& paths, std::vector<repo::Row>& rows,
                         RestoreProgress& progress)
    : files_(files), options_(options), paths_(paths), rows_(rows), progress_(progress) {
  for (const auto& row : rows) {
    entries_.push_back(std::make_unique<Entry>());
    if (options.over_present) entries_.back()->holes = holes_of(row);
  }
}

Status BatchWriter::leave_out_present(repo::SnapshotReader& snapshot, std::stop_token stop) {
  if (!options_.over_present) return {};
  std::vector<std::uint64_t> before;
  before.reserve(rows_.size());
  for (const auto& row : rows_) before.push_back(content_bytes(row));
  LB_TRY(snapshot.leave_out_present(rows_, *this, options_.workers, stop));
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    auto kept = before[i] - content_bytes(rows_[i]);
    if (kept > 0) progress_.add(rows_[i].key, kept, kept);
  }
  return {};
}

Result<std::size_t> BatchWriter::read_at(std::size_t row, std::uint64_t offset, MutableBytes out) {
  auto* file = LB_TRY(open(row));
  auto present = entries_[row]->present;
  if (offset >= present) return std::size_t{0};
  return file->read_at(out.first(std::min<std::uint64_t>(out.size(), present - offset)), offset);
}

Status BatchWriter::data(std::size_t row, std::uint64_t offset, ByteView bytes) {
  auto* file = LB_TRY(open(row));
  auto present = entries_[row]->present;
  std::uint64_t kept = 0;
  if (offset < present) {
    kept = LB_TRY(write_differing(*file, offset, bytes, present).context(paths_[row]));
  } else {
    LB_TRY(file->write_at(bytes, offset).context(paths_[row]));
    if (behind(row)) {
      entries_[row]->behind = true;
      file->write_behind({offset, bytes.size()});
    }
  }
  progress_.add(rows_[row].key, bytes.size(), kept);
  return {};
}

bool BatchWriter::behind(std::size_t row) const {
  return options_.write_behind && rows_[row].size >= behind_bytes_min;
}

// What of the bytes was there before. A chunk differs, most of its pages do not: what is not
// written needs not to be made durable.
Result<std::uint64_t> BatchWriter::write_differing(File& file, std::uint64_t offset, ByteView bytes,
                                                   std::uint64_t present) {
  Buffer lying(std::min<std::uint64_t>(bytes.size(), present - offset));
  auto got = LB_TRY(file.read_at(lying, offset));
  auto same = [&](std::size_t at) {
    auto size = std::min(page_bytes, bytes.size() - at);
    return at + size <= got && std::memcmp(&bytes[at], &lying[at], size) == 0;
  };
  std::uint64_t kept = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    if (same(at)) {
      kept += std::min(page_bytes, bytes.size() - at);
      at += page_bytes;
      continue;
    }
    auto end = at + page_bytes;
    while (end < bytes.size() && !same(end)) end += page_bytes;
    auto run = bytes.subspan(at, std::min(end, bytes.size()) - at);
    LB_TRY(file.write_at(run, offset + at));
    at = end;
  }
  return kept;
}

Status BatchWriter::done(std::size_t row) {
  auto* file = LB_TRY(open(row));
  auto& entry = *entries_[row];
  const auto& path = paths_[row];
  LB_TRY(clear_holes(row, *file).context(path));
  LB_TRY(file->truncate(rows_[row].size).context(path));  // also for a hole at the end
  // What was there already stays in memory as it was: a server may start on it next.
  if (entry.behind) LB_TRY(file->end_behind().context(path));
  LB_TRY(file->close().context(path));
  if (options_.change_owner) {
    LB_TRY(files_.set_owner(path, options_.owner.uid, options_.owner.gid));
  }
  std::lock_guard lock(entry.mutex);
  entry.file.reset();
  progress_.add_item(rows_[row].key);
  return {};
}

Status BatchWriter::clear_holes(std::size_t row, File& file) {
  auto& entry = *entries_[row];
  if (entry.present == 0 || entry.holes.empty()) return {};
  Buffer room(hole_bytes_max);
  auto ranges = LB_TRY(file.data_ranges());
  for (const auto& hole : entry.holes) {
    for (const auto& range : ranges) {
      auto from = std::max(hole.offset, range.offset);
      auto to = std::min(hole.offset + hole.length, range.offset + range.length);
      if (from < to) LB_TRY(clear_range(file, {from, to - from}, room));
    }
  }
  return {};
}

Result<File*> BatchWriter::open(std::size_t row) {
  auto& entry = *entries_[row];
  std::lock_guard lock(entry.mutex);
  if (!entry.file) {
    auto file = options_.over_present ? open_over(row) : files_.create(paths_[row], file_mode);
    entry.file = LB_TRY(std::move(file));
  }
  return entry.file.get();
}

// Only a plain file of one name is written over: another name of it may be somebody else's.
Result<std::unique_ptr<File>> BatchWriter::open_over(std::size_t row) {
  const auto& path = paths_[row];
  auto info = files_.info(path);
  if (!info.ok() && info.error().kind() != ErrorKind::not_found)
    return std::move(info).take_error();
  if (info.ok() && info->kind == FileKind::regular && info->links == 1) {
    auto file = LB_TRY(files_.open_write(path));
    LB_TRY(file->set_mode(file_mode).context(path));
    entries_[row]->present = info->size;
    return file;
  }
  if (info.ok()) LB_TRY(remove_tree(files_, path));
  return files_.create(path, file_mode);
}

}  // namespace lb::pg
