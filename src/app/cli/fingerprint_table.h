// The tables that were counted with a point, in aligned columns. There may be a hundred thousand:
// the record is gone through twice, and only the text is kept. Pure.
#pragma once

#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace lb::cli {

// invalid for what is no fingerprint (stores/postgres/snapshot_details.h).
Result<std::string> fingerprint_table(std::string_view fingerprint);

}  // namespace lb::cli
