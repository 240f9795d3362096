// Text objects: the parts of a repository that are read before any key is at hand (`repo`, key
// slots). JSON text and a line with its SHA-256, so that damage is not taken for a wrong key. Pure.
#pragma once

#include <string>

#include "foundation/base/bytes.h"
#include "foundation/codec/json.h"

namespace lb::keys {

Buffer write_text_object(const std::string& json);
// corrupt when it is not as it was written; proves nothing about the author.
Result<Json> read_text_object(ByteView object);

}  // namespace lb::keys
