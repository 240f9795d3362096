#include "stores/postgres/wal_page.h"

#include <bit>

#include "foundation/base/text.h"
#include "stores/postgres/wal_bytes.h"

namespace lb::pg {

namespace {

constexpr std::uint16_t flag_continues = 1, flag_long = 2, flags_known = 15, flag_overwrites = 8;

Error bad_page(Lsn at, const std::string& what) {
  return Error(ErrorKind::corrupt, cat("WAL page at ", format_lsn(at), ": ", what));
}

Status read_long_form(ByteView bytes, Lsn at, PageHeader& header) {
  header.system_identifier = load<std::uint64_t>(&bytes[24]);
  header.segment_bytes = load<std::uint32_t>(&bytes[32]);
  auto block = load<std::uint32_t>(&bytes[36]);
  if (!std::has_single_bit(block) || block < 1024 || block > 65536) {
    return bad_page(at, cat("impossible block size ", block));
  }
  if (block != wal_page_bytes) {
    return Error(ErrorKind::unsupported, cat("WAL page at ", format_lsn(at), ": WAL block size ",
                                             block, ", not ", wal_page_bytes));
  }
  if (!std::has_single_bit(header.segment_bytes) || header.segment_bytes < (1u << 20) ||
      header.segment_bytes > (1u << 30)) {
    return bad_page(at, cat("impossible segment size ", header.segment_bytes));
  }
  if (at % header.segment_bytes != 0) return bad_page(at, "segment header inside a segment");
  return {};
}

}  // namespace

int version_of_magic(std::uint16_t magic) {
  switch (magic) {
    case 0xD106:
      return 13;
    case 0xD10D:
      return 14;
    case 0xD110:
      return 15;
    case 0xD113:
      return 16;
    case 0xD116:
      return 17;
    case 0xD118:
      return 18;
    default:
      return 0;
  }
}

std::size_t page_header_bytes(ByteView bytes) {
  return (load<std::uint16_t>(&bytes[2]) & flag_long) != 0 ? long_header_bytes : short_header_bytes;
}

Result<PageHeader> parse_page_header(ByteView bytes, Lsn at) {
  PageHeader header;
  header.version = version_of_magic(load<std::uint16_t>(&bytes[0]));
  if (header.version == 0) return bad_page(at, "not a page of PostgreSQL 13 to 18");
  auto flags = load<std::uint16_t>(&bytes[2]);
  if ((flags & ~flags_known) != 0) return bad_page(at, "unknown flags");
  header.continues = (flags & flag_continues) != 0;
  header.is_long = (flags & flag_long) != 0;
  header.overwrites = (flags & flag_overwrites) != 0;
  header.timeline = load<std::uint32_t>(&bytes[4]);
  if (header.timeline == 0) return bad_page(at, "timeline 0");
  auto address = load<std::uint64_t>(&bytes[8]);
  if (address != at) return bad_page(at, cat("it says it belongs at ", format_lsn(address)));
  header.remaining = load<std::uint32_t>(&bytes[16]);
  if (header.continues != (header.remaining != 0))
    return bad_page(at, "continuation without length");
  if (header.is_long) LB_TRY(read_long_form(bytes, at, header));
  return header;
}

}  // namespace lb::pg
