// What two servers of one database need not agree on in a page of the same LSN: hint bits, command
// numbers, marks of dead entries, and bytes that nobody uses. None of it is logged, so a primary
// and its standby have their own; all of it may be taken from either. Pure.
#pragma once

#include "foundation/base/bytes.h"

namespace lb::pg {

// Two pages of a main fork with the same LSN, alike but for such. False when their shape is odd.
bool differ_in_hints_alone(ByteView one, ByteView other);

}  // namespace lb::pg
