#include "foundation/base/bytes.h"

#include <cstring>

#include "foundation/base/text.h"

namespace lb {

namespace {

Error cut_short() { return Error(ErrorKind::corrupt, "data ends too early"); }

template <typename T>
void put_le(Buffer& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

template <typename T>
Result<T> get_le(ByteView& rest) {
  if (rest.size() < sizeof(T)) return cut_short();
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<T>(rest[i]) << (8 * i)));
  }
  rest = rest.subspan(sizeof(T));
  return value;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ByteView view_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (auto byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

Result<Buffer> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return Error(ErrorKind::invalid, "odd number of hexadecimal digits");
  Buffer out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = hex_value(text[i]);
    int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return Error(ErrorKind::invalid, "not a hexadecimal digit");
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return out;
}

bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

void ByteWriter::u8(std::uint8_t value) { out_.push_back(value); }
void ByteWriter::u16(std::uint16_t value) { put_le(out_, value); }
void ByteWriter::u32(std::uint32_t value) { put_le(out_, value); }
void ByteWriter::u64(std::uint64_t value) { put_le(out_, value); }
void ByteWriter::varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<std::uint8_t>(value));
}
void ByteWriter::signed_varint(std::int64_t value) {
  auto bits = static_cast<std::uint64_t>(value);
  varint((bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0));
}
void ByteWriter::raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
void ByteWriter::text(std::string_view bytes) {
  varint(bytes.size());
  raw(view_of(bytes));
}

Result<std::uint8_t> ByteReader::u8() { return get_le<std::uint8_t>(rest_); }
Result<std::uint16_t> ByteReader::u16() { return get_le<std::uint16_t>(rest_); }
Result<std::uint32_t> ByteReader::u32() { return get_le<std::uint32_t>(rest_); }
Result<std::uint64_t> ByteReader::u64() { return get_le<std::uint64_t>(rest_); }

Result<std::uint64_t> ByteReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return cut_short();
    std::uint8_t byte = rest_[0];
    rest_ = rest_.subspan(1);
    if (shift == 63 && byte > 1) return Error(ErrorKind::corrupt, "number too large");
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return Error(ErrorKind::corrupt, "number too large");
}

Result<std::int64_t> ByteReader::signed_varint() {
  auto bits = LB_TRY(varint());
  return static_cast<std::int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
}

Result<ByteView> ByteReader::raw(std::uint64_t size) {
  if (rest_.size() < size) return cut_short();
  auto out = rest_.first(size);
  rest_ = rest_.subspan(size);
  return out;
}

Result<std::string> ByteReader::text(std::uint64_t size_max) {
  auto size = LB_TRY(varint());
  if (size > size_max)
    return Error(ErrorKind::corrupt, cat("text of ", size, " bytes is too long"));
  auto bytes = LB_TRY(raw(size));
  return std::string(text_of(bytes));
}

}  // namespace lb
