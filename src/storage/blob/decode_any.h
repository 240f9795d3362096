// Every decoder of what an object store answers behind one door, for fuzzing and for the test that
// runs odd bytes through them. Not used by the product.
#pragma once

#include "foundation/base/bytes.h"

namespace lb {

inline constexpr unsigned answer_decoder_count = 3;
// A listing, a refusal, a date: read or refused, and what is read is read the same way again.
// LB_ASSERT when it is not.
void decode_any_answer(unsigned decoder, ByteView bytes);

}  // namespace lb
