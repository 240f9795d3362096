// LSN: a position in PostgreSQL's write-ahead log, and the names of segment files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace lb::pg {

using Lsn = std::uint64_t;

Result<Lsn> parse_lsn(std::string_view text);  // "0/16B3748"
std::string format_lsn(Lsn lsn);
// "000000010000000000000003" for timeline 1, segment number 3, 16 MiB segments.
std::string segment_name(std::uint32_t timeline, std::uint64_t segment,
                         std::uint64_t segment_bytes);

}  // namespace lb::pg
