// What main does first: keys live in this process's memory, so no core dump may hold them and no
// other process of the same user may read them.
#pragma once

#include "foundation/base/result.h"

namespace lb {

Status harden_process();

}  // namespace lb
