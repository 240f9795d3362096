#include "stores/postgres/log_spool.h"

#include <algorithm>
#include <array>
#include <bit>

#include "foundation/base/text.h"
#include "stores/postgres/wal_crc.h"

namespace lb::pg {
namespace {

constexpr std::uint32_t frame_magic = 0x5053424c;  // "LBSP"
constexpr std::size_t frame_header_bytes = 20;
constexpr std::size_t frame_bytes_max = 256 << 10;
constexpr std::string_view ending = ".spool";

std::uint32_t crc_of(std::uint32_t length, Lsn at, ByteView bytes) {
  Buffer head;
  ByteWriter writer(head);
  writer.u32(length);
  writer.u64(at);
  return crc32c_end(crc32c_add(crc32c_add(crc32c_begin(), head), bytes));
}

Buffer header_of(Lsn at, ByteView bytes) {
  Buffer out;
  ByteWriter writer(out);
  writer.u32(frame_magic);
  writer.u32(static_cast<std::uint32_t>(bytes.size()));
  writer.u64(at);
  writer.u32(crc_of(static_cast<std::uint32_t>(bytes.size()), at, bytes));
  return out;
}

// The log in the frame at `offset`; corrupt when there is none that is whole.
Result<LogSpool::Part> read_frame(File& file, std::uint64_t offset) {
  Buffer head(frame_header_bytes);
  const std::size_t got = LB_TRY(file.read_at(head, offset));
  ByteReader reader(ByteView(head).first(got));
  const std::uint32_t magic = LB_TRY(reader.u32());
  const std::uint32_t length = LB_TRY(reader.u32());
  LogSpool::Part out;
  out.place.at = LB_TRY(reader.u64());
  const std::uint32_t crc = LB_TRY(reader.u32());
  if (magic != frame_magic || length == 0 || length > frame_bytes_max)
    return Error(ErrorKind::corrupt, "this is no frame of a spool");
  out.bytes.resize(length);
  const std::size_t bytes = LB_TRY(file.read_at(out.bytes, offset + frame_header_bytes));
  if (bytes < length || crc_of(length, out.place.at, out.bytes) != crc)
    return Error(ErrorKind::corrupt, "a frame of the spool is not whole");
  return out;
}

// "00000001-0000000000000003.spool"
std::optional<std::pair<std::uint32_t, std::uint64_t>> id_of(const std::string& name) {
  constexpr std::size_t timeline_digits = 8, number_digits = 16;
  constexpr std::size_t size = timeline_digits + 1 + number_digits + ending.size();
  if (name.size() != size || !name.ends_with(ending) || name[timeline_digits] != '-')
    return std::nullopt;
  const auto timeline = from_hex(name.substr(0, timeline_digits));
  const auto number = from_hex(name.substr(timeline_digits + 1, number_digits));
  if (!timeline.ok() || !number.ok()) return std::nullopt;
  const auto joined = [](const Buffer& bytes) {
    std::uint64_t out = 0;
    for (const std::uint8_t byte : bytes) out = out << 8 | byte;
    return out;
  };
  return std::pair(static_cast<std::uint32_t>(joined(*timeline)), joined(*number));
}

}  // namespace

std::string LogSpool::path_of(const Id& id) const {
  std::array<std::uint8_t, 12> bytes{};
  for (std::size_t i = 0; i < 4; ++i)
    bytes[i] = static_cast<std::uint8_t>(id.first >> (24 - 8 * i));
  for (std::size_t i = 0; i < 8; ++i)
    bytes[4 + i] = static_cast<std::uint8_t>(id.second >> (56 - 8 * i));
  const ByteView view(bytes);
  return path_join(folder_, cat(to_hex(view.first(4)), "-", to_hex(view.subspan(4)), ending));
}

Result<std::unique_ptr<LogSpool>> LogSpool::open(Files& files, const std::string& folder,
                                                 std::uint64_t segment_bytes,
                                                 const Trouble& on_trouble) {
  LB_TRY(make_directories(files, folder, 0700).context("make the folder of the spool"));
  std::unique_ptr<LogSpool> out(new LogSpool(files, folder, segment_bytes));
  auto lock = files.lock(path_join(folder, "lock"));
  if (!lock.ok() && lock.error().kind() == ErrorKind::conflict) {
    return Error(ErrorKind::unavailable, cat("another program has the spool ", folder))
        .with_native(in_use);
  }
  out->lock_ = LB_TRY(std::move(lock));
  LB_TRY(out->look(on_trouble).context(cat("read the spool ", folder)));
  return out;
}

Result<std::uint64_t> LogSpool::left_in(Files& files, const std::string& folder) {
  if (!files.info(path_join(folder, "lock")).ok()) return std::uint64_t{0};
  const auto lock = files.lock(path_join(folder, "lock"));
  if (!lock.ok() && lock.error().kind() == ErrorKind::conflict) return std::uint64_t{0};
  LB_TRY(lock.status());
  std::uint64_t sum = 0;
  for (const DirEntry& entry : LB_TRY(files.list(folder))) {
    if (id_of(entry.name)) sum += LB_TRY(files.info(path_join(folder, entry.name))).size;
  }
  return sum;
}

// A file begins with its segment, so its first frame tells how long segments are.
Result<std::optional<std::uint64_t>> LogSpool::segment_bytes_in(Files& files,
                                                                const std::string& folder) {
  for (const DirEntry& entry : LB_TRY(files.list(folder))) {
    const auto id = id_of(entry.name);
    if (!id || id->second == 0) continue;
    const auto file = LB_TRY(files.open_read(path_join(folder, entry.name)));
    const auto first = read_frame(*file, 0);
    if (!first.ok() && first.error().kind() != ErrorKind::corrupt) return first.error();
    if (!first.ok() || first->place.at % id->second != 0) continue;
    const std::uint64_t bytes = first->place.at / id->second;
    if (std::has_single_bit(bytes)) return std::optional(bytes);
  }
  return std::optional<std::uint64_t>();
}

Status LogSpool::look(const Trouble& on_trouble) {
  for (const DirEntry& entry : LB_TRY(files_.list(folder_))) {
    const auto id = id_of(entry.name);
    if (!id) continue;
    const std::string path = path_of(*id);
    const Segment segment = LB_TRY(whole_frames(*id, path));
    const std::uint64_t size = LB_TRY(files_.info(path)).size;
    if (segment.file_bytes < size) {
      on_trouble(cat("the spool file ", path, " is whole up to byte ", segment.file_bytes, " of ",
                     size,
                     ": a crash while it was written. The rest is asked of the server again"));
    }
    if (segment.file_bytes == 0) {
      LB_TRY(files_.remove(path));
    } else {
      segments_[*id] = segment;
    }
  }
  again();
  return {};
}

// Of a file; the log in it has no gap and stays within its segment.
Result<LogSpool::Segment> LogSpool::whole_frames(const Id& id, const std::string& path) {
  const auto file = LB_TRY(files_.open_read(path));
  Segment out;
  out.end = id.second * segment_bytes_;
  for (;;) {
    const auto part = read_frame(*file, out.file_bytes);
    if (!part.ok() && part.error().kind() != ErrorKind::corrupt) return part.error();
    const bool follows = part.ok() && part->place.at == out.end &&
                         out.end + part->bytes.size() <= (id.second + 1) * segment_bytes_;
    if (!follows) return out;
    out.end += part->bytes.size();
    out.file_bytes += frame_header_bytes + part->bytes.size();
  }
}

Status LogSpool::begin(std::uint32_t timeline, Lsn at) {
  LB_ASSERT(at % segment_bytes_ == 0 && pending_.empty());
  LB_TRY(close());
  timeline_ = timeline;
  received_ = durable_ = at;
  return {};
}

Status LogSpool::append(ByteView bytes) {
  while (!bytes.empty()) {
    const Lsn begins = received_ - pending_.size();
    const std::uint64_t left = segment_bytes_ - begins % segment_bytes_ - pending_.size();
    const std::size_t room = frame_bytes_max - pending_.size();
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>({left, room, bytes.size()}));
    const ByteView piece = bytes.first(part);
    pending_.insert(pending_.end(), piece.begin(), piece.end());
    received_ += part;
    bytes = bytes.subspan(part);
    if (pending_.size() == frame_bytes_max) LB_TRY(write_frame());
    if (received_ % segment_bytes_ != 0) continue;
    // Before the next file: two need not be made durable at once.
    LB_TRY(sync());
    LB_TRY(close());
  }
  return {};
}

