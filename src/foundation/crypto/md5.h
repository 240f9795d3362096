// MD5, because S3 services want it as proof of transport. Protects nothing against forgery. Pure.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/base/bytes.h"

namespace lb {

// unsupported on machines whose policy forbids it.
Result<std::array<std::uint8_t, 16>> md5(ByteView bytes);

}  // namespace lb
