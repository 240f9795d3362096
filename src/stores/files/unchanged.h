// Whether a file is still the one an earlier snapshot saved, judged without reading it. Pure.
#pragma once

#include "stores/files/store.h"

namespace lb::files {

// `size` is the content size of the earlier row, `started` the start of the backup that wrote it.
// A file touched so close to that start that its times could not tell a later change apart is not
// trusted: it may have been written again within the same tick of the clock, after it was read.
bool is_unchanged(const FileInfo& now, const Attributes& then, std::uint64_t size,
                  Timestamp started);

}  // namespace lb::files
