#include "stores/postgres/tar_stream.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::pg {
namespace {

constexpr std::size_t block_bytes = 512;
constexpr std::uint64_t long_text_max = 64 << 10;

Error corrupt(std::string_view what) {
  return Error(ErrorKind::corrupt, cat("tar stream: ", what));
}

ByteView field(ByteView header, std::size_t at, std::size_t size) {
  return header.subspan(at, size);
}

std::string text_field(ByteView bytes) {
  const auto end = std::find(bytes.begin(), bytes.end(), 0);
  return std::string(bytes.begin(), end);
}

// Octal digits ended by a space or NUL; or, with the top bit set, a big-endian binary number.
Result<std::uint64_t> number_field(ByteView bytes, std::string_view what) {
  std::uint64_t value = 0;
  if ((bytes[0] & 0x80) != 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::uint8_t byte = i == 0 ? bytes[i] & 0x7F : bytes[i];
      if (value >> 55 != 0) return corrupt(cat(what, " is too large"));
      value = value << 8 | byte;
    }
    return value;
  }
  std::size_t at = 0;
  while (at < bytes.size() && bytes[at] == ' ') ++at;
  bool any = false;
  for (; at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '7'; ++at, any = true) {
    value = value << 3 | static_cast<std::uint64_t>(bytes[at] - '0');
  }
  const bool ended = at == bytes.size() || bytes[at] == ' ' || bytes[at] == 0;
  if (!ended || !any) return corrupt(cat(what, " is not a number"));
  return value;
}

Status check_header_sum(ByteView header) {
  std::uint64_t sum = 0;
  constexpr std::uint64_t blank = 0x20;  // the sum's own field counts as blanks
  for (std::size_t i = 0; i < block_bytes; ++i) sum += i >= 148 && i < 156 ? blank : header[i];
  const std::uint64_t recorded = LB_TRY(number_field(field(header, 148, 8), "header checksum"));
  if (sum != recorded) return corrupt("header checksum does not match");
  return {};
}

std::string clean(std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  while (name.ends_with('/')) name.pop_back();
  return name;
}

// A name must stay below the folder it is restored to.
Status check_name(const std::string& name) {
  if (name.starts_with('/')) return corrupt(cat("absolute name ", printable(name)));
  for (const std::string& part : split(name, '/')) {
    if (part == "..") return corrupt(cat("name leads outside: ", printable(name)));
  }
  return {};
}

Result<TarEntry> decode_entry(ByteView header) {
  TarEntry entry;
  const std::string prefix = text_field(field(header, 345, 155));
  const std::string name = text_field(field(header, 0, 100));
  const bool ustar = text_of(field(header, 257, 5)) == "ustar" && header[262] == 0;
  entry.name = ustar && !prefix.empty() ? cat(prefix, "/", name) : name;
  entry.link_target = text_field(field(header, 157, 100));
  const std::uint64_t mode = LB_TRY(number_field(field(header, 100, 8), "mode"));
  entry.mode = static_cast<std::uint32_t>(mode & 07777);
  const std::uint64_t mtime = LB_TRY(number_field(field(header, 136, 12), "time"));
  entry.mtime = static_cast<std::int64_t>(mtime);
  entry.size = LB_TRY(number_field(field(header, 124, 12), "size"));
  return entry;
}

std::uint64_t padding_of(std::uint64_t size) {
  return (block_bytes - size % block_bytes) % block_bytes;
}

}  // namespace

Status TarReader::feed(ByteView bytes) {
  while (!bytes.empty()) LB_TRY(step(bytes));
  return {};
}

Status TarReader::step(ByteView& bytes) {
  if (state_ == State::over) {
    const bool zero =
        std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
    if (!zero) return corrupt("bytes after the end of the archive");
    bytes = {};
    return {};
  }
  const std::uint64_t wanted = state_ == State::header ? block_bytes - block_.size() : left_;
  const ByteView part = bytes.first(std::min<std::uint64_t>(wanted, bytes.size()));
  bytes = bytes.subspan(part.size());
  if (state_ == State::header) {
    block_.insert(block_.end(), part.begin(), part.end());
    return block_.size() == block_bytes ? read_header() : Status();
  }
  left_ -= part.size();
  if (state_ == State::content) LB_TRY(sink_.data(part));
  if (state_ == State::long_text) block_.insert(block_.end(), part.begin(), part.end());
  if (left_ > 0) return {};
  if (state_ == State::content) return end_content();
  if (state_ == State::long_text) return take_long_text();
  state_ = State::header;
  return {};
}

Status TarReader::read_header() {
  const Buffer header = std::move(block_);
  block_ = {};
  if (std::all_of(header.begin(), header.end(), [](std::uint8_t b) { return b == 0; })) {
    state_ = State::over;
    return {};
  }
  LB_TRY(check_header_sum(header));
  TarEntry entry = LB_TRY(decode_entry(header));
  return start_entry(std::move(entry), static_cast<char>(header[156]));
}

Status TarReader::start_entry(TarEntry entry, char type) {
  padding_ = padding_of(entry.size);
  if (type == 'L' || type == 'K') {
    if (entry.size == 0 || entry.size > long_text_max) return corrupt("impossible long name");
    long_type_ = type;
    left_ = entry.size;
    state_ = State::long_text;
    return {};
  }
  if (!long_name_.empty()) entry.name = std::exchange(long_name_, {});
  if (!long_link_.empty()) entry.link_target = std::exchange(long_link_, {});
  entry.name = clean(std::move(entry.name));
  LB_TRY(check_name(entry.name));
  if (type == '5') {
    entry.kind = TarEntry::Kind::directory;
  } else if (type == '2') {
    entry.kind = TarEntry::Kind::symlink;
  } else if (type != '0' && type != 0) {
    return corrupt(cat("entry ", printable(entry.name), " of an unknown type"));
  }
  if (entry.kind != TarEntry::Kind::file && entry.size != 0) return corrupt("link with content");
  LB_TRY(sink_.begin(entry));
  left_ = entry.size;
  state_ = State::content;
  return left_ == 0 ? end_content() : Status();
}

Status TarReader::take_long_text() {
  std::string& place = long_type_ == 'L' ? long_name_ : long_link_;
  place = text_field(block_);
  block_.clear();
  left_ = padding_;
  state_ = left_ == 0 ? State::header : State::padding;
  return {};
}

Status TarReader::end_content() {
  left_ = padding_;
  state_ = left_ == 0 ? State::header : State::padding;
  return sink_.end();
}

Status TarReader::finish() {
  const bool between = state_ == State::over || (state_ == State::header && block_.empty());
  if (!between || !long_name_.empty()) return corrupt("ends inside an entry");
  return {};
}

}  // namespace lb::pg
