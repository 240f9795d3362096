// CRC-32C (Castagnoli) as PostgreSQL uses it for WAL records and pg_control. Pure; the hardware
// instruction is taken where the processor has it, found out once at run time.
#pragma once

#include <cstdint>

#include "foundation/base/bytes.h"

namespace lb::pg {

// Chainable: crc32c_begin, any number of crc32c_add, crc32c_end.
constexpr std::uint32_t crc32c_begin() { return 0xffffffffu; }
std::uint32_t crc32c_add(std::uint32_t crc, ByteView bytes);
constexpr std::uint32_t crc32c_end(std::uint32_t crc) { return crc ^ 0xffffffffu; }

// The table-driven way, for tests and processors without the instruction.
std::uint32_t crc32c_add_portable(std::uint32_t crc, ByteView bytes);

}  // namespace lb::pg
