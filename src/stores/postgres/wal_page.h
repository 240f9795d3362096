// WAL page headers: parse and check one. Pure. Called by the scanner at every page boundary.
#pragma once

#include <cstdint>

#include "foundation/base/bytes.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

inline constexpr std::uint64_t wal_page_bytes =
    8192;  // the only block size built by anybody we meet
inline constexpr std::size_t short_header_bytes = 24;
inline constexpr std::size_t long_header_bytes = 40;

struct PageHeader {
  int version = 0;          // major version of PostgreSQL, from the magic
  bool continues = false;   // begins with the rest of a record from the page before
  bool is_long = false;     // first page of a segment
  bool overwrites = false;  // the record begun before was given up (crash); nothing continues
  std::uint32_t timeline = 0;
  std::uint32_t remaining = 0;          // bytes of the continued record that were left at this page
  std::uint64_t system_identifier = 0;  // long form only
  std::uint32_t segment_bytes = 0;      // long form only
  std::size_t size() const { return is_long ? long_header_bytes : short_header_bytes; }
};

// How many bytes the header at the beginning of `bytes` needs (24 or 40); `bytes` holds at
// least 24.
std::size_t page_header_bytes(ByteView bytes);
// `bytes` holds the whole header; `at` is its LSN. corrupt with the LSN; unsupported for other
// block sizes.
Result<PageHeader> parse_page_header(ByteView bytes, Lsn at);
// 13 to 18, or 0.
int version_of_magic(std::uint16_t magic);

}  // namespace lb::pg
