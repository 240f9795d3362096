// What a key may look like, for every implementation alike. Pure.
#pragma once

#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace lb {

// Segments of [A-Za-z0-9._=-], not empty, not starting with a dot, joined by '/'; at most 900
// bytes; "tmp/..." belongs to the directory store. invalid otherwise.
Status check_blob_key(std::string_view key);

}  // namespace lb