Status LogSpool::open_segment() {
  const Id id{timeline_, (received_ - pending_.size()) / segment_bytes_};
  const std::string path = path_of(id);
  file_ = LB_TRY(files_.create(path, 0600).context("make a file of the spool"));
  written_ = 0;
  LB_TRY(files_.sync_directory(folder_));
  const std::lock_guard lock(mutex_);
  segments_[id] = {0, id.second * segment_bytes_};
  current_ = id;
  if (taken_ == id) taken_bytes_ = 0;  // of a file of this name that is gone
  return {};
}

Status LogSpool::write_frame() {
  if (pending_.empty()) return {};
  if (!file_) LB_TRY(open_segment());
  Buffer frame = header_of(received_ - pending_.size(), pending_);
  frame.insert(frame.end(), pending_.begin(), pending_.end());
  LB_TRY(file_->write_at(frame, written_).context("write into the spool"));
  written_ += frame.size();
  pending_.clear();
  return {};
}

Status LogSpool::sync() {
  LB_TRY(write_frame());
  if (!file_ || durable_ == received_) return {};
  LB_TRY(file_->sync().context("make the spool durable"));
  durable_ = received_;
  const std::lock_guard lock(mutex_);
  segments_[*current_] = {written_, durable_};
  return {};
}

// What is not durable by now, after an error, is given up: the server sends it again.
Status LogSpool::close() {
  pending_.clear();
  received_ = durable_;
  if (!file_) return {};
  const auto file = std::exchange(file_, nullptr);
  Id id;
  Segment segment;
  {
    const std::lock_guard lock(mutex_);
    id = *std::exchange(current_, std::nullopt);
    segment = segments_[id];
    if (segment.file_bytes == 0) segments_.erase(id);
  }
  if (segment.file_bytes == 0) return files_.remove(path_of(id));
  if (segment.file_bytes < written_) LB_TRY(file->truncate(segment.file_bytes));
  return file->close();
}

