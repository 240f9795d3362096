// Page checksums of PostgreSQL data pages, 8 KiB. The algorithm is the documented one: 32 FNV-1a
// sums side by side over the page's 32-bit words with the checksum field taken as zero, folded by
// XOR, the block number mixed in, reduced to 1..65535. Pure. Private to stores/postgres.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/bytes.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

inline constexpr std::size_t page_bytes = 8192;

std::uint16_t page_checksum(ByteView page, std::uint32_t block);
Lsn page_lsn(ByteView page);

// A page that was never written is all zero and has no checksum. A page changed since the backup
// began may have been read torn; replay puts it right from the log, so it is not judged.
enum class PageVerdict { good, fresh, changed_since, bad };
PageVerdict judge_page(ByteView page, std::uint32_t block, Lsn backup_start);

// What a path below the data directory holds: "base/5/16384.2", "global/1262", "pg_tblspc/16500/…".
struct RelationFile {
  bool relation = false;      // consists of checksummed pages
  std::uint32_t segment = 0;  // its first block is segment * blocks of a segment
};
RelationFile relation_file(std::string_view path);

}  // namespace lb::pg
