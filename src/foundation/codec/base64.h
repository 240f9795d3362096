// Base64 (RFC 4648, the common alphabet, with padding), for protocols that want it. Pure.
#pragma once

#include <string>

#include "foundation/base/bytes.h"

namespace lb {

std::string to_base64(ByteView bytes);

}  // namespace lb