Result<std::optional<LogSpool::Part>> LogSpool::next() {
  Id id;
  std::uint64_t from = 0;
  {
    const std::lock_guard lock(mutex_);
    auto at = segments_.lower_bound(taken_);
    const bool same = at != segments_.end() && at->first == taken_;
    if (same && taken_bytes_ == at->second.file_bytes && current_ != at->first) ++at;
    if (at == segments_.end()) return std::optional<Part>();
    if (at->first != taken_) taken_bytes_ = 0;
    taken_ = at->first;
    if (taken_bytes_ == at->second.file_bytes) return std::optional<Part>();
    id = taken_;
    from = taken_bytes_;
  }
  const auto file = LB_TRY(files_.open_read(path_of(id)));
  Part part = LB_TRY(read_frame(*file, from).context(cat("read ", path_of(id), " at ", from)));
  part.place.timeline = id.first;
  const std::lock_guard lock(mutex_);
  taken_bytes_ = from + frame_header_bytes + part.bytes.size();
  return std::optional(std::move(part));
}

void LogSpool::again() {
  const std::lock_guard lock(mutex_);
  taken_ = {};
  taken_bytes_ = 0;
}

Status LogSpool::forget(const LogPlace& until) {
  for (;;) {
    Id id;
    {
      const std::lock_guard lock(mutex_);
      if (segments_.empty()) return {};
      const auto& [oldest, segment] = *segments_.begin();
      const bool older = oldest.first < until.timeline;
      const bool there = older || (oldest.first == until.timeline && segment.end <= until.at);
      if (!there || current_ == oldest) return {};
      id = oldest;
    }
    LB_TRY(files_.remove(path_of(id)).context("clear the spool"));
    const std::lock_guard lock(mutex_);
    segments_.erase(id);
  }
}

std::uint64_t LogSpool::bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [id, segment] : segments_) sum += segment.file_bytes;
  return sum;
}

bool LogSpool::empty() const {
  const std::lock_guard lock(mutex_);
  return segments_.empty();
}

}  // namespace lb::pg
