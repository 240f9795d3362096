// The stable exit codes of the program. Documented in docs/operators/exit-codes.md; never renumber.
#pragma once

namespace lb {

enum class ExitCode : int {
  ok = 0,
  failed = 1,
  usage = 2,          // bad command line or bad plan
  warnings = 3,       // finished, some items unread
  check_not_met = 4,  // RPO, RTO, drill or invariant not met
  refused = 5,        // a guard said no
  no_repository = 10,
  locked = 11,
  wrong_key = 12,
  damaged = 13,  // the repository holds damaged or missing objects
  point_unreachable = 14,
  store_unreachable = 20,
  target_unreachable = 21,
  no_space = 22,
  interrupted = 75,  // can be resumed
  signal_int = 130,
  signal_term = 143,
};

}  // namespace lb
