// LB_ASSERT: for our own mistakes only, always on. Never judges data from disk, network or users.
#pragma once

namespace lb {
[[noreturn]] void assert_failed(const char* expression, const char* file, int line);
}

#define LB_ASSERT(expression) \
  (static_cast<bool>(expression) ? void(0) : ::lb::assert_failed(#expression, __FILE__, __LINE__))
