#include "stores/postgres/backup_files.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/source.h"

namespace lb::pg {
namespace {

// Whole chunks of Cut::pages, so that a piece never splits one.
constexpr std::size_t piece_bytes = 256 << 10;
constexpr std::size_t lane_bytes_max = 4 << 20;
constexpr std::size_t small_bytes_max = 1 << 20;

FileAttributes attributes_of(const TarEntry& entry) {
  FileAttributes attributes;
  attributes.mode = entry.mode;
  attributes.mtime = entry.mtime;
  if (entry.kind == TarEntry::Kind::directory) attributes.kind = FileAttributes::Kind::directory;
  if (entry.kind == TarEntry::Kind::symlink) {
    attributes.kind = FileAttributes::Kind::symlink;
    attributes.link_target = entry.link_target;
  }
  return attributes;
}

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

struct BackupFiles::OpenFile {
  TarEntry entry;
  RelationFile relation;
  std::uint64_t offset = 0;
  std::unique_ptr<repo::ContentStream> stream;
};

BackupFiles::BackupFiles(repo::SnapshotWriter& writer, unsigned workers, ProgressSink progress,
                         OnStart on_start, std::stop_token stop)
    : writer_(writer),
      progress_(std::move(progress)),
      on_start_(std::move(on_start)),
      tasks_(std::move(stop)) {
  for (unsigned n = 0; n < std::max(1u, workers); ++n) {
    lanes_.push_back(std::make_unique<Lane>(lane_bytes_max));
  }
  for (const auto& lane : lanes_) {
    tasks_.run([this, &queue = *lane](std::stop_token token) { return work(queue, token); });
  }
}

BackupFiles::~BackupFiles() = default;

Status BackupFiles::started(const BaseBackupStart& start) {
  start_ = start;
  judge_ = LB_TRY(on_start_(start));
  return {};
}

void BackupFiles::progress(std::uint64_t bytes) {
  if (!progress_) return;
  Progress now;
  now.done_bytes = bytes;
  now.total_bytes = std::max(bytes, start_.estimated_bytes);
  now.new_bytes = writer_.stats().new_bytes;
  now.items = items_;
  now.current = printable(entry_.name);
  progress_(now);
}

Status BackupFiles::begin(const TarEntry& entry) {
  entry_ = entry;
  begun_ = false;
  piece_.clear();
  ++items_;
  const auto idle =
      std::min_element(lanes_.begin(), lanes_.end(),
                       [](const auto& a, const auto& b) { return a->bytes() < b->bytes(); });
  lane_ = idle->get();
  return {};
}

Status BackupFiles::data(ByteView bytes) {
  bytes_ += bytes.size();
  LB_TRY(keep_small(bytes));
  while (!bytes.empty()) {
    if (piece_.capacity() == 0) {
      piece_.reserve(std::min<std::uint64_t>(piece_bytes, std::max<std::uint64_t>(entry_.size, 1)));
    }
    const std::size_t part = std::min(piece_bytes - piece_.size(), bytes.size());
    piece_.insert(piece_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part));
    bytes = bytes.subspan(part);
    if (piece_.size() == piece_bytes) LB_TRY(send_piece(false));
  }
  return {};
}

Status BackupFiles::keep_small(ByteView bytes) {
  const bool label = entry_.name == "backup_label";
  if (!label && entry_.name != "tablespace_map") return {};
  Buffer& kept = label ? backup_label_ : tablespace_map_;
  if (kept.size() + bytes.size() > small_bytes_max) {
    return Error(ErrorKind::corrupt, cat(entry_.name, " is impossibly large"));
  }
  kept.insert(kept.end(), bytes.begin(), bytes.end());
  return {};
}

Status BackupFiles::end() { return send_piece(true); }

Status BackupFiles::send_piece(bool ends) {
  Piece piece;
  if (!begun_) piece.begins = entry_;
  piece.bytes = std::exchange(piece_, {});
  piece.ends = ends;
  begun_ = true;
  const std::size_t weight = piece.bytes.size() + sizeof(Piece);
  if (lane_->push(std::move(piece), weight, tasks_.token())) return {};
  // A lane's own failure says more than the queue that was stopped by it.
  LB_TRY(tasks_.wait());
  return Error(ErrorKind::cancelled, "stopped");
}

Status BackupFiles::work(Lane& lane, const std::stop_token& stop) {
  OpenFile file;
  while (auto piece = lane.pop(stop)) {
    LB_TRY(write_piece(std::move(*piece), file).context(printable(file.entry.name)));
  }
  return {};
}

Status BackupFiles::write_piece(Piece piece, OpenFile& file) {
  if (piece.begins) {
    file = OpenFile{};
    file.entry = std::move(*piece.begins);
    if (file.entry.name.empty() || file.entry.kind != TarEntry::Kind::file) {
      if (file.entry.name.empty()) return {};
      return writer_.add(file.entry.name, encode(attributes_of(file.entry)));
    }
    file.relation = relation_file(file.entry.name);
    file.stream = LB_TRY(writer_.open(
        file.entry.name, file.relation.relation ? repo::Cut::pages : repo::Cut::content));
  }
  if (!piece.bytes.empty()) {
    if (judge_ && file.relation.relation) {
      LB_TRY(judge_->check(file.entry.name, file.relation, file.offset, piece.bytes));
    }
    file.offset += piece.bytes.size();
    const bool hole = file.relation.relation && all_zero(piece.bytes);
    LB_TRY(hole ? file.stream->hole(piece.bytes.size()) : file.stream->write(piece.bytes));
  }
  if (!piece.ends) return {};
  LB_TRY(file.stream->finish(encode(attributes_of(file.entry))));
  file.stream.reset();
  return {};
}

Status BackupFiles::manifest(ByteView bytes) {
  if (!manifest_) manifest_ = LB_TRY(writer_.open_attachment(attachment_manifest));
  return manifest_->write(bytes);
}

Status BackupFiles::finish() {
  for (const auto& lane : lanes_) lane->close();
  LB_TRY(tasks_.wait());
  return manifest_ ? manifest_->finish() : Status();
}

std::vector<std::string> BackupFiles::bad_pages() const {
  return judge_ ? judge_->bad_pages() : std::vector<std::string>();
}

}  // namespace lb::pg
