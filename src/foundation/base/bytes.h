// Byte buffers and views, hexadecimal, and little-endian numbers for our own formats.
// Bounds are the caller's duty in get_le/put_le; decoders of foreign bytes use ByteReader.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace lb {

using Buffer = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

ByteView view_of(std::string_view text);
std::string_view text_of(ByteView bytes);
std::string to_hex(ByteView bytes);
Result<Buffer> from_hex(std::string_view text);

// Time does not depend on where the bytes differ. Different sizes are different.
bool equal_constant_time(ByteView a, ByteView b);

// Appends to a buffer. Varints are LEB128, unsigned; `text` is varint length + bytes.
class ByteWriter {
 public:
  explicit ByteWriter(Buffer& out) : out_(out) {}
  void u8(std::uint8_t value);
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void varint(std::uint64_t value);
  void signed_varint(std::int64_t value);  // zigzag
  void raw(ByteView bytes);
  void text(std::string_view bytes);

 private:
  Buffer& out_;
};

// Reads with bounds checks; every failure is ErrorKind::corrupt. Does not own the bytes.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}
  Result<std::uint8_t> u8();
  Result<std::uint16_t> u16();
  Result<std::uint32_t> u32();
  Result<std::uint64_t> u64();
  Result<std::uint64_t> varint();
  Result<std::int64_t> signed_varint();
  Result<ByteView> raw(std::uint64_t size);
  Result<std::string> text(std::uint64_t size_max = 1 << 20);
  std::size_t left() const { return rest_.size(); }
  bool done() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

}  // namespace lb
