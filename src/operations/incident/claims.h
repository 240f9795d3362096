// Claims: of what several machines may tell, one tells. It is claimed in the repository before; a
// claim whose machine has not said within ten minutes that it told is void, and another one tells.
#pragma once

#include <string>

#include "foundation/sys/clock.h"
#include "storage/state/fact_log.h"

namespace lb::incident {

inline constexpr Micros claim_lasts = Seconds(600);

struct Claim {
  std::string member, what;
  std::string holder;  // names the outbox: of the machine and of its state folder
};

// True when it is ours now or was before, and when nobody can tell: better told twice than not.
bool claimed(state::FactLog& log, const Clock& clock, const Claim& claim);

}  // namespace lb::incident
