// World: every way the product touches the outside, handed down once from main or a test. No
// globals.
#pragma once

#include "foundation/sys/clock.h"
#include "foundation/sys/files.h"
#include "foundation/sys/http.h"
#include "foundation/sys/process.h"
#include "foundation/sys/random.h"
#include "foundation/sys/sandbox.h"

namespace lb {

struct World {
  Clock& clock;
  Random& random;
  Files& files;
  Http& http;
  Processes& processes;
  Sandboxes& sandboxes;
};

}  // namespace lb
