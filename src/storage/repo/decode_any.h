// Every decoder of the repository behind two doors, for fuzzing and for the test that runs odd
// bytes through them. Not used by the product.
#pragma once

#include <cstdint>

#include "foundation/base/bytes.h"

namespace lb::repo {

inline constexpr unsigned decoder_count = 14;
// What decodes is encoded and decoded again: LB_ASSERT when that gives other bytes.
void decode_any(unsigned decoder, ByteView bytes);
// Opens the bytes as each kind of object, with keys made for nothing.
void open_any(ByteView bytes);

}  // namespace lb::repo
