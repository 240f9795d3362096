// Every decoder of keys behind one door, for fuzzing and for the test that runs odd bytes through
// it. Not used by the product.
#pragma once

#include "foundation/base/bytes.h"

namespace lb::keys {

inline constexpr unsigned decoder_count = 4;
// Slots (as they are, and with their check made right), key files, shares. What decodes is encoded
// and decoded again: LB_ASSERT when that gives something else.
void decode_any(unsigned decoder, ByteView bytes);

}  // namespace lb::keys
